"""What a schema says beyond types: of kinds and names, of texts in two ways, of nulls to rules; rules without types."""

from typing import Any

from tests.kubeserver.scenarios.asking import Step
from tests.kubeserver.scenarios.steps import (
    APPLY,
    CRDS,
    GROUP,
    INTEGER,
    STRING,
    custom,
    definition,
    drop,
    get,
    need,
    objects,
    patch,
    post,
    put,
    struct,
)

OPEN = {"x-kubernetes-preserve-unknown-fields": True}


def _ruled(schema: Any, rule: str = "true") -> Any:
    return {**schema, "x-kubernetes-validations": [{"rule": rule}]}


_INNER = {
    **struct(
        kind={**STRING, "enum": ["Pod"]},
        metadata=struct(
            name={**STRING, "maxLength": 3},
            labels={"type": "object", "additionalProperties": {**STRING, "enum": ["b"]}},
        ),
    ),
    "x-kubernetes-embedded-resource": True,
}
_KEYED = {
    "type": "array",
    "items": {**struct(a={**STRING, "maxLength": 1}), "required": ["a"]},
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["a"],
}
HEADED = definition(
    "Headed",
    struct(
        metadata=struct(name={**STRING, "maxLength": 3, "pattern": "^[a-z]+$"}),
        spec=struct(
            inner=_INNER,
            text={**STRING, "pattern": "^a", "format": "date", "maxLength": 12},
            port={"x-kubernetes-int-or-string": True, "pattern": "^a", "format": "ipv4"},
            number={"type": "number", "maximum": 5},
            nulls=_ruled(struct(a={**INTEGER, "nullable": True}, b=INTEGER), "!has(self.a)"),
            lists={"type": "object", "additionalProperties": _KEYED},
        ),
    ),
)
HEADEDS = objects("Headed")

OWNED = definition(
    "Owned",
    struct(spec={**struct(replicas=INTEGER, deep=struct(b=INTEGER), zeta=INTEGER), "nullable": True}),
    subresources={"scale": {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"}},
)
OWNEDS = objects("Owned")
_MANAGED: tuple[object, ...] = ([], {}, "x", [None], [{}], [1], [{}, None])
_SCALE = {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "n"}, "spec": {"replicas": 3}}


def _made(say: str, name: str = "h", **spec: Any) -> Step:
    return post(f"{HEADEDS}?dryRun=All", custom("Headed", name, spec), say)


def _inner(say: str, **head: Any) -> Step:
    return _made(say, inner={"apiVersion": "v1", "kind": "Pod", **head})


def _entries(version: str) -> Any:
    fields = {"fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {"f:zeta": {}}}}
    return {"managedFields": [{"manager": "m", "operation": "Update", "apiVersion": version, **fields}]}


def _of_versions(version: str) -> list[Step]:
    meta = {"metadata": _entries(version)}
    return [
        post(
            f"{OWNEDS}?dryRun=All", custom("Owned", "new", {}, meta=_entries(version)), f"{version}: new", managed=True
        ),
        patch(f"{OWNEDS}/o?dryRun=All", meta, f"{version}: entries alone", managed=True),
        patch(f"{OWNEDS}/o?dryRun=All", {**meta, "spec": {"zeta": 5}}, f"{version}: and a change", managed=True),
    ]


def _applied(managed: Any) -> Step:
    body = custom("Owned", "p", meta={"managedFields": managed})
    return patch(f"{OWNEDS}/p?dryRun=All&fieldManager=m", body, f"managedFields {managed}", headers=APPLY)


def _defined(say: str, schema: Any) -> Step:
    return post(f"{CRDS}?dryRun=All", definition("Ruled", struct(spec=schema)), say)


GROUPS: dict[str, list[Step]] = {
    "declared heads": [
        *need(HEADED),
        _made("a name that is too long", "long"),
        _made("a name of another form", "a1"),
        patch(f"{HEADEDS}/longer?fieldManager=m", custom("Headed", "longer"), "an applied name", headers=APPLY),
        post(HEADEDS, custom("Headed", "abc"), "a good name", only="code"),
        patch(f"{HEADEDS}/abc", {"metadata": {"labels": {"a": "b"}}}, "what is named well"),
        _inner("an inner name that is too long", metadata={"name": "long-name"}),
        _inner("an inner label of none that are allowed", metadata={"name": "a", "labels": {"a": "c"}}),
        _inner("an inner kind that is not allowed", kind="X"),
        _inner("a good inner object", metadata={"name": "a", "labels": {"a": "b"}, "annotations": {"c": "d"}}),
        _made("neither pattern nor format", text="x"),
        _made("pattern without format", text="abc"),
        _made("too long and no format", text="a234567890123"),
        _made("neither, of a number or text", port="x"),
        _made("a whole float over its bound", number=1000.0),
        _made("a null, which a rule finds absent", nulls={"a": None}),
        _made("a number it does not", nulls={"a": 1}),
        _made("doubles in a value of a map", lists={"k": [{"a": "x"}, {"a": "x"}]}),
        _made("doubles where not all are objects", lists={"k": [{"a": "x"}, 1, {"a": "x"}]}),
        _made("nulls where all should be objects", lists={"k": [None, {"a": "x"}, None]}),
        _made("more than one that is no object", lists={"k": [1, "x", {"a": "x"}]}),
        _made("one byte", lists={"k": [{"a": "xx"}]}),
        post(f"{HEADEDS}?dryRun=All", custom("Headed", "a", meta={"namespace": []}), "a list for the namespace"),
        *drop(HEADED),
    ],
    "declared managers": [
        *need(OWNED),
        post(OWNEDS, custom("Owned", "o", {"zeta": 1}), only="code"),
        *(step for version in ("v1", f"{GROUP}/v9", f"{GROUP}/v1", "a/b/c", "") for step in _of_versions(version)),
        *(_applied(managed) for managed in _MANAGED),
        post(OWNEDS, custom("Owned", "c", {"deep": {"b": 1}, "replicas": 1, "zeta": 1}), only="code"),
        patch(
            f"{OWNEDS}/c?fieldManager=m",
            custom("Owned", "c", {"deep": {"b": 2}, "replicas": 2, "zeta": 2}),
            "conflicts in order",
            headers=APPLY,
        ),
        post(OWNEDS, {**custom("Owned", "n"), "spec": None}, "nothing to scale", only="code"),
        get(f"{OWNEDS}/n/scale", "the scale of nothing"),
        put(f"{OWNEDS}/n/scale", _SCALE, "scale nothing"),
        *drop(OWNED),
    ],
    "undeclarable rules": [
        _defined("a rule of anything", _ruled(OPEN)),
        _defined("of items that are anything", _ruled({"type": "array", "maxItems": 2, "items": OPEN})),
        _defined("of values that are anything", _ruled({"type": "object", "additionalProperties": OPEN})),
        _defined("of an object with members that are anything", _ruled(struct(a=OPEN))),
        _defined("of an item that is anything", {"type": "array", "items": _ruled(OPEN)}),
    ],
}
