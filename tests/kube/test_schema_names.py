"""Rules may name members that CEL cannot spell."""

import pytest

from lambent.kube.schema.names import with_plain_names
from lambent.kube.schema.rules import compile_rules


@pytest.mark.parametrize(
    ("rule", "plain"),
    [
        ("has(self.__return__)", "has(self.`return`)"),
        ("self.a__dot__b__dash__c == 1", "self.`a.b-c` == 1"),
        ("self.x__underscores__y", "self.`x__y`"),
        ("self.name == '.__return__'", "self.name == '.__return__'"),
        ("self.plain", "self.plain"),
    ],
    ids=["reserved", "punctuation", "underscores", "text", "plain"],
)
def test_an_escaped_member_is_found_under_its_real_name(rule: str, plain: str) -> None:
    assert with_plain_names(rule) == plain


def test_a_rule_sees_a_member_called_return() -> None:
    rules = compile_rules({"type": "object", "x-kubernetes-validations": [{"rule": "has(self.__return__)"}]})
    assert rules is not None
    assert rules.check({"return": 1}, None) == []
    assert len(rules.check({}, None)) == 1
