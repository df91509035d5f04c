"""Rules of members: which values they take, and what they say of an absent one."""

import pytest

from lambent.kubeserver.validation import names, rules

A = "Required value"


@pytest.mark.parametrize(
    ("rule", "value", "said"),
    [
        (rules.needed(), None, A),
        (rules.needed(rules.among("x")), "", A),
        (rules.needed(rules.among("x")), "y", 'Unsupported value: "y": supported values: "x"'),
        (rules.among("x"), None, ""),
        (rules.one_of("x"), None, 'Unsupported value: "": supported values: "x"'),
        (rules.named(names.port_number), 0, ""),
        (rules.given(names.port_number), 0, "Invalid value: 0: must be between 1 and 65535, inclusive"),
        (rules.given(names.port_number), None, ""),
        (rules.always(names.env_name), None, 'Invalid value: "": environment variable name must be non-empty'),
        (rules.between(1, 5), 5, ""),
        (rules.between(1, 5), 6, "Invalid value: 6: must be between 1 and 5, inclusive"),
        (rules.positive(), 0, "Invalid value: 0: must be greater than 0"),
        (rules.not_negative, -1, "Invalid value: -1: must be greater than or equal to 0"),
        (rules.port, None, "Invalid value: 0: must be between 1 and 65535, inclusive"),
        (rules.inside({"a": rules.needed()}), None, ""),
        (rules.whole({"a": rules.needed()}), None, A),
        (rules.items(rules.needed()), None, ""),
    ],
)
def test_a_rule_says_what_is_wrong_with_one_value(rule, value, said):
    assert [problem.message for problem in rule(value, "at")] == ([said] if said else [])


def test_members_are_judged_in_the_order_of_the_table_and_named_by_their_paths():
    table = {"b": rules.needed(), "a": rules.items(rules.inside({"c": rules.needed()}))}
    assert [problem.path for problem in rules.members({"a": [{}, {"c": 1}, {}]}, "at", table)] == [
        "at.b",
        "at.a[0].c",
        "at.a[2].c",
    ]


def test_a_value_may_come_once():
    seen: set[str] = set()
    assert [list(rules.once(value, "at", seen)) != [] for value in ("a", "b", "a", "a")] == [False, False, True, True]
