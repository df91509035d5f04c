"""What a function, a step or a workflow came to, and how several results become one.

    DepSkip < Skip < Ok < Retry < PermFail        the highest wins

Results are values, never exceptions. Source: Koreo's outcome algebra, with one difference of ours: a combined Retry
waits for the shortest delay, so that one slow step does not hold up the rest.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class DepSkip:
    """A dependency was not Ok."""

    message: str = ""
    location: str = ""


@dataclass(frozen=True, slots=True)
class Skip:
    """The step had nothing to do."""

    message: str = ""
    location: str = ""


@dataclass(frozen=True, slots=True)
class Ok:
    """Done; `value` is the function's return (None when it has none)."""

    value: Any = None


@dataclass(frozen=True, slots=True)
class Retry:
    """Not there yet: look again after `delay_s` at the latest.

    `is_server_error` marks an answer of the API (or a time-out) that calls for back-off; `delay_s` is then the least
    wait that the server asked for.
    """

    message: str = ""
    delay_s: float = 30.0
    location: str = ""
    is_server_error: bool = False


@dataclass(frozen=True, slots=True)
class PermFail:
    """Will not succeed until something changes."""

    message: str = ""
    location: str = ""


NotOk = DepSkip | Skip | Retry | PermFail
Outcome = DepSkip | Skip | Ok | Retry | PermFail

_RANK: dict[type, int] = {DepSkip: 0, Skip: 1, Ok: 2, Retry: 3, PermFail: 4}
NAMES: dict[type, str] = {DepSkip: "DepSkip", Skip: "Skip", Ok: "Ok", Retry: "Retry", PermFail: "PermFail"}


def name_of(outcome: Outcome) -> str:
    return NAMES[type(outcome)]


def is_error(outcome: Outcome) -> bool:
    """Retry or PermFail."""
    return isinstance(outcome, Retry | PermFail)


def shortened(message: str, limit: int = 200) -> str:
    """The message, cut: chains of waiting steps quote each other."""
    return message if len(message) <= limit else message[: limit - 3] + "..."


def located(outcome: Outcome, location: str) -> Outcome:
    """The outcome with a location when it has none yet."""
    if isinstance(outcome, Ok) or outcome.location:
        return outcome
    return replace(outcome, location=location)


def combine(outcomes: Iterable[Outcome]) -> Outcome:
    """One outcome of many: messages joined, Ok values as a list, the shortest delay; nothing at all is Skip."""
    given = list(outcomes)
    if not given:
        return Skip()
    rank = max(_RANK[type(outcome)] for outcome in given)
    top = [outcome for outcome in given if _RANK[type(outcome)] == rank]
    if isinstance(top[0], Ok):
        return Ok([outcome.value for outcome in top if isinstance(outcome, Ok)])
    rest: list[NotOk] = [outcome for outcome in top if not isinstance(outcome, Ok)]
    message = ", ".join(outcome.message for outcome in rest if outcome.message)
    location = ", ".join(outcome.location for outcome in rest if outcome.location)
    retries = [outcome for outcome in rest if isinstance(outcome, Retry)]
    if retries:
        soonest = min(retry.delay_s for retry in retries)
        return Retry(message, soonest, location, all(retry.is_server_error for retry in retries))
    return replace(rest[0], message=message, location=location)
