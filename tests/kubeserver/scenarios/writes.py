"""Create, update, patch and apply: builtin and custom kinds."""

from typing import Any

from tests.kubeserver.scenarios.asking import Step
from tests.kubeserver.scenarios.steps import (
    APPLY,
    CMS,
    DEPLOYMENTS,
    INTEGER,
    JSON,
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
)

PART = definition(
    "Part",
    {
        "type": "object",
        "properties": {
            "spec": {
                "type": "object",
                "properties": {
                    "n": INTEGER,
                    "s": STRING,
                    "nul": {"type": "string", "nullable": True},
                    "o": {"type": "object", "properties": {"a": INTEGER, "b": INTEGER}},
                    "atom": {
                        "type": "object",
                        "x-kubernetes-map-type": "atomic",
                        "properties": {"a": INTEGER, "b": INTEGER},
                    },
                    "list": {"type": "array", "items": INTEGER},
                    "set": {"type": "array", "x-kubernetes-list-type": "set", "items": STRING},
                    "keyed": {
                        "type": "array",
                        "x-kubernetes-list-type": "map",
                        "x-kubernetes-list-map-keys": ["k", "p"],
                        "items": {
                            "type": "object",
                            "required": ["k"],
                            "properties": {
                                "k": STRING,
                                "p": {"type": "string", "default": "x"},
                                "v": INTEGER,
                                "w": INTEGER,
                            },
                        },
                    },
                    "map": {"type": "object", "additionalProperties": STRING},
                    "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                    "dflt": {"type": "integer", "default": 3},
                },
            },
            "status": {
                "type": "object",
                "properties": {
                    "x": INTEGER,
                    "conditions": {
                        "type": "array",
                        "x-kubernetes-list-type": "map",
                        "x-kubernetes-list-map-keys": ["type"],
                        "items": {
                            "type": "object",
                            "required": ["type"],
                            "properties": {"type": STRING, "status": STRING},
                        },
                    },
                },
            },
        },
    },
    subresources={
        "status": {},
        "scale": {"specReplicasPath": ".spec.n", "statusReplicasPath": ".status.x", "labelSelectorPath": ".status.sel"},
    },
)
PARTS = objects("Part")
ONE = f"{PARTS}/p?fieldManager=one"
TWO = f"{PARTS}/p?fieldManager=two"
_ENVELOPE = {"apiVersion": "v1", "kind": "ConfigMap"}


def _apply(path: str, body: Any, say: str, **more: Any) -> Step:
    return patch(path, body, say, APPLY, managed=True, **more)


def _part(spec: Any, **meta: Any) -> Any:
    return custom("Part", "p", spec, meta=meta)


def _cm(data: Any = None, **meta: Any) -> Any:
    return {**_ENVELOPE, "metadata": {"name": "c", **meta}, **({} if data is None else {"data": data})}


POD_SPEC = {"containers": [{"name": "main", "image": "i:1", "env": [{"name": "A", "value": "1"}], "args": ["a", "b"]}]}
WEB: Any = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web"},
    "spec": {
        "replicas": 0,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": POD_SPEC},
    },
}
CONTAINERS = "spec.template.spec.containers"


def _pods(spec: Any) -> Any:
    return {"spec": {"template": {"spec": spec}}}


def _strategic(say: str, body: Any, *pick: str) -> Step:
    return patch(
        f"{DEPLOYMENTS}/web?dryRun=All",
        body,
        say,
        STRATEGIC,
        pick=list(pick) or ["spec.template.spec", "spec.strategy"],
    )


GROUPS: dict[str, list[Step]] = {
    "apply": [
        *need(PART),
        _apply(
            ONE,
            _part(
                {
                    "n": 1,
                    "o": {"a": 1},
                    "set": ["a", "b"],
                    "keyed": [{"k": "a", "v": 1}],
                    "list": [1, 2],
                    "map": {"x": "1"},
                    "atom": {"a": 1},
                }
            ),
            "creates",
        ),
        _apply(TWO, _part({"n": 2, "o": {"a": 2, "b": 2}, "list": [3]}), "three conflicts"),
        _apply(TWO, _part({"keyed": [{"k": "a", "v": 2}]}), "conflict in a keyed item"),
        _apply(TWO, _part({"atom": {"b": 1}}), "conflict in an atomic map"),
        _apply(TWO, _part({"map": {"x": "2"}}), "conflict in a map"),
        _apply(
            TWO,
            _part({"o": {"b": 2}, "set": ["b", "c"], "keyed": [{"k": "a", "w": 3}, {"k": "b", "p": "y"}]}),
            "merges",
        ),
        _apply(ONE, _part({"n": 1, "set": ["a"]}), "gives up"),
        _apply(f"{TWO}&force=true", _part({"n": 5}), "takes by force"),
        _apply(ONE, _part({"n": 5, "dflt": 3}), "owns a default"),
        _apply(ONE, _part({"n": 5, "dflt": None}), "null for a default"),
        _apply(ONE, _part({"n": None}), "null"),
        _apply(ONE, _part({"nul": None}), "null where nullable"),
        _apply(ONE, _part({"o": None}), "null for an object"),
        _apply(ONE, _part({"map": {"y": None}}), "null in a map"),
        _apply(ONE, _part({"o": {}}), "empty object"),
        _apply(ONE, _part({"list": []}), "empty list"),
        _apply(ONE, _part({"free": {"a": {"b": 1}, "l": [1]}}), "unknown fields"),
        _apply(ONE, _part({"set": ["a", "a"]}), "set twice"),
        _apply(ONE, _part({"keyed": [{"k": "a"}, {"k": "a"}]}), "key twice"),
        _apply(ONE, _part({"keyed": [{"v": 1}]}), "key missing"),
        _apply(ONE, _part({"n": "x"}), "wrong type"),
        _apply(ONE, _part({"o": [1]}), "list for object"),
        _apply(ONE, _part({"list": {"a": 1}}), "object for list"),
        _apply(ONE, _part({"keyed": ["x"]}), "text for keyed item"),
        _apply(ONE, _part({"yy": 2}), "unknown field"),
        _apply(ONE, _part({"o": {"zz": 1}}), "unknown field below"),
        _apply(ONE, {**_part({}), "kind": "Other"}, "another kind"),
        _apply(ONE, {**_part({}), "apiVersion": "same.example.dev/v9"}, "another version"),
        _apply(ONE, custom("Part", "q", {}), "another name"),
        _apply(ONE, {**_part({}), "metadata": {"name": "p", "namespace": "other"}}, "another namespace"),
        _apply(ONE, {**_part({}), "metadata": {}}, "no name"),
        _apply(ONE, {"kind": "Part", "metadata": {"name": "p"}}, "no apiVersion"),
        _apply(ONE, "", "empty body"),
        _apply(ONE, "a: [", "broken yaml"),
        _apply(ONE, "[]", "a list"),
        _apply(
            ONE,
            "apiVersion: same.example.dev/v1\nkind: Part\nmetadata:\n  name: p\nspec:\n  n: 6\n  n: 7\n",
            "yaml with a key twice",
        ),
        _apply(
            f"{PARTS}/p?fieldManager=yaml",
            "apiVersion: same.example.dev/v1\nkind: Part\nmetadata:\n  name: p\n  annotations: {a: 'x'}\n",
            "yaml",
        ),
        _apply(f"{PARTS}/p?fieldManager=one&force=maybe", _part({}), "force maybe"),
        _apply(f"{PARTS}/p?fieldManager={'m' * 129}", _part({}), "long manager"),
        _apply(f"{PARTS}/p?fieldManager=a%0Ab", _part({}), "unprintable manager"),
        _apply(ONE, _part({"n": 5}, resourceVersion="1"), "stale version"),
        _apply(
            f"{PARTS}/n?fieldManager=one",
            custom("Part", "n", {}, meta={"resourceVersion": "1"}),
            "version of what is not there",
        ),
        _apply(
            f"{PARTS}/n?fieldManager=one",
            custom("Part", "n", {}, meta={"uid": "11111111-1111-1111-1111-111111111111"}),
            "uid of what is not there",
        ),
        _apply(ONE, _part({"n": 5}, uid="11111111-1111-1111-1111-111111111111"), "another uid"),
        _apply(f"{ONE}&dryRun=All", _part({"n": 5, "s": "x"}), "dry run"),
        _apply(
            f"{PARTS}/p/status?fieldManager=st",
            custom("Part", "p", status={"x": 1, "conditions": [{"type": "A", "status": "True"}]}),
            "status",
        ),
        _apply(
            f"{PARTS}/p/status?fieldManager=st2",
            custom("Part", "p", status={"conditions": [{"type": "B", "status": "True"}]}),
            "status by another",
        ),
        _apply(f"{PARTS}/p/status?fieldManager=st2", custom("Part", "p", status={"x": 2}), "status conflict"),
        _apply(
            f"{PARTS}/p/status?fieldManager=st", custom("Part", "p", {"n": 9}, status={"x": 1}), "spec through status"
        ),
        _apply(
            f"{PARTS}/p?fieldManager=st", custom("Part", "p", {"s": "k"}, status={"x": 9}), "status through the object"
        ),
        _apply(
            f"{PARTS}/absent/status?fieldManager=st", custom("Part", "absent", status={"x": 1}), "status of nothing"
        ),
        _apply(
            f"{PARTS}/p?fieldManager=lab",
            custom(
                "Part",
                "p",
                meta={
                    "labels": {"a": "b"},
                    "annotations": {"c": "d"},
                    "finalizers": ["x.y/z"],
                    "ownerReferences": [
                        {
                            "apiVersion": "none.example/v1",
                            "kind": "Unknown",
                            "name": "x",
                            "uid": "11111111-1111-1111-1111-111111111111",
                        }
                    ],
                },
            ),
            "metadata",
        ),
        _apply(f"{PARTS}/p?fieldManager=lab", custom("Part", "p", meta={"labels": {"a": "b"}}), "metadata given up"),
        patch(
            f"{PARTS}/p?fieldManager=upd",
            {"spec": {"n": 7, "keyed": [{"k": "a", "p": "x", "v": 9}], "list": [9]}},
            "merge by another",
            managed=True,
        ),
        _apply(ONE, _part({"n": 8}), "conflict with an update"),
        patch(f"{PARTS}/p", {"metadata": {"managedFields": [{}]}}, "reset", managed=True),
        _apply(ONE, _part({"n": 7}), "before first apply"),
        patch(f"{PARTS}/p", {"metadata": {"managedFields": []}}, "empty list", managed=True),
        patch(
            f"{PARTS}/p",
            {"metadata": {"managedFields": [{"manager": "x", "operation": "Nope", "apiVersion": "v1"}]}},
            "bad entry",
            managed=True,
        ),
        put(f"{PARTS}/p?fieldManager=put", custom("Part", "p", {"n": 1}, meta={"resourceVersion": "1"}), "stale put"),
        delete(f"{PARTS}/p", only="code"),
        *drop(PART),
    ],
    "apply builtin": [
        _apply(f"{CMS}/c?fieldManager=one", _cm({"a": "1", "b": "2"}, labels={"x": "y"}), "creates"),
        _apply(f"{CMS}/c?fieldManager=two", _cm({"a": "2", "b": "3"}), "two conflicts"),
        _apply(f"{CMS}/c?fieldManager=two", _cm({"a": "1"}, labels={"x": "y"}), "shares"),
        _apply(f"{CMS}/c?fieldManager=one", _cm({"a": "2"}), "conflict with who shares"),
        _apply(f"{CMS}/c?fieldManager=one", _cm({"a": None}), "null"),
        _apply(f"{CMS}/c?fieldManager=one", _cm({"a": 1}), "number for text"),
        _apply(f"{CMS}/c?fieldManager=one", {**_cm({}), "zz": 1}, "unknown field"),
        _apply(f"{CMS}/c?fieldManager=one", _cm(["x"]), "list for map"),
        _apply(f"{CMS}/c?fieldManager=one", _cm({}, finalizers=["bad"]), "bad finalizer"),
        _apply(f"{CMS}/c?fieldManager=one", _cm({"bad key": "1"}), "bad key"),
        _apply(f"{CMS}/c", _cm({}), "no manager"),
        patch(f"{CMS}/c?fieldManager=u", {"metadata": {"managedFields": []}}, "reset by an empty list", managed=True),
        _apply(f"{CMS}/c?fieldManager=one", _cm({"a": "1"}), "before first apply"),
        delete(f"{CMS}/c", only="code"),
        post(f"{CMS}?fieldManager=creator", config_map("d", {"a": "1"}), "create", managed=True),
        put(f"{CMS}/d", config_map("d", {"a": "1", "b": "2"}), "update by user agent", managed=True),
        patch(f"{CMS}/d?fieldManager=creator", {"data": {"a": None}}, "removes", managed=True),
        _apply(f"{CMS}/d?fieldManager=same", config_map("d", {"b": "3"}), "conflict with an update"),
        delete(f"{CMS}/d", only="code"),
        _apply(
            f"/api/v1/namespaces/{NS}/secrets/s?fieldManager=one",
            {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"a": "b"}},
            "secret with stringData",
        ),
        delete(f"/api/v1/namespaces/{NS}/secrets/s", only="code"),
        _apply(
            f"/api/v1/namespaces/{NS}/services/s?fieldManager=one",
            {
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": {"name": "s"},
                "spec": {
                    "clusterIP": "None",
                    "ports": [{"port": 80, "name": "a"}, {"port": 80, "name": "b", "protocol": "UDP"}],
                },
            },
            "service ports by two keys",
            pick=["metadata.managedFields.0.fieldsV1", "spec.ports"],
        ),
        delete(f"/api/v1/namespaces/{NS}/services/s", only="code"),
    ],
    "strategic": [
        post(DEPLOYMENTS, WEB, "one to change", only="code"),
        _strategic("image by name", _pods({"containers": [{"name": "main", "image": "i:2"}]}), CONTAINERS),
        _strategic("new container", _pods({"containers": [{"name": "new", "image": "n"}]}), CONTAINERS),
        _strategic("no merge key", _pods({"containers": [{"image": "n"}]})),
        _strategic("unknown directive", _pods({"containers": [{"name": "main", "$patch": "explode"}]})),
        _strategic("delete what is not there", _pods({"containers": [{"name": "zz", "$patch": "delete"}]}), CONTAINERS),
        _strategic("delete directive without key", _pods({"containers": [{"$patch": "delete"}]})),
        _strategic(
            "replace list", _pods({"containers": [{"$patch": "replace"}, {"name": "r", "image": "r"}]}), CONTAINERS
        ),
        _strategic(
            "env deleted",
            _pods({"containers": [{"name": "main", "env": [{"name": "A", "$patch": "delete"}]}]}),
            CONTAINERS,
        ),
        _strategic("args are replaced", _pods({"containers": [{"name": "main", "args": ["c"]}]}), CONTAINERS),
        _strategic("null removes", _pods({"containers": [{"name": "main", "args": None}]}), CONTAINERS),
        _strategic("replace map", {"metadata": {"labels": {"$patch": "replace", "q": "r"}}}, "metadata.labels"),
        _strategic(
            "delete map",
            {"spec": {"template": {"spec": {"nodeSelector": {"$patch": "delete"}}}}},
            "spec.template.spec.nodeSelector",
        ),
        _strategic(
            "retain keys", {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}, "spec.strategy"
        ),
        _strategic("strategy without retain keys", {"spec": {"strategy": {"type": "Recreate"}}}, "spec.strategy"),
        _strategic(
            "retain keys without the key",
            {"spec": {"strategy": {"$retainKeys": ["rollingUpdate"], "type": "Recreate"}}},
        ),
        _strategic(
            "order",
            _pods(
                {
                    "$setElementOrder/containers": [{"name": "main"}, {"name": "b"}],
                    "containers": [{"name": "b", "image": "b"}],
                }
            ),
            CONTAINERS,
        ),
        _strategic(
            "order without the item",
            _pods({"$setElementOrder/containers": [{"name": "main"}], "containers": [{"name": "b", "image": "b"}]}),
        ),
        _strategic("finalizers add", {"metadata": {"finalizers": ["a.b/c"]}}, "metadata.finalizers"),
        _strategic(
            "primitive deleted", {"metadata": {"$deleteFromPrimitiveList/finalizers": ["zz"]}}, "metadata.finalizers"
        ),
        _strategic("number for list", _pods({"containers": 3})),
        _strategic("text for number", {"spec": {"replicas": "3"}}),
        _strategic("unknown field", {"spec": {"zz": 1}}, "spec.zz"),
        _strategic("selector is immutable", {"spec": {"selector": {"matchLabels": {"a": "b"}}}}),
        _strategic(
            "volumes and mounts",
            _pods(
                {
                    "volumes": [{"name": "v", "emptyDir": {}}],
                    "containers": [{"name": "main", "volumeMounts": [{"mountPath": "/x", "name": "v"}]}],
                }
            ),
            "spec.template.spec.volumes",
            CONTAINERS,
        ),
        _strategic(
            "ports by containerPort",
            _pods(
                {
                    "containers": [
                        {
                            "name": "main",
                            "ports": [{"containerPort": 80, "name": "a"}, {"containerPort": 80, "protocol": "UDP"}],
                        }
                    ]
                }
            ),
            CONTAINERS,
        ),
        _strategic(
            "tolerations are replaced",
            _pods({"tolerations": [{"key": "a", "operator": "Exists"}]}),
            "spec.template.spec.tolerations",
        ),
        _strategic("a list", []),
        _strategic("broken", "{"),
        patch(f"{DEPLOYMENTS}/web?fieldValidation=Strict", {"spec": {"zz": 1}}, "strict merge on a builtin"),
        patch(
            f"{DEPLOYMENTS}/web?fieldValidation=Strict", {"spec": {"zz": 1}}, "strict strategic on a builtin", STRATEGIC
        ),
        patch(
            f"{DEPLOYMENTS}/web?fieldValidation=Warn",
            {"spec": {"template": {"spec": {"yy": 1}}}},
            "warnings of a builtin",
            pick=["spec.replicas"],
        ),
        delete(f"{DEPLOYMENTS}/web", only="code"),
        *need(PART),
        post(PARTS, _part({"n": 1}), only="code"),
        patch(f"{PARTS}/p", {"spec": {"n": 2}}, "strategic on a custom object", STRATEGIC),
        delete(f"{PARTS}/p", only="code"),
        *drop(PART),
    ],
    "patches": [
        *need(PART),
        post(PARTS, _part({"n": 1, "list": [1, 2, 3], "o": {"a": 1}}), "create"),
        *(
            patch(f"{PARTS}/p?dryRun=All", operations, say, JSON)
            for say, operations in (
                ("add at the end", [{"op": "add", "path": "/spec/list/-", "value": 4}]),
                ("add in the middle", [{"op": "add", "path": "/spec/list/1", "value": 9}]),
                ("add out of range", [{"op": "add", "path": "/spec/list/9", "value": 9}]),
                ("negative index", [{"op": "remove", "path": "/spec/list/-1"}]),
                ("remove index", [{"op": "remove", "path": "/spec/list/0"}]),
                ("remove out of range", [{"op": "remove", "path": "/spec/list/7"}]),
                ("copy", [{"op": "copy", "from": "/spec/n", "path": "/spec/o/b"}]),
                ("move", [{"op": "move", "from": "/spec/o/a", "path": "/spec/o/b"}]),
                ("move from nothing", [{"op": "move", "from": "/spec/o/zz", "path": "/spec/o/b"}]),
                (
                    "test passes",
                    [{"op": "test", "path": "/spec/n", "value": 1}, {"op": "replace", "path": "/spec/n", "value": 2}],
                ),
                ("test fails", [{"op": "test", "path": "/spec/n", "value": 5}]),
                ("test of nothing", [{"op": "test", "path": "/spec/zz", "value": 5}]),
                ("test of nothing for null", [{"op": "test", "path": "/spec/zz", "value": None}]),
                ("unknown op", [{"op": "shake", "path": "/spec/n"}]),
                ("no op", [{"path": "/spec/n"}]),
                ("no path", [{"op": "remove"}]),
                ("add without value", [{"op": "add", "path": "/spec/n"}]),
                ("parent missing", [{"op": "add", "path": "/spec/zz/y", "value": 1}]),
                ("replace the whole", [{"op": "replace", "path": "", "value": {"a": 1}}]),
                ("path without slash", [{"op": "add", "path": "spec", "value": 1}]),
                (
                    "escapes",
                    [
                        {"op": "add", "path": "/metadata/annotations", "value": {}},
                        {"op": "add", "path": "/metadata/annotations/a.b~1c", "value": "v"},
                    ],
                ),
                ("empty", []),
                ("remove kind", [{"op": "remove", "path": "/kind"}]),
                ("remove metadata", [{"op": "remove", "path": "/metadata"}]),
                ("an object", {"op": "add"}),
                ("items that are no operations", [1]),
                ("broken", "[{"),
                ("text", '"x"'),
            )
        ),
        *(
            patch(f"{PARTS}/p?dryRun=All", body, say)
            for say, body in (
                ("merge a list", []),
                ("merge text", '"x"'),
                ("merge null", "null"),
                ("merge nothing", "{}"),
                ("merge empty body", ""),
                ("merge broken", '{"a":'),
                ("merge apiVersion", {"apiVersion": "same.example.dev/v9"}),
                ("merge kind", {"kind": "Other"}),
                ("merge namespace", {"metadata": {"namespace": "other"}}),
                ("merge uid", {"metadata": {"uid": "11111111-1111-1111-1111-111111111111"}}),
                ("merge metadata null", {"metadata": None}),
                ("merge spec null", {"spec": None}),
                ("merge a bad label", {"metadata": {"labels": {"a b": "c"}}}),
                ("merge a label that is a number", {"metadata": {"labels": {"a": 1}}}),
                ("merge labels that are text", {"metadata": {"labels": "x"}}),
                ("merge creationTimestamp", {"metadata": {"creationTimestamp": "2020-01-01T00:00:00Z"}}),
                ("merge a bad time", {"metadata": {"creationTimestamp": "yesterday"}}),
                ("merge generation", {"metadata": {"generation": 77}}),
                ("merge a deletion time", {"metadata": {"deletionTimestamp": "2020-01-01T00:00:00Z"}}),
                ("merge a bad owner", {"metadata": {"ownerReferences": [{"kind": "X"}]}}),
                (
                    "merge two controllers",
                    {
                        "metadata": {
                            "ownerReferences": [
                                {"apiVersion": "v1", "kind": "X", "name": n, "uid": n, "controller": True}
                                for n in ("a", "b")
                            ]
                        }
                    },
                ),
                ("merge status", {"status": {"x": 1}}),
                ("merge finalizer", {"metadata": {"finalizers": ["plain", "a.b/c"]}}),
            )
        ),
        patch(f"{PARTS}/p?force=true", {}, "force without apply"),
        patch(f"{PARTS}/p", {}, "no patch type", {"Content-Type": "application/json"}),
        patch(f"{PARTS}/p", {}, "charset", {"Content-Type": "application/merge-patch+json; charset=utf-8"}),
        patch(f"{PARTS}/none", {"spec": {}}, "not there"),
        patch(f"{PARTS}/p/none", {"spec": {}}, "no such subresource"),
        patch(PARTS, {"spec": {}}, "a collection"),
        get(f"{PARTS}/p/scale", "scale"),
        patch(f"{PARTS}/p/scale", {"spec": {"replicas": 4}}, "patch scale"),
        patch(f"{PARTS}/p/scale", {"spec": {"replicas": -1}}, "negative scale"),
        patch(f"{PARTS}/p/scale", {"spec": {"replicas": "x"}}, "scale of text"),
        put(
            f"{PARTS}/p/scale",
            {
                "apiVersion": "autoscaling/v1",
                "kind": "Scale",
                "metadata": {"name": "p", "namespace": NS},
                "spec": {"replicas": 2},
            },
            "put scale",
        ),
        put(
            f"{PARTS}/p/scale",
            {
                "apiVersion": "autoscaling/v1",
                "kind": "Scale",
                "metadata": {"name": "q", "namespace": NS},
                "spec": {"replicas": 2},
            },
            "put scale of another name",
        ),
        patch(f"{PARTS}/p", {"spec": {"n": None}}, "without replicas", only="code"),
        get(f"{PARTS}/p/scale", "scale without replicas"),
        get(f"{PARTS}/none/scale", "scale of nothing"),
        put(f"{PARTS}/p/status", custom("Part", "p", {"n": 77}, status={"x": 5}), "put status without version"),
        patch(
            f"{PARTS}/p/status", {"status": {"x": "5"}, "metadata": {"labels": {"l": "1"}}}, "status of a wrong type"
        ),
        patch(
            f"{PARTS}/p/status",
            {"status": {"x": 5, "zz": 1}, "spec": {"n": 99}, "metadata": {"labels": {"l": "1"}}},
            "status",
        ),
        patch(f"{PARTS}/p/status?fieldValidation=Strict", {"status": {"zz": 1}}, "strict status"),
        get(f"{PARTS}/p/status", "read status"),
        delete(f"{PARTS}/p/status", "delete status"),
        post(f"{PARTS}/p/status", {}, "post status"),
        delete(f"{PARTS}/p", only="code"),
        *drop(PART),
    ],
}
