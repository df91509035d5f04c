"""Custom objects against their schema: types, bounds, formats, defaults, pruning, embedded objects."""

from typing import Any

from tests.kubeserver.scenarios.asking import Step
from tests.kubeserver.scenarios.steps import (
    INTEGER,
    STRING,
    custom,
    definition,
    delete,
    drop,
    get,
    need,
    objects,
    patch,
    post,
    put,
)

_FORMATS = [
    "date-time",
    "date",
    "duration",
    "ipv4",
    "ipv6",
    "cidr",
    "mac",
    "uuid",
    "uuid4",
    "byte",
    "email",
    "hostname",
    "uri",
    "password",
    "hexcolor",
    "int32",
]

SHAPE = definition(
    "Shape",
    {
        "type": "object",
        "required": ["spec"],
        "properties": {
            "spec": {
                "type": "object",
                "properties": {
                    "text": {"type": "string", "minLength": 2, "maxLength": 4, "pattern": "^[a-z]+$"},
                    "number": {"type": "number", "minimum": 0.5, "maximum": 2.5, "multipleOf": 0.5},
                    "open": {
                        "type": "integer",
                        "minimum": 0,
                        "maximum": 10,
                        "exclusiveMinimum": True,
                        "exclusiveMaximum": True,
                    },
                    "flag": {"type": "boolean"},
                    "list": {"type": "array", "minItems": 1, "maxItems": 2, "items": INTEGER},
                    "one": {"type": "array", "maxItems": 1, "items": STRING},
                    "map": {"type": "object", "minProperties": 1, "maxProperties": 2, "additionalProperties": INTEGER},
                    "level": {"type": "integer", "enum": [1, 2, 3]},
                    "color": {"type": "string", "enum": ["red", "green"], "nullable": True},
                    "port": {"x-kubernetes-int-or-string": True},
                    "percent": {
                        "x-kubernetes-int-or-string": True,
                        "anyOf": [{"type": "integer"}, {"type": "string"}],
                        "pattern": "^[0-9]+%$",
                        "maximum": 100,
                    },
                    "quantity": {
                        "x-kubernetes-int-or-string": True,
                        "anyOf": [{"type": "integer"}, {"type": "string"}],
                        "pattern": "^[0-9]+(m|Mi|Gi)?$",
                    },
                    "nul": {"type": "object", "nullable": True, "properties": {"x": INTEGER}},
                    "deep": {
                        "type": "object",
                        "properties": {
                            "a": {
                                "type": "object",
                                "required": ["b"],
                                "properties": {
                                    "b": {"type": "array", "items": {"type": "object", "properties": {"c": INTEGER}}}
                                },
                            }
                        },
                    },
                    "either": {
                        "type": "object",
                        "properties": {"a": STRING, "b": STRING},
                        "oneOf": [{"required": ["a"]}, {"required": ["b"]}],
                    },
                    "some": {
                        "type": "object",
                        "properties": {"a": STRING, "b": STRING},
                        "anyOf": [{"required": ["a"]}, {"required": ["b"]}],
                    },
                    "every": {"type": "integer", "allOf": [{"minimum": 2}, {"maximum": 4}]},
                    "never": {"type": "string", "not": {"enum": ["bad"]}},
                    "keyed": {
                        "type": "array",
                        "x-kubernetes-list-type": "map",
                        "x-kubernetes-list-map-keys": ["name", "protocol"],
                        "items": {
                            "type": "object",
                            "required": ["name"],
                            "properties": {
                                "name": STRING,
                                "protocol": {"type": "string", "default": "TCP"},
                                "value": INTEGER,
                            },
                        },
                    },
                    "set": {"type": "array", "x-kubernetes-list-type": "set", "items": INTEGER},
                    "template": {
                        "type": "object",
                        "x-kubernetes-embedded-resource": True,
                        "properties": {"spec": {"type": "object", "properties": {"n": INTEGER}}},
                    },
                    "any": {"x-kubernetes-preserve-unknown-fields": True},
                    "half": {
                        "type": "object",
                        "x-kubernetes-preserve-unknown-fields": True,
                        "properties": {"known": {"type": "object", "properties": {"n": INTEGER}}},
                    },
                    "maps": {
                        "type": "object",
                        "additionalProperties": {
                            "type": "object",
                            "properties": {"n": {"type": "integer", "default": 4}, "m": STRING},
                        },
                    },
                    "formats": {
                        "type": "object",
                        "properties": {
                            name.replace("-", "_"): {"type": "integer" if name == "int32" else "string", "format": name}
                            for name in _FORMATS
                        },
                    },
                    "defaults": {
                        "type": "object",
                        "default": {"list": [1], "inner": {}},
                        "properties": {
                            "list": {"type": "array", "items": INTEGER},
                            "inner": {
                                "type": "object",
                                "properties": {
                                    "x": {"type": "integer", "default": 1},
                                    "y": {"type": "string", "default": "z"},
                                },
                            },
                            "nullable": {"type": "string", "nullable": True, "default": "d"},
                            "plain": {"type": "string", "default": "d"},
                        },
                    },
                },
            }
        },
    },
)
SHAPES = objects("Shape")


def _try(name: str, spec: Any, say: str, **more: Any) -> Step:
    return post(f"{SHAPES}?dryRun=All", custom("Shape", name, spec), say, **more)


def _refused() -> list[Step]:
    bad: list[tuple[str, Any]] = [
        ("short text", {"text": "a"}),
        ("long text", {"text": "abcde"}),
        ("text of another pattern", {"text": "AB"}),
        ("text that is a number", {"text": 3}),
        ("text that is a list", {"text": ["a"]}),
        ("text that is an object", {"text": {}}),
        ("text that is true", {"text": True}),
        ("number too small", {"number": 0.25}),
        ("number too large", {"number": 3}),
        ("number no multiple", {"number": 0.7}),
        ("number that is text", {"number": "1"}),
        ("open at the low end", {"open": 0}),
        ("open at the high end", {"open": 10}),
        ("integer that is a float", {"open": 1.5}),
        ("integer that is huge", {"open": 10**15}),
        ("flag that is text", {"flag": "true"}),
        ("flag that is a number", {"flag": 1}),
        ("empty list", {"list": []}),
        ("long list", {"list": [1, 2, 3]}),
        ("list of other type", {"list": ["a", 1]}),
        ("list that is an object", {"list": {}}),
        ("two where one may be", {"one": ["a", "b"]}),
        ("list with null", {"list": [1, None]}),
        ("empty map", {"map": {}}),
        ("large map", {"map": {"a": 1, "b": 2, "c": 3}}),
        ("map of another type", {"map": {"a": "x"}}),
        ("map that is a list", {"map": []}),
        ("enum of integers", {"level": 4}),
        ("enum of integers given text", {"level": "1"}),
        ("enum that is nullable", {"color": "blue"}),
        ("int-or-string that is a float", {"port": 1.5}),
        ("int-or-string that is a list", {"port": []}),
        ("int-or-string that is an object", {"port": {"a": 1}}),
        ("percent by pattern", {"percent": "12"}),
        ("percent by maximum", {"percent": 101}),
        ("percent that is true", {"percent": True}),
        ("quantity", {"quantity": "1Ti"}),
        ("required below", {"deep": {"a": {}}}),
        ("type deep below", {"deep": {"a": {"b": [{"c": 1}, {"c": "x"}]}}}),
        ("item that is no object", {"deep": {"a": {"b": [1]}}}),
        ("oneOf with none", {"either": {}}),
        ("oneOf with two", {"either": {"a": "1", "b": "2"}}),
        ("anyOf with none", {"some": {}}),
        ("allOf low", {"every": 1}),
        ("allOf high", {"every": 5}),
        ("not", {"never": "bad"}),
        ("keyed twice by a defaulted key", {"keyed": [{"name": "a"}, {"name": "a", "protocol": "TCP"}]}),
        ("keyed twice", {"keyed": [{"name": "a", "protocol": "UDP"}, {"name": "b"}, {"name": "a", "protocol": "UDP"}]}),
        ("keyed without key", {"keyed": [{"value": 1}]}),
        ("keyed null item", {"keyed": [None]}),
        ("set of integers twice", {"set": [1, 2, 1, 2]}),
        ("template without kind", {"template": {"apiVersion": "v1"}}),
        ("template empty", {"template": {}}),
        ("template with bad apiVersion", {"template": {"apiVersion": "a/b/c", "kind": "X", "metadata": {"name": "n"}}}),
        ("template with numeric kind", {"template": {"apiVersion": "v1", "kind": 1}}),
        (
            "template with bad metadata",
            {"template": {"apiVersion": "v1", "kind": "X", "metadata": {"labels": {"a": 1}}}},
        ),
        (
            "template with bad label",
            {"template": {"apiVersion": "v1", "kind": "X", "metadata": {"name": "n", "labels": {"a b": "1"}}}},
        ),
        ("template with bad name", {"template": {"apiVersion": "v1", "kind": "X", "metadata": {"name": "A_B"}}}),
        ("template with metadata that is text", {"template": {"apiVersion": "v1", "kind": "X", "metadata": "m"}}),
        ("map of objects with a wrong type", {"maps": {"k": {"n": "x"}}}),
        ("many at once", {"text": "A", "level": 9, "list": [], "flag": "x", "deep": {"a": {}}}),
        ("enum and required", {"color": "blue", "deep": {"a": {}}}),
    ]
    return [_try("bad", spec, say) for say, spec in bad]


def _formats() -> list[Step]:
    values: dict[str, list[Any]] = {
        "date_time": [
            "2026-01-01T00:00:00Z",
            "2026-01-01T00:00:00+01:00",
            "2026-01-01",
            "2026-13-01T00:00:00Z",
            "2026-01-01t00:00:00z",
            "2026-01-01 00:00:00Z",
            "",
        ],
        "date": ["2026-01-01", "2026-02-30", "01-01-2026", ""],
        "duration": ["1h", "1h30m", "90", "1d", "2w", "P1D", "", "1.5h", "-1h", "1 h", "3 days"],
        "ipv4": ["127.0.0.1", "256.0.0.1", "::1", "010.0.0.1"],
        "ipv6": ["::1", "127.0.0.1", "fe80::1%eth0", "::ffff:1.2.3.4"],
        "cidr": ["10.0.0.0/8", "10.0.0.1/8", "10.0.0.0", "::/0", "10.0.0.0/33"],
        "mac": ["00:00:5e:00:53:01", "00-00-5e-00-53-01", "0000.5e00.5301", "zz", "02:00:5e:10:00:00:00:01"],
        "uuid": [
            "11111111-1111-1111-1111-111111111111",
            "x",
            "11111111111111111111111111111111",
            "{11111111-1111-1111-1111-111111111111}",
        ],
        "uuid4": ["11111111-1111-4111-8111-111111111111", "11111111-1111-1111-1111-111111111111"],
        "byte": ["YQ==", "YQ", "*", ""],
        "email": ["a@b.c", "a", "a@b", "A <a@b.c>", "a b@c.d"],
        "hostname": ["a.b", "a_b", "-a", "a..b", "x" * 64, "1.2.3.4", "a.b."],
        "uri": ["http://a/b", "a", "/a", "urn:x:y", "http://a b", "", "//h/p"],
        "password": ["x"],
        "hexcolor": ["#fff", "fff", "#ggg", "#ffff"],
        "int32": [2**31, -5, 1.0],
    }
    return [
        _try("f", {"formats": {name: value}}, f"{name} {value!r}", pick=["spec.formats"])
        for name, found in values.items()
        for value in found
    ]


def _accepted() -> list[Step]:
    good: list[tuple[str, Any]] = [
        ("nothing: defaults of defaults", {}),
        ("default object given empty", {"defaults": {}}),
        ("default below given", {"defaults": {"inner": {"x": 5}}}),
        ("null for a default", {"defaults": {"plain": None, "nullable": None, "inner": None}}),
        ("null for a default object", {"defaults": None}),
        ("null where nullable", {"nul": None, "color": None}),
        ("null where not", {"text": None, "list": None, "map": None}),
        ("null in a map", {"map": {"a": None, "b": 1}}),
        ("map items get defaults and are pruned", {"maps": {"k": {"z": 1}, "l": {"m": "x"}}}),
        ("map item null", {"maps": {"k": None}}),
        ("list items get defaults", {"keyed": [{"name": "a", "zz": 1}]}),
        ("unknown below preserved", {"half": {"other": {"a": 1}, "known": {"n": 1, "x": 2}}}),
        ("anything", {"any": [1, {"a": None}, "x"]}),
        ("anything null", {"any": None}),
        (
            "template pruned",
            {
                "template": {
                    "apiVersion": "v1",
                    "kind": "X",
                    "metadata": {"name": "n", "zz": 1, "labels": {"a": "b"}, "creationTimestamp": None},
                    "spec": {"n": 1, "o": 2},
                    "data": {},
                }
            },
        ),
        ("integral float", {"open": 5.0, "number": 1.0}),
        ("int-or-string", {"port": 80, "percent": "50%", "quantity": "5Mi"}),
        ("code points", {"text": "abcd"}),
    ]
    return [_try("good", spec, say) for say, spec in good]


GROUPS: dict[str, list[Step]] = {
    "schema": [
        *need(SHAPE),
        *_refused(),
        *_accepted(),
        post(SHAPES, custom("Shape", "none"), "spec missing"),
        post(SHAPES, {**custom("Shape", "none"), "spec": None}, "spec null"),
        post(SHAPES, {**custom("Shape", "none"), "spec": "text"}, "spec is text"),
        post(SHAPES, {**custom("Shape", "none"), "spec": []}, "spec is a list"),
        *drop(SHAPE),
    ],
    "formats": [*need(SHAPE), *_formats(), *drop(SHAPE)],
    "strict fields": [
        *need(SHAPE),
        *(
            step
            for mode in ("Strict", "Warn", "Ignore", "")
            for step in (
                post(
                    f"{SHAPES}?dryRun=All&fieldValidation={mode}",
                    custom(
                        "Shape",
                        "s",
                        {"zz": 1, "deep": {"a": {"b": [{"c": 1, "d": 2}]}, "y": 1}, "maps": {"k": {"q": 1}}},
                        other=1,
                    ),
                    f"{mode}: create",
                ),
                post(
                    f"{SHAPES}?dryRun=All&fieldValidation={mode}",
                    custom("Shape", "s", {}, meta={"bogus": 1, "labels": {"a": "b"}}),
                    f"{mode}: unknown in metadata",
                ),
                post(
                    f"{SHAPES}?dryRun=All&fieldValidation={mode}",
                    custom(
                        "Shape",
                        "s",
                        {"template": {"apiVersion": "v1", "kind": "X", "metadata": {"name": "n", "zz": 1}, "data": {}}},
                    ),
                    f"{mode}: unknown in a template",
                ),
                post(
                    f"{SHAPES}?dryRun=All&fieldValidation={mode}",
                    '{"apiVersion":"same.example.dev/v1","kind":"Shape","metadata":{"name":"s","name":"s"},"spec":{"text":"ab","text":"cd","zz":1}}',
                    f"{mode}: twice",
                ),
            )
        ),
        post(f"{SHAPES}?fieldValidation=Maybe", custom("Shape", "s", {}), "unknown mode"),
        post(SHAPES, custom("Shape", "s", {"text": "ab"}), "one to change", only="code"),
        *(
            step
            for mode in ("Strict", "Warn", "Ignore")
            for step in (
                patch(f"{SHAPES}/s?fieldValidation={mode}", {"spec": {"zz": 1}}, f"{mode}: merge patch"),
                patch(
                    f"{SHAPES}/s?fieldValidation={mode}",
                    '{"spec":{"text":"ab","text":"cd"}}',
                    f"{mode}: merge patch twice",
                ),
                patch(
                    f"{SHAPES}/s?fieldValidation={mode}",
                    [{"op": "add", "path": "/spec/zz", "value": 1}],
                    f"{mode}: json patch",
                    {"Content-Type": "application/json-patch+json"},
                ),
                patch(
                    f"{SHAPES}/s?fieldValidation={mode}&fieldManager=m",
                    custom("Shape", "s", {"zz": 1}),
                    f"{mode}: apply",
                    {"Content-Type": "application/apply-patch+yaml"},
                ),
            )
        ),
        get(f"{SHAPES}/s", "after all that"),
        put(f"{SHAPES}/s?fieldValidation=Strict", custom("Shape", "s", {"zz": 1}), "strict update without version"),
        delete(f"{SHAPES}/s", only="code"),
        *drop(SHAPE),
    ],
}
