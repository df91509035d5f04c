"""What a reconcile may answer: a closed set, each with one meaning for the queue.

| outcome | meaning | the queue |
|---|---|---|
| Done  | state is as wanted | nothing until an event or the resync; failure count reset |
| Wait  | progress happens elsewhere | look again after `after_s` at the latest; failure count reset |
| Retry | this run failed | back off (or after `after_s` when the controller has its own table) |
| Fail  | will not succeed until the spec changes | no timer; resync still looks |
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Done:
    pass


@dataclass(frozen=True, slots=True)
class Wait:
    after_s: float
    why: str = ""


@dataclass(frozen=True, slots=True)
class Retry:
    why: str
    after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Fail:
    why: str


Outcome = Done | Wait | Retry | Fail
