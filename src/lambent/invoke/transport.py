"""How an event reaches a runtime: one method, whatever lies between.

The in-process transport is `execution.process`; a broker and pods are others. A transport answers a `Result` for
whatever the function did, and raises a `LambentError` when the event surely did not run or its fate is unknown: the
class of the error says which (its `http_status` and `aws_code` are the caller's answer).
"""

from typing import Protocol

from lambent.runtime.function_spec import FunctionSpec
from lambent.runtime.invocation import Event, Result


class Transport(Protocol):
    async def invoke(self, spec: FunctionSpec, event: Event) -> Result: ...
