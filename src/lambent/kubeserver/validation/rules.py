"""What the members of an object must be, as tables: member -> rule.

A rule is asked with a value, None where the member is absent, and the value's path; it gives what is wrong. What needs
more than one value to be judged (the Pod around a container, two members that exclude each other) is a function.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from lambent.kube.schema import Problem
from lambent.kubeserver.validation import names
from lambent.kubeserver.validation.errors import (
    NOT_NEGATIVE,
    POSITIVE,
    duplicate,
    invalid,
    required,
    texts,
    unsupported,
)

Rule = Callable[[Any, str], Iterable[Problem]]
Members = Mapping[str, Rule]


def members(obj: Any, at: str, rules: Members) -> list[Problem]:
    """What is wrong with the members of `obj`, which stands at `at`, in the order of the table."""
    return [problem for name, rule in rules.items() for problem in rule(obj.get(name), f"{at}.{name}")]


def each(found: Sequence[Any] | None, at: str) -> Sequence[tuple[Any, str]]:
    """The items of a list that may be absent, and their paths."""
    return [(one, f"{at}[{index}]") for index, one in enumerate(found)] if found else ()


def inside(rules: Members) -> Rule:
    """Of an object that may be absent."""
    return lambda value, at: () if value is None else members(value, at, rules)


def whole(rules: Members) -> Rule:
    """Of an object that is judged even when it is absent, which is as good as empty."""
    return lambda value, at: members(value or {}, at, rules)


def items(rule: Rule) -> Rule:
    """Of all items of a list that may be absent."""
    return lambda value, at: [found for one, here in each(value, at) for found in rule(one, here)] if value else ()


def needed(rule: Rule | None = None, why: str = "") -> Rule:
    """Of what has to be there."""

    def judge(value: Any, at: str) -> Iterable[Problem]:
        if not value:
            return [required(at, why)]
        return () if rule is None else rule(value, at)

    return judge


def always(rule: names.Rule) -> Rule:
    """Of a text that is judged even when it is absent, which is as good as empty."""
    return lambda value, at: texts(at, value or "", rule(value or ""))


def given(rule: names.Rule) -> Rule:
    """Of a text or number that may be absent."""
    return lambda value, at: () if value is None else texts(at, value, rule(value))


def named(rule: names.Rule) -> Rule:
    """Of a text or number that may be absent, empty or 0."""
    return lambda value, at: texts(at, value, rule(value)) if value else ()


def among(*allowed: str) -> Rule:
    """Of a text that may be absent."""
    return lambda value, at: () if value is None or value in allowed else [unsupported(at, value, allowed)]


def one_of(*allowed: str) -> Rule:
    """Of a text that may not; the answer shows an absent one as empty."""
    return lambda value, at: () if value in allowed else [unsupported(at, value or "", allowed)]


def between(least: int, most: int, why: str = "") -> Rule:
    """Of a number that may be absent."""
    why = why or f"must be between {least} and {most}, inclusive"
    return lambda value, at: () if value is None or least <= value <= most else [invalid(at, value, why)]


def positive(why: str = POSITIVE) -> Rule:
    """Of a number that may be absent."""
    return lambda value, at: () if value is None or value > 0 else [invalid(at, value, why)]


def not_negative(value: int | None, at: str) -> Iterable[Problem]:
    return () if value is None or value >= 0 else [invalid(at, value, NOT_NEGATIVE)]


def port(value: int | str | None, at: str) -> Iterable[Problem]:
    """Of a number, or the name of a container's port."""
    number = 0 if value is None else value
    return texts(at, number, names.port(number))


def once(value: Any, at: str, seen: set[Any]) -> Iterable[Problem]:
    """A value that none before it had; those are in `seen`."""
    if value in seen:
        return [duplicate(at, value)]
    seen.add(value)
    return ()
