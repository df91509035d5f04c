"""A directory and a transport without a cluster or processes, for tests and benchmarks of the Invoke path."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from lambent.aws.arn import FunctionId
from lambent.invoke import refusals
from lambent.invoke.directory import Target
from lambent.invoke.transport import Transport
from lambent.runtime.function_spec import FunctionSpec
from lambent.runtime.invocation import Event, Result


@dataclass(frozen=True, slots=True)
class FixedTarget:
    """`invoke.directory.Target` as plain values."""

    arn: str
    spec: FunctionSpec | None
    state: str = "Active"
    reason: str = ""
    reserved_concurrency: int | None = None
    max_retry_attempts: int = 2
    max_event_age_s: float = 21_600.0
    on_success: str = ""
    on_failure: str = ""
    dead_letter: str = ""


@dataclass
class FakeDirectory:
    """Knows what is put into `targets`, by function and qualifier."""

    targets: dict[tuple[FunctionId, str | None], Target] = field(default_factory=dict)

    def resolve(self, function: FunctionId, qualifier: str | None) -> Target | None:
        return self.targets.get((function, qualifier))

    async def look_up(self, function: FunctionId, qualifier: str | None) -> Target:
        target = self.resolve(function, qualifier)
        if target is None:
            raise refusals.function_not_found(function.qualified_arn(qualifier or "$LATEST"))
        return target

    async def until_ready(self, function: FunctionId, qualifier: str | None, timeout_s: float) -> Target:
        return await self.look_up(function, qualifier)


@dataclass
class FakeTransport(Transport):
    """Runs `handler(spec, event)`; `events` are those it was given, by function."""

    handler: Callable[[FunctionSpec, Event], Result]
    events: defaultdict[str, list[Event]] = field(default_factory=lambda: defaultdict(list))

    async def invoke(self, spec: FunctionSpec, event: Event) -> Result:
        self.events[spec.name].append(event)
        return self.handler(spec, event)
