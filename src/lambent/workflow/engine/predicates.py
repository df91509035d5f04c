"""Pre- and postconditions: a list of assertions, each with the outcome for when it does not hold.

Checked in order and lazily: the first false assertion ends the check, so an earlier one protects later ones, and a
message is evaluated only when it is needed. `ok{}` ends the check and continues normally.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lambent.workflow.engine.expressions import Bindings, Compiler, Expression, Failed, Template, field_place
from lambent.workflow.engine.outcomes import DepSkip, NotOk, PermFail, Retry, Skip
from lambent.workflow.spec import FieldPath

_KINDS = ("ok", "skip", "depSkip", "retry", "permFail")


@dataclass(slots=True, eq=False)
class Predicate:
    """`kind` is the outcome when the assertion is false."""

    assertion: Template
    kind: str
    message: Template
    delay_s: float
    location: str


def compile_predicates(
    compiler: Compiler, items: Iterable[Mapping[str, Any]], path: FieldPath, names: Collection[str]
) -> tuple[Predicate, ...]:
    """The list of a validated document."""
    found = []
    for index, item in enumerate(items):
        where = (*path, index)
        kind = next(kind for kind in _KINDS if item.get(kind) is not None)
        body = item[kind]
        found.append(
            Predicate(
                compiler.expression(item["assert"], (*where, "assert"), names),
                kind,
                compiler.expression(body.get("message", ""), (*where, kind, "message"), names),
                float(body.get("delay", 0)),
                field_place(compiler.document, (*where, "assert")),
            )
        )
    return tuple(found)


def check(predicates: tuple[Predicate, ...], bindings: Bindings) -> NotOk | None:
    """The outcome of the first assertion that does not hold, or None to continue."""
    for predicate in predicates:
        try:
            holds = predicate.assertion.evaluate(bindings)
        except Failed as failure:
            return PermFail(failure.message, failure.location)
        if holds is True:
            continue
        if holds is not False:
            return PermFail(f"assert must yield a bool, not {type(holds).__name__}", predicate.location)
        return _outcome(predicate, bindings) if predicate.kind != "ok" else None
    return None


def _outcome(predicate: Predicate, bindings: Bindings) -> NotOk:
    message, location = _message(predicate, bindings), predicate.location
    match predicate.kind:
        case "skip":
            return Skip(message, location)
        case "depSkip":
            return DepSkip(message, location)
        case "retry":
            return Retry(message, predicate.delay_s, location)
        case _:
            return PermFail(message, location)


def _message(predicate: Predicate, bindings: Bindings) -> str:
    """A message that fails keeps the outcome, with a generic text."""
    try:
        message = predicate.message.evaluate(bindings)
    except Failed as failure:
        return f"the assertion does not hold (its message failed: {failure.message})"
    if isinstance(message, str):
        return message
    kind = "constant" if not isinstance(predicate.message, Expression) else type(message).__name__
    return f"the assertion does not hold (its message is not a string but {kind})"
