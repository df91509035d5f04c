"""What the service asks of an execution back end: make one version of one function ready to run, and let go of it."""

from typing import Protocol

from lambent.runtime.function_spec import FunctionSpec, PoolKey


class Executor(Protocol):
    """Both methods are idempotent."""

    async def prepare(self, spec: FunctionSpec) -> None:
        """Returns when the code is in place. Raises a `LambentError` whose `reason_code` (AWS's StateReasonCode) and
        `message` say why it never will be."""
        ...

    async def retire(self, pool_key: PoolKey) -> None:
        """Lets running invocations end, then stops the environments and frees the code; unknown keys are ignored."""
        ...
