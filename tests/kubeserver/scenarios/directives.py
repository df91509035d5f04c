"""Strategic merge patches, directives right and wrong; what structs take of numbers, bytes, entries of managers."""

from typing import Any

from tests.kubeserver.scenarios.asking import Step
from tests.kubeserver.scenarios.steps import (
    APPLY,
    CMS,
    DEPLOYMENTS,
    JSON,
    MERGE,
    NS,
    STRATEGIC,
    config_map,
    delete,
    patch,
    post,
    text,
)

ACCOUNTS = f"/api/v1/namespaces/{NS}/serviceaccounts"
_DRY = "fieldManager=m&dryRun=All"
_POD = "spec.template.spec"
_CONTAINER = {
    "name": "c",
    "image": "i",
    "args": ["x", "y"],
    "env": [{"name": "A"}, {"name": "B"}],
}
_LABELS = {"a": "b"}
_DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "dir", "labels": _LABELS},
    "spec": {
        "paused": True,
        "replicas": 0,
        "selector": {"matchLabels": _LABELS},
        "template": {"metadata": {"labels": _LABELS}, "spec": {"containers": [_CONTAINER]}},
    },
}
_ACCOUNT = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "dir"}, "secrets": [{"name": "s"}]}


def _ask(path: str, body: Any, headers: Any, *pick: str, mark: str = "") -> Step:
    return patch(f"{path}/dir?{_DRY}", body, f"{mark}{text(body)}"[:110], headers, pick=list(pick))


def _in_container(members: dict[str, Any]) -> Step:
    body = {"spec": {"template": {"spec": {"containers": [{"name": "c", **members}]}}}}
    shown = {**_ask(DEPLOYMENTS, body, STRATEGIC, f"{_POD}.containers.0.env", f"{_POD}.containers.0.args")}
    return {**shown, "say": text(members)[:110]}


_A, _B = {"name": "A"}, {"name": "B"}
_ORDERS: list[Any] = [[{}], [1], ["A"], [_B, _A], [_B, {}], [{"name": "zz"}], [[]], [], {}, "x", None, [None]]
_ORDERED: list[Any] = [
    ([_B], [{"name": "A", "value": "1"}]),
    ([{}], [_A]),
    ([_A], [{}]),
    ([1], [_A]),
    ([_A], "x"),
    ([_A], None),
    ([], [_A]),
    ([_A], ["x"]),
    ([_A], [1, _A]),
]
_LISTS: list[Any] = [
    *([], ["x"], [1], ["x", _A], [_A, "x"], [[]], [{"value": "x"}], [{"name": 1}], [{"name": None}]),
    *({"$patch": "delete"}, {"$patch": "bogus"}, {"$patch": "replace", "x": 1}),
]
_CONTAINERS: list[Any] = [
    [{"$patch": "replace"}],
    [{"$patch": "replace"}, {"name": "d", "image": "i"}],
    [{"$patch": "delete"}],
    [{"$patch": "delete", "name": "zz"}],
    [{"$patch": "merge", "name": "c"}],
    [{"$patch": "bogus", "name": "c"}],
    [{"$patch": "bogus"}],
    [{"$patch": None, "name": "c"}],
    [{"$patch": 1, "name": "c"}],
    [{"$patch": "replace", "name": "c"}],
    [{"name": "c"}, {"name": "c", "image": "j"}],
]
_STRATEGIES: list[Any] = [
    {"$retainKeys": None},
    {"$retainKeys": ["type"], "type": "Recreate"},
    {"$retainKeys": ["type", 1], "type": "Recreate"},
    {"$retainKeys": ["type"], "rollingUpdate": None},
    {"$retainKeys": ["type"], "$patch": "merge"},
    {"$patch": "merge"},
    {"$patch": "replace", "type": "Recreate"},
    {"type": "Recreate", "rollingUpdate": {"$patch": "delete"}},
    {"$patch": "delete"},
    *("x", []),
]
_SPECS: list[Any] = [
    {"$setElementOrder": ["x"]},
    {"$setElementOrder": "x"},
    {"$setElementOrder/": []},
    {"$setElementOrder/zzz": []},
    {"$setElementOrder/replicas": []},
    {"$setElementOrder/selector": [], "replicas": "x"},
    *({"revisionHistoryLimit": one} for one in (1.5, 1.0, 2147483648, 9007199254740993, -2147483649, 1e20)),
    *({"strategy": {"rollingUpdate": {"maxSurge": one}}} for one in (1.5, 1.0, 2147483648, True)),
]
_NAMED: list[Any] = [{"$patch": "delete"}, {"$patch": {}}, {"$retainKeys": ["a"]}, {"$bogus": "x"}]
_METADATA: list[Any] = [
    *({"labels": one} for one in _NAMED),
    {"labels": {"a": {"$patch": "delete"}}},
    {"finalizers": ["b.c/d"]},
    {"finalizers": [1]},
    *({"managedFields": one} for one in (["x"], "x", {"$patch": "delete"})),
]


def _deployments() -> list[Step]:
    bodies: list[Any] = [
        *({"spec": {"template": {"spec": {"containers": one}}}} for one in _CONTAINERS),
        *({"spec": {"strategy": one}} for one in _STRATEGIES),
        *({"spec": one} for one in _SPECS),
        *({"metadata": one} for one in _METADATA),
        *(
            {"$setElementOrder/spec": []},
            {"$patch": "bogus"},
            {"$retainKeys": None},
            {"kind": "x"},
            {"apiVersion": "v1"},
        ),
    ]
    replaced: list[Any] = [[], ["z"], [{}], {"$patch": "delete"}, "x"]
    removed: list[Any] = [[{}], [_A], ["A"], "x", None, [1], [[]]]
    return [
        post(DEPLOYMENTS, _DEPLOYMENT, "to be patched", only="code"),
        *(_in_container({"$setElementOrder/env": one}) for one in _ORDERS),
        *(_in_container({"$setElementOrder/env": order, "env": items}) for order, items in _ORDERED),
        *(_in_container({"$deleteFromPrimitiveList/env": one}) for one in removed),
        *(_in_container({"$deleteFromPrimitiveList/args": one}) for one in (["x"], [1], "x", None, [], ["x", 1])),
        _in_container({"$deleteFromPrimitiveList": ["x"]}),
        *(_in_container({"env": one}) for one in _LISTS),
        *(_in_container({"args": one}) for one in replaced),
        *(_ask(DEPLOYMENTS, body, STRATEGIC, "metadata.labels", "metadata.finalizers", "spec") for body in bodies),
        delete(f"{DEPLOYMENTS}/dir", "it goes", only="code"),
    ]


_BYTES: list[Any] = [
    "YQ==\n",
    "YQ\r\n==",
    "YR==",
    [1, 2],
    [],
    ["x"],
    [256],
    [1.5],
    [None],
    {},
    "Y Q==",
    "YQ",
    "YQ=",
    "YWJjZA",
    None,
]
_ENTRIES: list[Any] = [
    *("x", {}, [None], [1], [[]], [{}], [{"manager": "a"}], [{"manager": 1}], [{"time": "x"}], [{"time": 1}]),
    *([{"time": ""}], [{"zzz": 1}], [{"operation": []}], [{"manager": "a"}, None], 1, None),
]


def _config_maps() -> list[Step]:
    given = config_map("dir", {"a": "1"}, labels=_LABELS)
    head = {"apiVersion": "v1", "kind": "ConfigMap"}
    without = [{"op": "remove", "path": "/apiVersion"}]
    pick = ("data", "binaryData", "metadata.managedFields")
    kinds: list[Any] = [
        ("strategic ", STRATEGIC, {}),
        ("merge ", MERGE, {}),
        ("apply ", APPLY, {**head, "metadata": {"name": "dir"}}),
    ]
    return [
        post(CMS, {**given, "binaryData": {"b": "YQ=="}}, "a ConfigMap", only="code"),
        *(
            _ask(CMS, {**own, "binaryData": {"b": one}}, headers, *pick, mark=mark)
            for one in _BYTES
            for mark, headers, own in kinds
            if mark != "apply " or isinstance(one, str)
        ),
        *(_ask(CMS, {**head, "metadata": {"name": "dir", "managedFields": one}}, APPLY, *pick) for one in _ENTRIES),
        *(_ask(CMS, {"metadata": {"resourceVersion": one}}, MERGE) for one in ("9" * 20, str(1 << 64), "-1")),
        _ask(CMS, without, JSON),
        _ask(CMS, {"apiVersion": None}, MERGE),
        {**_ask(CMS, {"apiVersion": ""}, MERGE), "path": f"{CMS}/dir?{_DRY}&fieldValidation=Ignore"},
        delete(f"{CMS}/dir", "that goes, too", only="code"),
    ]


def _accounts() -> list[Step]:
    head = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "dir"}}
    patches: list[Any] = [[[{}]], [{}], [{"name": "s", "uid": "x"}], [{"uid": "x"}]]
    applied: list[Any] = [[{}], [{"uid": "x"}], [{"name": "s", "uid": "x"}], [{"name": None}]]
    pick = ("secrets", "metadata.managedFields")
    return [
        post(f"{ACCOUNTS}?fieldManager=first", _ACCOUNT, "an account", only="code"),
        *(_ask(ACCOUNTS, {"secrets": one}, STRATEGIC, *pick, mark="patch ") for one in patches),
        *(_ask(ACCOUNTS, {**head, "secrets": one}, APPLY, *pick, mark="apply ") for one in applied),
        _ask(ACCOUNTS, {"$setElementOrder/secrets": [{}]}, STRATEGIC),
        delete(f"{ACCOUNTS}/dir", "which goes as well", only="code"),
    ]


GROUPS: dict[str, list[Step]] = {
    "directives": _deployments(),
    "what structs take": _config_maps(),
    "items without names": _accounts(),
}
