"""What the Invoke path asks of whoever keeps the functions: which code a name means now.

`functions.directory` implements it; neither package knows the other.
"""

from typing import Protocol

from lambent.aws.arn import FunctionId
from lambent.runtime.function_spec import FunctionSpec


class Target(Protocol):
    """What an invocation of one qualifier meets; a frozen value. `spec` is None while nothing can serve."""

    @property
    def arn(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def spec(self) -> FunctionSpec | None: ...
    @property
    def reserved_concurrency(self) -> int | None: ...
    @property
    def max_retry_attempts(self) -> int: ...
    @property
    def max_event_age_s(self) -> float: ...
    @property
    def on_success(self) -> str:
        """ARN of a destination, empty for none; so the next two."""
        ...

    @property
    def on_failure(self) -> str: ...
    @property
    def dead_letter(self) -> str: ...


class Directory(Protocol):
    def resolve(self, function: FunctionId, qualifier: str | None) -> Target | None:
        """At once, from a cache; None when it does not know the name. For a weighted alias each call draws anew."""
        ...

    async def look_up(self, function: FunctionId, qualifier: str | None) -> Target:
        """Surely; raises `ServiceError` ResourceNotFoundException 404."""
        ...

    async def until_ready(self, function: FunctionId, qualifier: str | None, timeout_s: float) -> Target:
        """Waits while the function is Pending, at most so long, and gives it as it is then."""
        ...
