"""allOf, anyOf, oneOf and not: judgements over the checks of their schemas, which fill and cut nothing.

A member that nothing declares is no fault here.
"""

from collections.abc import Callable
from typing import Any

from lambent.kube.schema.constraints import Check
from lambent.kube.schema.problems import Fault, junctor


def _hard(faults: list[Fault] | None) -> bool:
    return bool(faults) and any(not fault.unknown for fault in faults or ())


def _known(faults: list[Fault] | None) -> list[Fault]:
    return [fault for fault in faults or () if not fault.unknown]


def _any_of(children: list[Check]) -> Check:
    def check(value: Any) -> list[Fault] | None:
        first: list[Fault] | None = None
        for child in children:
            found = child(value)
            if not _hard(found):
                return None
            first = first or found
        return [junctor("must validate at least one schema (anyOf)"), *_known(first)]

    return check


def _one_of(children: list[Check]) -> Check:
    def check(value: Any) -> list[Fault] | None:
        answers = [child(value) for child in children]
        good = sum(not _hard(answer) for answer in answers)
        if good == 1:
            return None
        found = "none valid" if not good else f"{good} valid alternatives"
        text = f"must validate one and only one schema (oneOf). Found {found}"
        return [junctor(text), *(() if good else _known(answers[0]))]

    return check


def _all_of(children: list[Check]) -> Check:
    def check(value: Any) -> list[Fault] | None:
        answers = [_known(child(value)) for child in children]
        found = [fault for answer in answers for fault in answer]
        none = ". None validated" if all(answers) else ""
        return [*found, junctor(f"must validate all the schemas (allOf){none}")] if found else None

    return check


def none_of(child: Check) -> Check:
    return lambda value: None if _hard(child(value)) else [junctor("must not validate the schema (not)")]


JUNCTORS: dict[str, Callable[[list[Check]], Check]] = {"allOf": _all_of, "anyOf": _any_of, "oneOf": _one_of}
