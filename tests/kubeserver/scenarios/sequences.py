"""Writes that differed when random sequences were asked of both servers: orders of checks, owners, scales, texts."""

from typing import Any

from tests.kubeserver.scenarios.asking import Step
from tests.kubeserver.scenarios.steps import (
    APPLY,
    CMS,
    INTEGER,
    JSON,
    MERGE,
    NS,
    STRATEGIC,
    STRING,
    config_map,
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
    text,
)

_KEYED = {
    "type": "array",
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["k"],
    "items": {"type": "object", "required": ["k"], "properties": {"k": STRING, "v": INTEGER}},
}
DEED = definition(
    "Deed",
    {
        "type": "object",
        "properties": {
            "spec": {
                "type": "object",
                "properties": {
                    "n": {"type": "integer", "maximum": 100},
                    "s": STRING,
                    "b": {"type": "boolean"},
                    "o": {"type": "object", "properties": {"a": INTEGER}},
                    "dflt": {"type": "object", "default": {}, "properties": {"x": {"type": "string", "default": "y"}}},
                    "list": {"type": "array", "items": {"type": "object", "properties": {"a": INTEGER}}},
                    "set": {"type": "array", "x-kubernetes-list-type": "set", "items": STRING},
                    "keyed": _KEYED,
                    "maps": {
                        "type": "object",
                        "additionalProperties": {"type": "object", "properties": {"a": INTEGER}},
                    },
                    "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                    "date": {"type": "string", "format": "date-time"},
                },
                "x-kubernetes-validations": [{"rule": "!has(self.s) || self.s != 'bad'"}],
            },
            "status": {"type": "object", "properties": {"x": INTEGER, "s": STRING}},
        },
    },
    subresources={"status": {}, "scale": {"specReplicasPath": ".spec.n", "statusReplicasPath": ".status.x"}},
)
DEEDS = objects("Deed")
ONE, NONE = f"{DEEDS}/d", f"{DEEDS}/none"
UID = "11111111-1111-1111-1111-111111111111"
_OWNER = {"apiVersion": "none.example/v1", "kind": "Unknown", "name": "o", "uid": UID}


def _deed(spec: Any = None, **meta: Any) -> Any:
    return custom("Deed", "d", spec, meta=meta)


def _merge(body: Any, path: str = ONE, **more: Any) -> Step:
    return patch(path, body, text(body)[:60], MERGE, managed=True, **more)


def _apply(body: Any, manager: str = "one", path: str = ONE, query: str = "") -> Step:
    return patch(f"{path}?fieldManager={manager}{query}", body, text(body)[:90], APPLY, managed=True)


def _wants(spec: Any) -> Step:
    return _apply(_deed(spec), "one", ONE, "&force=true")


def _scale(body: Any, headers: Any = MERGE, query: str = "") -> Step:
    return patch(f"{ONE}/scale{query}", body, text(body)[:60], headers)


def _raw(method: str, media: str, body: str, path: str = f"{CMS}/c", query: str = "") -> Step:
    step = {"method": method, "path": path + query, "body": body, "headers": {"Content-Type": media}}
    return {**step, "say": f"{media} {body[:50]!r}"}


def _yaml(more: str) -> Step:
    body = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c, namespace: {NS}}}\n{more}\n"
    return {**_raw("PUT", "application/yaml", body, query="?dryRun=All"), "say": more}


_MADE = [*need(DEED), post(DEEDS, _deed({}), "one to change", only="code")]
_LET_GO = {"metadata": {"finalizers": None}}
_ENDS = [patch(ONE, _LET_GO, only="code"), delete(ONE, only="code"), *drop(DEED)]
_HEAD = {"apiVersion": "same.example.dev/v1", "kind": "Deed"}
_CM = text(config_map("c", {"a": "1"}))

GROUPS: dict[str, list[Step]] = {
    "orders of checks": [
        *_MADE,
        patch(f"{NONE}?fieldValidation=x&dryRun=x&force=true", "{", "options first", APPLY),
        patch(f"{ONE}?dryRun=All&dryRun=x", {}, "two dry runs"),
        put(f"{ONE}?dryRun=", {}, "an empty dry run"),
        delete(f"{ONE}?dryRun=", "deletion's empty dry run"),
        patch(NONE, "{", "a patch of nothing is not read"),
        put(NONE, "{", "an update of nothing is"),
        put(f"{NONE}?fieldValidation=Warn", custom("Deed", "none", {"zz": 1}), "and warned of"),
        put(ONE, _deed({}, namespace="x"), "namespace before version"),
        put(ONE, {**_HEAD, "metadata": {}}, "no name"),
        put(f"{ONE}?fieldValidation=Strict", _deed({"zz": 1}), "strictness before version"),
        put(ONE, _deed({}, creationTimestamp="nope"), "times before version"),
        put(ONE, _deed({}), "no version"),
        _merge({"metadata": {"resourceVersion": ""}}),
        _merge({"metadata": {"name": None}}),
        _merge({"metadata": None}),
        _merge({"metadata": {"deletionGracePeriodSeconds": 5}}),
        _merge({"kind": "X", "metadata": {"resourceVersion": "1"}}),
        _merge({"apiVersion": "v1", "kind": "X"}),
        _merge({"apiVersion": "a/b/c"}),
        _merge({"apiVersion": None}),
        post(DEEDS, {**_HEAD, "metadata": {"labels": {"a": "b"}}}, "no name stops rules"),
        post(DEEDS, custom("Deed", "v", {"n": 101}, meta={"resourceVersion": "5"}), "validity before version"),
        *_ENDS,
    ],
    "owners of what was sent": [
        *_MADE,
        _apply(_deed(None, labels={"a": "b"}, finalizers=["x.y/z"])),
        patch(f"{ONE}/status?fieldManager=st", {"status": {"x": 1}, "metadata": {"labels": {"a": "c"}}}, managed=True),
        _merge({"metadata": {"finalizers": ["x.y/z", "x.y/z"]}}, f"{ONE}/status?fieldManager=st"),
        _apply({**_HEAD, "metadata": {}}),
        _merge({"metadata": {"ownerReferences": [_OWNER, _OWNER, {**_OWNER, "name": "p"}]}}),
        _merge({"metadata": {"generateName": "d-"}}),
        _apply({**_HEAD, "spec": {"free": {"a": 1}}}, "two"),
        _merge({"spec": {"free": {"a": {"b": []}}}}),
        _merge({"spec": {"free": {"a": 7}}}),
        _apply({**_HEAD, "spec": {"free": {"a": 8}}}, "two", query="&force"),
        _merge({"spec": {"maps": {}}}),
        _apply(_deed({"maps": {"k": {"a": 1}}}), "three"),
        _apply(_deed(), "three"),
        _merge({"status": {"x": "no number"}}),
        _apply(custom("Deed", "none", meta={"uid": UID}), path=NONE),
        _apply({**_HEAD, "metadata": {}}, path=NONE),
        _apply(_deed(None, managedFields=[])),
        _apply(_deed(None, creationTimestamp=5)),
        patch(f"{ONE}?fieldManager=one", '{"apiVersion":"same.example.dev/v1","kind":"Deed","kind":"Deed"}', "", APPLY),
        *_ENDS,
    ],
    "misfits": [
        *_MADE,
        _wants({"n": "x"}),
        _wants({"n": {}}),
        _wants({"b": "x"}),
        _wants({"s": [{"a": 1}]}),
        _wants({"o": 1}),
        _wants({"list": [0]}),
        _wants({"list": [{"a": "x"}]}),
        _wants({"set": [None]}),
        _wants({"set": [{}]}),
        _wants({"set": [[]]}),
        _wants({"set": [1]}),
        _wants({"keyed": [{}]}),
        _wants({"keyed": [None]}),
        _wants({"keyed": [{"k": "a"}, {"k": "a"}]}),
        _wants({"keyed": [{"k": 5}]}),
        _wants({"date": 5}),
        _merge({"spec": {"keyed": [False]}}),
        _merge({"spec": {"s": {"zz": 1}}}),
        _merge({"spec": {"n": 1.5}}),
        _merge({"status": {"x": "y"}}, f"{ONE}/status"),
        *_ENDS,
    ],
    "scales": [
        *_MADE,
        get(f"{ONE}/scale", "of no number"),
        _scale({}),
        put(f"{ONE}/scale", {"metadata": {"name": "d"}, "spec": {"replicas": 2}}, "put"),
        get(ONE, "owned by nobody", managed=True),
        put(f"{ONE}/scale", {"metadata": {"name": "d", "uid": UID}, "spec": {"replicas": 2}}, "another uid"),
        put(f"{ONE}/scale", {"metadata": {"name": "d", "namespace": "x"}}, "another namespace"),
        put(f"{ONE}/scale", {}, "no name"),
        put(f"{ONE}/scale", {"apiVersion": "autoscaling/v1", "kind": "Scale", "spec": {"replicas": "2"}}, "a text"),
        _scale({"spec": {"replicas": -1}}),
        _scale({"spec": {"replicas": 101}}),
        _scale({"spec": {"zz": 1}}),
        _scale({"spec": {"zz": 1}}, query="?fieldValidation=Strict"),
        _scale([{"op": "remove", "path": ""}], JSON),
        _scale({"spec": {"replicas": None}}),
        _scale({"apiVersion": "v1", "kind": "Scale"}, APPLY, "?fieldManager=a"),
        _merge({"spec": {"n": 3}}),
        _scale({"spec": {"replicas": 4}}, query="?fieldManager=s"),
        get(ONE, "owned by who scaled", managed=True),
        _merge({"spec": {"n": 2147483648}}),
        *_ENDS,
    ],
    "texts": [
        post(CMS, config_map("c", {"a": "1"}), "one to change", only="code"),
        *(
            _raw("PATCH", "application/merge-patch+json", body)
            for body in ('{"a"= 1}', "{'a': 1}", "[1 2]", "nul", "1.")
        ),
        *(
            _raw("PATCH", "application/merge-patch+json", body)
            for body in ('"\\x"', "[1]x", '{"data":{"b":"\\ud800"}}')
        ),
        _raw("PATCH", "application/merge-patch+json", "a: b", query="?fieldValidation=Ignore"),
        *(
            _raw("PATCH", "application/json-patch+json", body)
            for body in ("[null]", "[1]", '[{"op":1}]', '[{"op":null}]')
        ),
        _raw("PATCH", "application/json-patch+json", '[{"op":"test","path":"/kind","value":"ConfigMap","zz":1}]'),
        _raw("PATCH", "application/json-patch+json", '[{"op":"remove","path":""}]'),
        *(_raw("PATCH", media, "{}") for media in ("", "application/json", "Application/Merge-Patch+Json")),
        *(_raw("PUT", media, _CM) for media in ("text/plain", "*/*", "text/yaml", "application/x-yaml")),
        *(_raw("PUT", media, _CM) for media in ("APPLICATION/JSON", "application/json; foo", "application/json; a=b")),
        _raw("DELETE", "text/plain", "{}"),
        _raw("DELETE", "application/json", "["),
        _raw("DELETE", "application/json", "null", f"{CMS}/none"),
        _raw("PUT", "application/yaml", f"{_CM}\n---\n{{", query="?dryRun=All"),
        _raw("PUT", "application/yaml", '{"kind":"ConfigMap","kind":"ConfigMap"}'),
        *map(
            _yaml,
            ("x: .inf", "null: 1", "data: {a: y}", "data: {a: 'y', n: 'x'}", "data: {a: !foo x}", "data: {a: 1:30}"),
        ),
        *map(_yaml, ("immutable: 1e3", "data: {a: 2026-01-01}", "data: {a: !!binary aGk=}", "kind: ConfigMap")),
        patch(f"{CMS}/c", _LET_GO, only="code"),
        delete(f"{CMS}/c", only="code"),
    ],
    "directives": [
        post(CMS, config_map("c", {"a": "1"}), "one to change", only="code"),
        patch(f"{CMS}/c", {"data": {"$patch": "merge", "a": "2"}}, "merge of a map", STRATEGIC),
        patch(f"{CMS}/c", {"$patch": "bogus"}, "bogus", STRATEGIC),
        patch(f"{CMS}/c", {"$deleteFromPrimitiveList/zz": []}, "from what is not there", STRATEGIC),
        patch(f"{CMS}/c", {"metadata": {"finalizers": ["x.y/z"], "$setElementOrder/finalizers": []}}, "", STRATEGIC),
        patch(
            f"{CMS}/c",
            {"metadata": {"finalizers": ["a.b/a", "a.b/b"], "$setElementOrder/finalizers": ["a.b/b", "a.b/a"]}},
            "in another order",
            STRATEGIC,
        ),
        patch(
            f"{CMS}/c?fieldManager=a", {"apiVersion": "v1", "kind": "ConfigMap", "binaryData": {"a": "?"}}, "", APPLY
        ),
        patch(f"{CMS}/c", _LET_GO, only="code"),
        delete(f"{CMS}/c", only="code"),
    ],
}
