"""CEL rules of custom kinds: libraries, transitions, messages, reasons."""

from typing import Any

from tests.kubeserver.scenarios.asking import Step
from tests.kubeserver.scenarios.steps import CRDS, custom, definition, drop, need, objects, patch, post

STRING = {"type": "string", "maxLength": 100}
INTEGER = {"type": "integer"}
INTEGERS = {"type": "array", "maxItems": 10, "items": INTEGER}
STRINGS = {"type": "array", "maxItems": 10, "items": STRING}

# Field of spec -> (schema, rule over self)
_RULED: dict[str, tuple[Any, dict[str, Any]]] = {
    "quantity": (STRING, {"rule": "quantity(self).isLessThan(quantity('1Gi'))"}),
    "isquantity": (STRING, {"rule": "isQuantity(self) && quantity(self).isInteger()"}),
    "compare": (STRING, {"rule": "quantity(self).add(quantity('1')).compareTo(quantity('3')) == 0"}),
    "ip": (STRING, {"rule": "isIP(self) && ip(self).family() == 4 && !ip(self).isLoopback()"}),
    "cidr": (STRING, {"rule": "cidr(self).containsIP('10.0.0.1') && cidr(self).prefixLength() == 8"}),
    "url": (STRING, {"rule": "isURL(self) && url(self).getScheme() == 'https' && url(self).getHostname() == 'a'"}),
    "find": (STRING, {"rule": "self.find('[0-9]+') == '12'"}),
    "findall": (STRING, {"rule": "self.findAll('[0-9]+').size() == 2"}),
    "matches": (STRING, {"rule": "self.matches('^a+$')", "messageExpression": "'not all a: ' + self"}),
    "sorted": (INTEGERS, {"rule": "self.isSorted()", "message": "not sorted"}),
    "sums": (INTEGERS, {"rule": "self.sum() < 10 && self.min() >= 0 && self.max() < 9"}),
    "index": (STRINGS, {"rule": "self.indexOf('a') == self.lastIndexOf('a')"}),
    "sets": (STRINGS, {"rule": "sets.contains(['a', 'b'], self)"}),
    "every": (STRINGS, {"rule": "self.all(x, x.startsWith('a')) && self.exists_one(x, x == 'a')"}),
    "when": (
        {"type": "string", "format": "date-time"},
        {"rule": "self > timestamp('2026-01-01T00:00:00Z') && self.getFullYear() == 2026"},
    ),
    "day": ({"type": "string", "format": "date"}, {"rule": "self.getDayOfMonth() == 0"}),
    "takes": (
        {"type": "string", "format": "duration"},
        {"rule": "self <= duration('1h')", "message": "at most an hour"},
    ),
    "bytes": ({"type": "string", "format": "byte", "maxLength": 20}, {"rule": "size(self) == 1"}),
    "port": ({"x-kubernetes-int-or-string": True}, {"rule": "type(self) == int ? self < 100 : self == 'http'"}),
    "map": (
        {"type": "object", "maxProperties": 5, "additionalProperties": STRING},
        {"rule": "self.all(k, self[k] == k)", "message": "each is its key"},
    ),
    "object": (
        {"type": "object", "properties": {"a": INTEGER, "b": INTEGER}},
        {"rule": "self.a < self.b", "message": "a below b", "fieldPath": ".a"},
    ),
    "absent": ({"type": "object", "properties": {"a": INTEGER}}, {"rule": "self.a > 1"}),
    "divide": (INTEGER, {"rule": "10 / self > 1", "message": "too large"}),
    "forbidden": (INTEGER, {"rule": "self < 5", "reason": "FieldValueForbidden", "message": "no more than 4"}),
    "required": (INTEGER, {"rule": "self < 5", "reason": "FieldValueRequired", "message": "some"}),
    "duplicate": (INTEGER, {"rule": "self < 5", "reason": "FieldValueDuplicate", "message": "twice"}),
    "badmessage": (INTEGER, {"rule": "self < 5", "messageExpression": "['a'][self]", "message": "plain"}),
    "blank": (INTEGER, {"rule": "self < 5", "messageExpression": "'  '"}),
    "lines": (INTEGER, {"rule": "self < 5", "messageExpression": "'a\\nb'", "message": "one line"}),
    "silent": (INTEGER, {"rule": "self < 5"}),
    "spread": (INTEGER, {"rule": "self <\n 5", "message": "below 5"}),
    "keyword": (
        {"type": "object", "properties": {"namespace": STRING, "x-y": STRING, "in": STRING, "a.b": STRING}},
        {
            "rule": "self.__namespace__ == 'n' && self.x__dash__y == 'd' && self.__in__ == 'i' && self.a__dot__b == 'e'",  # noqa: E501
            "message": "names",
        },
    ),
    "nullable": ({"type": "string", "nullable": True, "maxLength": 5}, {"rule": "self == 'a'"}),
    "number": ({"type": "number"}, {"rule": "self < 1.5"}),
    "optional": ({"type": "object", "properties": {"a": INTEGER}}, {"rule": "self.?a.orValue(7) == 7"}),
    "string": (
        STRING,
        {
            "rule": "self.lowerAscii() == 'abc' && self.split('b').size() == 2 && self.trim() == self && self.substring(1) == 'BC'"  # noqa: E501
        },
    ),
    "template": (
        {"type": "object", "x-kubernetes-embedded-resource": True, "x-kubernetes-preserve-unknown-fields": True},
        {"rule": "self.kind == 'Pod' && self.metadata.name == 'n'", "message": "a pod n"},
    ),
}
RULED = definition(
    "Ruled",
    {
        "type": "object",
        "x-kubernetes-validations": [{"rule": "self.metadata.name.startsWith('r')", "message": "names begin with r"}],
        "properties": {
            "spec": {
                "type": "object",
                "properties": {
                    name: {**schema, "x-kubernetes-validations": [rule]} for name, (schema, rule) in _RULED.items()
                },
            }
        },
    },
)
RULEDS = objects("Ruled")
_VALUES: dict[str, list[Any]] = {
    "quantity": ["1Mi", "2Gi", "x"],
    "isquantity": ["5", "1.5", "zz"],
    "compare": ["2", "5"],
    "ip": ["10.0.0.1", "::1", "x", "127.0.0.1"],
    "cidr": ["10.0.0.0/8", "11.0.0.0/8", "x"],
    "url": ["https://a/b", "http://a", "::"],
    "find": ["ab12", "ab"],
    "findall": ["1 2", "1"],
    "matches": ["aaa", "ab"],
    "sorted": [[1, 2], [2, 1]],
    "sums": [[1, 2], [9, 9]],
    "index": [["a"], ["a", "a"]],
    "sets": [["a"], ["c"]],
    "every": [["a", "ab"], ["b"]],
    "when": ["2026-05-01T00:00:00Z", "2025-01-01T00:00:00Z", "soon"],
    "day": ["2026-01-01", "2026-01-02"],
    "takes": ["30m", "2h", "x"],
    "bytes": ["YQ==", "YWI="],
    "port": [80, 800, "http", "x"],
    "map": [{"a": "a"}, {"a": "b"}],
    "object": [{"a": 1, "b": 2}, {"a": 2, "b": 1}, {"a": 1}],
    "absent": [{}, {"a": 2}],
    "divide": [0, 5, 10],
    "forbidden": [5],
    "required": [5],
    "duplicate": [5],
    "badmessage": [5],
    "blank": [5],
    "lines": [5],
    "silent": [5],
    "spread": [5],
    "keyword": [
        {"namespace": "n", "x-y": "d", "in": "i", "a.b": "e"},
        {"namespace": "x", "x-y": "d", "in": "i", "a.b": "e"},
    ],
    "nullable": [None, "b"],
    "number": [1, 2, 1.25],
    "optional": [{}, {"a": 1}],
    "string": ["ABC", "abd"],
    "template": [
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "n"}},
        {"apiVersion": "v1", "kind": "X", "metadata": {"name": "n"}},
    ],
}
TURN = definition(
    "Turn",
    {
        "type": "object",
        "properties": {
            "spec": {
                "type": "object",
                "x-kubernetes-validations": [
                    {"rule": "has(self.once) || !has(oldSelf.once)", "message": "once stays"},
                    {
                        "rule": "!oldSelf.hasValue() || oldSelf.value().?up.orValue(0) <= self.?up.orValue(0)",
                        "optionalOldSelf": True,
                        "message": "only up",
                    },
                ],
                "properties": {
                    "fixed": {
                        "type": "string",
                        "x-kubernetes-validations": [{"rule": "self == oldSelf", "message": "fixed is immutable"}],
                    },
                    "once": STRING,
                    "up": INTEGER,
                    "map": {
                        "type": "object",
                        "additionalProperties": {
                            "type": "integer",
                            "x-kubernetes-validations": [{"rule": "self >= oldSelf"}],
                        },
                    },
                    "keyed": {
                        "type": "array",
                        "x-kubernetes-list-type": "map",
                        "x-kubernetes-list-map-keys": ["k"],
                        "items": {
                            "type": "object",
                            "required": ["k"],
                            "properties": {
                                "k": STRING,
                                "v": {
                                    "type": "integer",
                                    "x-kubernetes-validations": [{"rule": "self >= oldSelf", "message": "v grows"}],
                                },
                            },
                        },
                    },
                    "first": {
                        "type": "string",
                        "x-kubernetes-validations": [
                            {
                                "rule": "oldSelf.hasValue() || self == 'start'",
                                "optionalOldSelf": True,
                                "message": "begins with start",
                            }
                        ],
                    },
                },
            },
            "status": {
                "type": "object",
                "properties": {
                    "phase": {
                        "type": "string",
                        "x-kubernetes-validations": [
                            {"rule": "!(oldSelf == 'Done' && self != 'Done')", "message": "done is done"}
                        ],
                    }
                },
            },
        },
    },
    subresources={"status": {}},
)
TURNS = objects("Turn")


def _bad_rule(say: str, schema: Any, **rule: Any) -> Step:
    crd = definition(
        "Broken", {"type": "object", "properties": {"spec": {**schema, "x-kubernetes-validations": [rule]}}}
    )
    return post(f"{CRDS}?dryRun=All", crd, say)


_OBJECT = {"type": "object", "properties": {"a": INTEGER, "s": STRING, "l": INTEGERS}}

GROUPS: dict[str, list[Step]] = {
    "rules": [
        *need(RULED),
        *(
            post(
                f"{RULEDS}?dryRun=All", custom("Ruled", "r", {name: value}), f"{name} {value!r}", pick=[f"spec.{name}"]
            )
            for name, values in _VALUES.items()
            for value in values
        ),
        post(f"{RULEDS}?dryRun=All", custom("Ruled", "x", {}), "rule at the root"),
        post(f"{RULEDS}?dryRun=All", custom("Ruled", "x", {"silent": 9, "forbidden": 9}), "several rules"),
        post(f"{RULEDS}?dryRun=All", custom("Ruled", "x", {"silent": "x", "forbidden": 9}), "rules and a wrong type"),
        *drop(RULED),
    ],
    "transitions": [
        *need(TURN),
        post(TURNS, custom("Turn", "t", {"first": "no"}), "optional old value on create"),
        post(
            TURNS,
            custom(
                "Turn",
                "t",
                {
                    "fixed": "a",
                    "once": "x",
                    "up": 1,
                    "map": {"a": 1},
                    "keyed": [{"k": "a", "v": 1}, {"k": "b", "v": 2}],
                    "first": "start",
                },
            ),
            "create",
        ),
        patch(f"{TURNS}/t", {"spec": {"fixed": "b"}}, "immutable"),
        patch(f"{TURNS}/t", {"spec": {"once": None}}, "set once"),
        patch(f"{TURNS}/t", {"spec": {"up": 0}}, "only up"),
        patch(f"{TURNS}/t", {"spec": {"map": {"a": 0, "b": 0}}}, "map value by key"),
        patch(f"{TURNS}/t", {"spec": {"keyed": [{"k": "b", "v": 3}, {"k": "a", "v": 0}]}}, "keyed item by key"),
        patch(
            f"{TURNS}/t",
            {"spec": {"keyed": [{"k": "c", "v": 0}], "first": "later", "map": {"a": None}, "fixed": None}},
            "what is new or gone does not correlate",
        ),
        patch(f"{TURNS}/t/status", {"status": {"phase": "Done"}}, "status"),
        patch(f"{TURNS}/t/status", {"status": {"phase": "Again"}}, "status refused"),
        patch(f"{TURNS}/t", {"spec": {"fixed": "c"}}, "fixed again is new"),
        *drop(TURN),
    ],
    "bad rules": [
        _bad_rule("unknown field", _OBJECT, rule="self.b == 1"),
        _bad_rule("syntax", _OBJECT, rule="self.a =="),
        _bad_rule("type mismatch", _OBJECT, rule="self.a == 'x'"),
        _bad_rule("not a boolean", _OBJECT, rule="self.a"),
        _bad_rule("unknown function", _OBJECT, rule="self.s.shout() == 'X'"),
        _bad_rule("unknown variable", _OBJECT, rule="other.a == 1"),
        _bad_rule("empty rule", _OBJECT, rule=""),
        _bad_rule("blank message", _OBJECT, rule="self.a == 1", message="  "),
        _bad_rule("message of two lines", _OBJECT, rule="self.a == 1", message="a\nb"),
        _bad_rule("two lines without message", _OBJECT, rule="self.a\n == 1"),
        _bad_rule("unknown reason", _OBJECT, rule="self.a == 1", reason="Whatever"),
        _bad_rule("bad fieldPath", _OBJECT, rule="self.a == 1", fieldPath=".zz"),
        _bad_rule("fieldPath without dot", _OBJECT, rule="self.a == 1", fieldPath="a"),
        _bad_rule("messageExpression is no string", _OBJECT, rule="self.a == 1", messageExpression="self.a"),
        _bad_rule("messageExpression does not compile", _OBJECT, rule="self.a == 1", messageExpression="self.zz"),
        _bad_rule("optionalOldSelf without oldSelf", _OBJECT, rule="self.a == 1", optionalOldSelf=True),
        _bad_rule("Koreo's functions are not there", _OBJECT, rule="self.s.strip() == 'x'"),
        _bad_rule(
            "oldSelf in an atomic list",
            {
                "type": "array",
                "maxItems": 3,
                "items": {"type": "string", "maxLength": 4, "x-kubernetes-validations": [{"rule": "self == oldSelf"}]},
            },
            rule="true",
        ),
    ],
}
