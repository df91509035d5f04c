"""The table of the two profiles (specification, 3.3): each row in both, as an expression and what it gives."""

from typing import Any

import pytest

from lambent import cel

NAMES = {"m": {"n": None, "k": 1}, "s": "text", "l": [1, 2]}
# Expression, what it gives in `koreo`, what it gives in `strict`; `!code` is an error with that code.
DIFFERENT: list[tuple[str, Any, Any]] = [
    ("has(m.gone.deep)", False, "!key"),
    ("has(m.n.deep)", False, "!overload"),
    (r'"\."', "\\.", "!syntax"),
    (r'"\d+"', "\\d+", "!syntax"),
    ('s.matches("^(?!x)t")', True, "!regex"),
    ('s.matches("t(?=e)")', True, "!regex"),
    ("to_json(l)", "[1, 2]", "!function"),
    ('split_last("a-b", "-")', "b", "!function"),
    ('lower("A")', "a", "!function"),
    ('overlay({"a": 1}, {"b": 2})', {"a": 1, "b": 2}, "!function"),
    ('split_index("a-b", "-", -1)', "b", "!function"),
    ('split("ab", "")', "!argument", ["a", "b"]),
]
SAME: list[tuple[str, Any]] = [
    ("string(true)", "true"),
    ("int(2.7)", 2),
    ("int(-2.7)", -2),
    ('bool("true")', True),
    ("1 == 1.0 && 1u == 1 && 1.0 == 1u", True),
    ('{"a": [1, {"b": 2u}]} == {"a": [1.0, {"b": 2}]}', True),
    ("[1, 2.0] == [1.0, 2]", True),
    ("1 + 1.0", "!type"),
    ("1 + 1u", "!type"),
    ("m.k + 1.0", "!overload"),
    ('"""a\nb"""', "a\nb"),
    ("[1] + [2]", [1, 2]),
    ("size([1] + [2]) + ([1] + [2])[1]", 4),
    ("true == 1 || 1 in [true] || true in [1]", False),
    ("{1: 'i', true: 'b'}[1]", "i"),
    ("-5 / 2", -2),
    ("-5 % 3", -2),
    ("5 / -2", -2),
    ("1 / 0", "!arithmetic"),
    ("1 % 0", "!arithmetic"),
    ("9223372036854775807 + 1", "!arithmetic"),
    ("-9223372036854775808 - 1", "!arithmetic"),
    ("true || 1 / 0 == 1", True),
    ("1 / 0 == 1 || true", True),
    ("false && 1 / 0 == 1", False),
    ("1 / 0 == 1 && false", False),
    ('{"b": 1, "a": 2}.map(k, k)', ["b", "a"]),
]


def _given(text: str, profile: cel.Profile) -> Any:
    try:
        return cel.compile(text, names=tuple(NAMES), profile=profile).evaluate(NAMES)
    except cel.CelError as error:
        return f"!{error.code}"


@pytest.mark.parametrize(("text", "koreo", "strict"), DIFFERENT)
def test_a_row_that_differs(text: str, koreo: Any, strict: Any) -> None:
    assert (_given(text, "koreo"), _given(text, "strict")) == (koreo, strict)


@pytest.mark.parametrize(("text", "value"), SAME)
def test_a_row_that_is_corrected_in_both(text: str, value: Any) -> None:
    for found in (_given(text, "koreo"), _given(text, "strict")):
        assert (type(found), found) == (type(value), value)


@pytest.mark.parametrize("profile", ["koreo", "strict"])
def test_a_map_keeps_the_order_of_its_keys(profile: cel.Profile) -> None:
    assert list(_given('{"z": 1, "a": {"y": 1, "b": 2}, "m": 3}', profile)) == ["z", "a", "m"]
    assert list(_given('{"z": 1, "a": {"y": 1, "b": 2}}.a', profile)) == ["y", "b"]


def test_a_backspace_inside_a_pattern_is_remarked_on_where_it_is_legal() -> None:
    assert [lint.code for lint in cel.compile(r's.matches("\bt")', names=("s",)).lints] == ["backspace"]
    assert cel.compile(r's.matches("\\bt")', names=("s",)).lints == ()
