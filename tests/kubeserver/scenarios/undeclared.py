"""Custom objects whose schema says little: members that nothing declares, values of other types than are declared."""

from tests.kubeserver.scenarios.asking import Step
from tests.kubeserver.scenarios.steps import (
    APPLY,
    INTEGER,
    STRING,
    custom,
    definition,
    drop,
    need,
    objects,
    patch,
    post,
)

OPEN = {"x-kubernetes-preserve-unknown-fields": True}
ONE = {"type": "object", "properties": {"n": INTEGER}}
LOOSE = definition(
    "Loose",
    {
        "type": "object",
        "properties": {
            "spec": {
                "type": "object",
                "properties": {
                    "any": {"type": "object", "additionalProperties": True},
                    "anyOpen": {"type": "object", "additionalProperties": True, **OPEN},
                    "half": {
                        "type": "object",
                        "properties": {
                            "known": ONE,
                            "list": {"type": "array", "items": ONE},
                            "map": {"type": "object", "additionalProperties": ONE},
                        },
                        **OPEN,
                    },
                    "choice": {"type": "string", "enum": ["a"]},
                    "time": {"type": "string", "format": "date-time"},
                    "unknownFormat": {"type": "string", "format": "odd"},
                    "set": {"type": "array", "items": INTEGER, "x-kubernetes-list-type": "set"},
                    "one": {"type": "integer", "allOf": [{"minimum": 2}]},
                    "two": {"type": "integer", "allOf": [{"minimum": 2}, {"minimum": 5}]},
                    "rule": {**INTEGER, "x-kubernetes-validations": [{"rule": "self < 3", "message": " in spaces\t"}]},
                    "keys": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "properties": {"b": STRING, "a": STRING},
                            "required": ["a", "b"],
                        },
                        "x-kubernetes-list-type": "map",
                        "x-kubernetes-list-map-keys": ["b", "a"],
                    },
                },
            }
        },
    },
)
LOOSES = objects("Loose")
_NO_TEXTS: tuple[object, ...] = (True, [], 1)
_NESTED = {"a": 1, "b": {"c": 1}, "l": [{"a": 1}, [{"b": 1}]], "n": None}


def _made(say: str, **spec: object) -> Step:
    return post(f"{LOOSES}?dryRun=All", custom("Loose", "l", spec), say)


def _applied(say: str, **spec: object) -> Step:
    path = f"{LOOSES}/l?dryRun=All&fieldManager=m"
    return patch(path, custom("Loose", "l", spec), say, headers=APPLY, managed=True)


GROUPS: dict[str, list[Step]] = {
    "undeclared": [
        *need(LOOSE),
        _made("below additionalProperties true", any=_NESTED),
        _made("and where unknown fields are preserved besides", anyOpen=_NESTED),
        _applied("apply below additionalProperties true", any=_NESTED),
        _applied("apply below what preserves, an object", half={"known": {"u": 1}, "new": {"a": {"b": 1}}}),
        _applied("an item", half={"list": [{"u": 1}]}),
        _applied("a value of a map", half={"map": {"k": {"u": 1}}}),
        _applied("of a wrong type", half={"known": {"n": "x"}}),
        _made("an object for one of some texts", choice={"x": 1}),
        _made("a list for one of some texts", choice=[{"x": 1}]),
        *(_made(f"{value!r} for a time", time=value) for value in ({"x": 1}, [{"x": 1}], 1, 1.5, True)),
        *(_made(f"{other!r} for an unknown format", unknownFormat=other) for other in _NO_TEXTS),
        _made("a value three times in a set", set=[1, 1, 1, 2, 2]),
        _made("keys twice", keys=[{"b": "x", "a": "y"}, {"a": "y", "b": "x"}, {"a": "y", "b": "x"}]),
        _made("not the only one of allOf", one=1),
        _made("none of allOf", two=1),
        _made("one of allOf", two=3),
        _made("a message in spaces", rule=4),
        *drop(LOOSE),
    ],
}
