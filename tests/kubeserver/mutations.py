"""Requests that no client means: valid ones, with bytes, members, words and headers changed at random.

`Mutator(seed)` is deterministic: the same seed gives the same requests. Three kinds of change, each aimed at another
stage: of bytes (parsers), of members of the JSON tree (schemas, patches, ownership), of path and query (routing,
selectors, tokens).
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

import orjson

from tests.kubeserver.asking import (
    APPLY,
    CONFIGMAPS,
    CRDS,
    GIZMOS,
    JSON_PATCH,
    MERGE,
    STRATEGIC,
    TABLE,
    configmap,
    gizmo,
    gizmo_crd,
)
from tests.kubeserver.scenarios.asking import Step
from tests.kubeserver.scenarios.groups import GROUPS
from tests.kubeserver.scenarios.steps import NS

JSON = "application/json"
PROTOBUF = "application/vnd.kubernetes.protobuf"
YAML = "application/yaml"
_DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
_MEDIA = (JSON, YAML, PROTOBUF, MERGE, JSON_PATCH, STRATEGIC, APPLY, "", "text/plain", "application/json; charset=x")
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "get", "")


TOKEN = "a-token-of-the-server"
"""Stands for a continue token that the server asked gave out."""


@dataclass(frozen=True)
class Ask:
    """One request; `repr` of it is what reproduces a failure."""

    method: str
    target: str
    media: str = ""
    body: bytes = b""
    accept: str = ""


def _deployment(name: str) -> dict[str, Any]:
    pod = {"containers": [{"name": "a", "image": "i", "env": [{"name": "A", "value": "1"}], "ports": []}]}
    spec = {
        "replicas": 1,
        "selector": {"matchLabels": {"a": "b"}},
        "template": {"metadata": {"labels": {"a": "b"}}, "spec": pod},
    }
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


def _other_crd() -> dict[str, Any]:
    column = {"name": "C", "type": "string", "jsonPath": '.status.conditions[?(@.type=="Ready")].status'}
    rule = {"rule": "self.a > 0 && self.b.all(x, x != 'y')", "message": "no"}
    spec = {
        "type": "object",
        "properties": {"a": {"type": "integer"}, "b": {"type": "array", "items": {"type": "string"}}},
        "x-kubernetes-validations": [rule],
    }
    crd = gizmo_crd(spec, additionalPrinterColumns=[column], subresources={"status": {}})
    crd["metadata"]["name"] = "others.fuzz.example.org"
    crd["spec"] |= {"group": "fuzz.example.org", "names": {"plural": "others", "kind": "Other"}}
    return crd


def _bodies() -> list[Ask]:
    owned = gizmo(
        "x",
        {"a": 2, "items": ["q"]},
        labels={"l": "v"},
        finalizers=["a.example.org/b"],
        ownerReferences=[{"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "u"}],
    )
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {"verb": "get", "resource": "pods"}},
    }
    token = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 600}}
    operations = [{"op": "test", "path": "/spec/a", "value": 1}, {"op": "replace", "path": "/spec/a", "value": 2}]
    moves = [{"op": "move", "from": "/data/a", "path": "/data/b"}, {"op": "copy", "from": "/data", "path": "/x"}]
    options = {"propagationPolicy": "Foreground", "preconditions": {"uid": "u", "resourceVersion": "1"}}
    directive = {"spec": {"template": {"spec": {"containers": [{"$patch": "delete", "name": "a"}]}}}}
    order = {"spec": {"template": {"spec": {"$setElementOrder/containers": [{"name": "a"}], "containers": []}}}}
    paths = (".spec.items[0]", '.metadata.ownerReferences[?(@.kind=="ConfigMap")].name', ".metadata.labels.l")
    columns = [
        {
            "op": "add",
            "path": "/spec/versions/0/additionalPrinterColumns",
            "value": [
                {"name": path, "type": kind, "jsonPath": path}
                for path, kind in zip(paths, ("string", "date", "integer"), strict=True)
            ],
        }
    ]
    asks: list[tuple[str, str, str, Any]] = [
        ("POST", CONFIGMAPS, JSON, configmap("y", {"a": "1"}, labels={"a": "b"}, annotations={"c": "d"})),
        ("POST", f"{CONFIGMAPS}?dryRun=All&fieldValidation=Strict", JSON, configmap("z", {"a": "1"})),
        ("PUT", f"{CONFIGMAPS}/x", JSON, configmap("x", {"a": "2"})),
        ("PATCH", f"{CONFIGMAPS}/x", MERGE, {"data": {"a": "3"}, "metadata": {"labels": {"x": None}}}),
        ("PATCH", f"{CONFIGMAPS}/x", JSON_PATCH, moves),
        ("PATCH", f"{CONFIGMAPS}/x?fieldManager=m", APPLY, configmap("x", {"b": "1"})),
        ("POST", GIZMOS, JSON, gizmo("y", {"a": 1, "items": ["p", "q"]})),
        ("PUT", f"{GIZMOS}/x", JSON, owned),
        ("PUT", f"{GIZMOS}/x/status", JSON, {**owned, "status": {"phase": "Ready"}}),
        ("PATCH", f"{GIZMOS}/x", JSON_PATCH, operations),
        ("PATCH", f"{GIZMOS}/x?fieldManager=m&force=true", APPLY, owned),
        ("PATCH", f"{GIZMOS}/x/status?fieldManager=m", MERGE, {"status": {"conditions": [{"type": "Ready"}]}}),
        ("POST", _DEPLOYMENTS, JSON, _deployment("y")),
        ("PATCH", f"{_DEPLOYMENTS}/x", STRATEGIC, directive),
        ("PATCH", f"{_DEPLOYMENTS}/x", STRATEGIC, order),
        ("PATCH", f"{_DEPLOYMENTS}/x?fieldManager=m", APPLY, _deployment("x")),
        ("PATCH", f"{_DEPLOYMENTS}/x/scale", MERGE, {"spec": {"replicas": 3}}),
        ("PUT", f"{_DEPLOYMENTS}/x/scale", JSON, {"metadata": {"name": "x"}, "spec": {"replicas": 2}}),
        ("POST", CRDS, JSON, _other_crd()),
        ("PUT", f"{CRDS}/gizmos.test.example.org", JSON, gizmo_crd()),
        ("PATCH", f"{CRDS}/gizmos.test.example.org", JSON_PATCH, columns),
        ("PATCH", f"{CRDS}/others.fuzz.example.org?fieldManager=m&force=true", APPLY, _other_crd()),
        ("DELETE", f"{GIZMOS}/x", JSON, options),
        ("DELETE", f"{CONFIGMAPS}?labelSelector=a%3Db", JSON, options),
        ("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", JSON, review),
        ("POST", "/api/v1/namespaces/default/serviceaccounts/default/token", JSON, token),
        ("POST", "/api/v1/namespaces", JSON, {"metadata": {"name": "n"}}),
    ]
    return [Ask(method, target, media, orjson.dumps(body)) for method, target, media, body in asks]


def _protobuf() -> list[Ask]:
    meta = b"\x0a\x01y"
    configmap_raw = b"\x0a" + bytes([len(meta)]) + meta + b"\x12\x06\x0a\x01a\x12\x01b"
    kind = b"\x0a\x02v1\x12\x09ConfigMap"
    envelope = b"k8s\x00\x0a" + bytes([len(kind)]) + kind + b"\x12" + bytes([len(configmap_raw)]) + configmap_raw
    return [Ask("POST", CONFIGMAPS, PROTOBUF, envelope)]


def _reads() -> list[Ask]:
    queries = (
        "labelSelector=a%3Db,c%20in%20(d,e),!f,g!%3Dh,i%3E3",
        "fieldSelector=metadata.name%3Dx,metadata.namespace!%3Dy",
        f"limit=1&continue={TOKEN}",
        f"limit=2&labelSelector=!a&continue={TOKEN}",
        "limit=1&continue=AAAAAAAAAAAAAAAAWzEsImEiXQ==",
        "resourceVersion=3&resourceVersionMatch=Exact&limit=2",
        "watch=1&resourceVersion=1&allowWatchBookmarks=true&timeoutSeconds=1",
        "watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&timeoutSeconds=1",
        "includeObject=Object",
    )
    paths = (CONFIGMAPS, GIZMOS, "/api/v1/configmaps", f"{GIZMOS}/x", CRDS, "/api/v1/namespaces/default/events")
    plain = ("/api", "/apis", "/api/v1", "/apis/test.example.org/v1", "/openapi/v3", "/openapi/v2", "/version", "/")
    asks = [Ask("GET", f"{path}?{query}") for path in paths for query in queries]
    return [*asks, *(replace(ask, accept=TABLE) for ask in asks[::2]), *(Ask("GET", path) for path in plain)]


def _scenarios() -> list[Ask]:
    """The requests of the recorded scenarios: every kind, and most of what one may say of it."""
    return [_of_step(step) for steps in GROUPS.values() for step in steps if "method" in step]


def _of_step(step: Step) -> Ask:
    body = step.get("body")
    raw = b"" if body is None else body.encode() if isinstance(body, str) else orjson.dumps(body)
    headers = step.get("headers", {})
    media = headers.get("Content-Type", JSON if raw else "")
    target = step["path"].replace(f"/namespaces/{NS}", "/namespaces/default")
    return Ask(step["method"], target, media, raw.replace(f'"{NS}"'.encode(), b'"default"'), headers.get("Accept", ""))


SEEDS = [*_bodies() * 3, *_protobuf() * 3, *_reads()]
SCENARIOS = _scenarios()
DEFINITIONS = [ask for ask in SCENARIOS if ask.method == "POST" and ask.target == CRDS]

_WORDS = (
    b'"', b"{", b"}", b"[", b"]", b",", b":", b"null", b"true", b"-", b"0", b"1e999", b"-0.0", b"9" * 25, b"1.5",
    b"\x00", b"\xff", b"\xed\xa0\x80", b"\\ud800", b"\\u0000", b"\n", b"/", b"//", b"..", b"%", b"%00", b"%2F", b"%ff",
    b"~1", b"~", b"*", b"metadata", b"name", b"namespace", b"spec", b"status", b"$patch", b"delete", b"data", b"kind",
    b"managedFields", b"resourceVersion", b"uid", b"finalizers", b"ownerReferences", b"&", b"=", b"?", b"#", b"a" * 300,
    b"[?(@.", b"[*]", b"[-1:]", b"@", b"$", b"..*", b"\\", b"'",
    b"- a: &x [*x]", b"<<: *x", b"!!python/object:os.system", b"{}", b"[]", b"\xf0\x9f\x98\x80",
)  # fmt: skip
_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1.5, 1e300, 2**63, -(2**63), 2**53 + 1, "", "a", "x" * 300, "A B", "\x00", "é", "../..",
    "2026-01-01T00:00:00Z", "99999999999999999999", [], {}, [None], [[]], [{}], {"": None}, {"a": {"b": {"c": []}}},
    {"$patch": "replace"}, {"$patch": "bogus"}, {"f:a": {}}, ["a", "a"], [{"name": "a"}, {"name": "a"}],
)  # fmt: skip


class Mutator:
    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def next(self) -> Ask:
        """A valid request with one to four changes."""
        ask = self._random.choice(SEEDS if self._random.random() < 0.4 else SCENARIOS)
        for _ in range(self._random.choice((1, 1, 1, 2, 2, 4))):
            ask = self._random.choice(self._changes(ask))(ask)
        return ask

    def _changes(self, ask: Ask) -> list[Callable[[Ask], Ask]]:
        if ask.body:
            tree = [self._tree] * 5 if ask.media != PROTOBUF else []
            return [*tree, self._bytes, self._bytes, self._head, self._query]
        return [self._query, self._query, self._query, self._path, self._head]

    def _bytes(self, ask: Ask) -> Ask:
        return replace(ask, body=self._mangled(ask.body))

    def _mangled(self, raw: bytes) -> bytes:
        at = self._random.randrange(len(raw) + 1)
        end = min(len(raw), at + self._random.choice((0, 1, 1, 4, 40)))
        match self._random.randrange(4):
            case 0:
                return raw[:at] + self._random.choice(_WORDS) + raw[end:]
            case 1:
                return raw[:at] + raw[end:]
            case 2:
                return raw[:end] + raw[at:end] * self._random.choice((1, 1, 50)) + raw[end:]
            case _:
                return raw[:at] + bytes([self._random.randrange(256)]) + raw[at + 1 :]

    def _tree(self, ask: Ask) -> Ask:
        try:
            tree = orjson.loads(ask.body)
        except orjson.JSONDecodeError:
            return self._bytes(ask)
        return replace(ask, body=orjson.dumps(self._changed(tree)))

    def _changed(self, node: Any) -> Any:
        """The tree with one node, met on a random way down, replaced, dropped, doubled or added."""
        if isinstance(node, dict) and node and self._random.random() < 0.85:
            name = self._random.choice(list(node))
            match self._random.randrange(8):
                case 0:
                    return {key: value for key, value in node.items() if key != name}
                case 1:
                    return node | {self._random.choice(_NAMES): self._random.choice(_VALUES)}
                case _:
                    return node | {name: self._changed(node[name])}
        if isinstance(node, list) and node and self._random.random() < 0.85:
            at = self._random.randrange(len(node))
            if self._random.random() < 0.2:
                return [*node, node[at]]
            return [*node[:at], self._changed(node[at]), *node[at + 1 :]]
        return self._random.choice(_VALUES)

    def _query(self, ask: Ask) -> Ask:
        path, _, query = ask.target.partition("?")
        if query and self._random.random() < 0.6:
            query = self._mangled(query.encode()).decode("latin-1")
        else:
            name = self._random.choice(_PARAMETERS)
            value = self._random.choice(_TEXTS)
            query = f"{query}&{name}={quote(value)}"
        return replace(ask, target=f"{path}?{query}")

    def _path(self, ask: Ask) -> Ask:
        path, mark, query = ask.target.partition("?")
        return replace(ask, target=self._mangled(path.encode()).decode("latin-1") + mark + query)

    def _head(self, ask: Ask) -> Ask:
        match self._random.randrange(4):
            case 0:
                return replace(ask, method=self._random.choice(_METHODS))
            case 1:
                return replace(ask, accept=self._mangled((ask.accept or TABLE).encode()).decode("latin-1"))
            case 2:
                return self._path(ask)
            case _:
                return replace(ask, media=self._random.choice(_MEDIA))


_NAMES = (
    "", "metadata", "name", "generateName", "namespace", "labels", "annotations", "managedFields", "resourceVersion",
    "uid", "generation", "deletionTimestamp", "finalizers", "ownerReferences", "spec", "status", "data", "binaryData",
    "immutable", "kind", "apiVersion", "items", "$patch", "$retainKeys", "$setElementOrder/containers", "a", "f:a",
    "x-kubernetes-list-type", "x-kubernetes-validations", "properties", "type", "format", "pattern", "default", "enum",
)  # fmt: skip
_PARAMETERS = (
    "labelSelector", "fieldSelector", "limit", "continue", "resourceVersion", "resourceVersionMatch", "watch",
    "timeoutSeconds", "sendInitialEvents", "allowWatchBookmarks", "fieldManager", "fieldValidation", "force", "dryRun",
    "propagationPolicy", "gracePeriodSeconds", "orphanDependents", "includeObject", "pretty", "",
)  # fmt: skip
_TEXTS = (
    "", "0", "-1", "1", "true", "All", "Exact", "NotOlderThan", "Orphan", "Strict", "Object", "bogus", "9" * 30, "1e3",
    "²", "٣", "a=b", "a in (b", "!", "a>b", "a,,b", "()", "\x00", "é", "m" * 200, "metadata.name=x", "spec.a=1", " ",
)  # fmt: skip
