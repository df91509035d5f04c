"""An outcome against what a test states of it: `ok`, `skip`, `depSkip`, `retry` or `permFail`, with message and delay.

A message is stated in part, ignoring case; an empty one fits any. A delay is exact; 0 or none fits any.
"""

from collections.abc import Mapping
from typing import Any

from lambent.workflow.engine import DepSkip, Ok, Outcome, PermFail, Retry, Skip, name_of

_OUTCOMES: dict[str, type] = {"ok": Ok, "skip": Skip, "depSkip": DepSkip, "retry": Retry, "permFail": PermFail}


def wrong_outcome(expected: Mapping[str, Any], outcome: Outcome) -> str:
    """How an outcome differs from what is stated; empty when it fits."""
    name, body = _stated(expected)
    if not isinstance(outcome, _OUTCOMES[name]):
        return f"expected {name}, got {said_of(outcome)}"
    if isinstance(outcome, Ok):
        return ""
    message = body.get("message") or ""
    if message.lower() not in outcome.message.lower():
        return f'expected a message with "{message}", got "{outcome.message}"'
    delay = body.get("delay") or 0
    if delay and isinstance(outcome, Retry) and outcome.delay_s != delay:
        return f"expected a delay of {delay:g} s, got {outcome.delay_s:g} s"
    return ""


def _stated(expected: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    return next((name, body) for name, body in expected.items() if body is not None)


def said_of(outcome: Outcome) -> str:
    """An outcome as a report names it."""
    return "Ok" if isinstance(outcome, Ok) else f"{name_of(outcome)}: {outcome.message}"


def statement_of(expected: Mapping[str, Any], outcome: Outcome) -> dict[str, Any]:
    """What would have to be stated for an outcome: of the stated kind only what is stated, of another one all of it.

    A message that fits stays as short as it is.
    """
    wanted, given = _stated(expected)
    name = next(name for name, kind in _OUTCOMES.items() if isinstance(outcome, kind))
    body = _body(outcome)
    if name != wanted:
        return {name: body}
    kept = {key: body[key] for key in given if key in body}
    if str(given.get("message") or "").lower() in str(body.get("message", "")).lower() and "message" in kept:
        kept["message"] = given["message"]
    return {name: kept}


def _body(outcome: Outcome) -> dict[str, Any]:
    if isinstance(outcome, Ok):
        return {}
    delay = {"delay": int(outcome.delay_s)} if isinstance(outcome, Retry) else {}
    return {"message": outcome.message, **delay}
