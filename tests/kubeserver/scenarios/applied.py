"""Applied bodies as a typed API reads them: list items without keys, times, quantities, embedded objects."""

from typing import Any

from tests.kubeserver.scenarios.asking import Step
from tests.kubeserver.scenarios.steps import (
    APPLY,
    CMS,
    DEPLOYMENTS,
    NS,
    STRATEGIC,
    config_map,
    custom,
    definition,
    delete,
    drop,
    need,
    objects,
    patch,
    post,
    text,
)

SERVICES = f"/api/v1/namespaces/{NS}/services"
_DRY = "fieldManager=m&dryRun=All"


def _apply(path: str, body: Any, say: str, **more: Any) -> Step:
    return patch(f"{path}/{body['metadata']['name']}?{_DRY}", body, say, headers=APPLY, managed=True, **more)


def _deployment(container: Any = None, **pod: Any) -> Any:
    labels = {"a": "b"}
    spec = {"containers": [{"name": "c", "image": "i", **(container or {})}], **pod}
    template = {"metadata": {"labels": labels}, "spec": spec}
    head = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}}
    return {**head, "spec": {"selector": {"matchLabels": labels}, "template": template}}


def _service(ports: Any) -> Any:
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": {"ports": ports}}


def _items() -> list[Step]:
    containers: list[Any] = [
        {"ports": [{}]},
        {"ports": [{"containerPort": "x"}]},
        {"ports": [{"protocol": "UDP"}]},
        {"env": [{}]},
        {"env": [{"value": "x"}]},
        {"env": [{}, {}]},
        {"env": [{"name": None}]},
        {"volumeMounts": [{}]},
        {"volumeMounts": [{"name": "v"}]},
        {"name": ""},
    ]
    pods: list[Any] = [
        {"volumes": [{}]},
        {"hostAliases": [{}]},
        {"imagePullSecrets": [{}]},
        {"imagePullSecrets": [{}, {}]},
        {"schedulingGates": [{}]},
        {"containers": [{}]},
        {"containers": [{}, {}]},
    ]
    ports: list[Any] = [[{}], [{"port": None}], [{}, {}]]
    owners: list[Any] = [[{}], [{"name": "n"}], [{}, {}], [None]]
    conditions: list[Any] = [[{}], [{"type": None}], [{}, {}]]
    return [
        *(_apply(DEPLOYMENTS, _deployment(one), f"container {text(one)}") for one in containers),
        *(_apply(DEPLOYMENTS, _deployment(**one), f"pod {text(one)}") for one in pods),
        *(_apply(SERVICES, _service(one), f"ports {text(one)}") for one in ports),
        *(_apply(CMS, config_map("o", ownerReferences=one), f"owners {text(one)}") for one in owners),
        *(_apply(DEPLOYMENTS, _deployment() | {"status": {"conditions": one}}, text(one)) for one in conditions),
    ]


def _scalars() -> list[Step]:
    values: list[Any] = [{}, [], 1, True, "x", ""]
    return [
        *(_apply(CMS, config_map("t", creationTimestamp=value), f"created {text(value)}") for value in values),
        *(_apply(CMS, config_map("b") | {"binaryData": {"k": value}}, f"bytes {text(value)}") for value in values),
        *(
            _apply(SERVICES, _service([{"port": 80, "targetPort": value}]), f"port {text(value)}", pick=["spec.ports"])
            for value in values[:4]
        ),
        *(
            _apply(DEPLOYMENTS, _deployment({"resources": {"limits": {"cpu": value}}}), f"cpu {text(value)}")
            for value in values
        ),
        post(CMS, config_map("old"), only="code"),
        *(
            patch(f"{CMS}/old?dryRun=All", {"metadata": {"creationTimestamp": value}}, text(value), headers=STRATEGIC)
            for value in values
        ),
        *(post(f"{CMS}?dryRun=All", config_map("new", creationTimestamp=value), text(value)) for value in values),
        delete(f"{CMS}/old", only="code"),
    ]


_OPEN = {"type": "object", "x-kubernetes-embedded-resource": True, "x-kubernetes-preserve-unknown-fields": True}
HOLDER = definition(
    "Holder",
    {
        "type": "object",
        "properties": {
            "spec": {"type": "object", "properties": {"one": _OPEN, "list": {"type": "array", "items": _OPEN}}}
        },
    },
)
HOLDERS = objects("Holder")
_METADATA: list[Any] = [
    {"labels": {"a": None}},
    {"labels": {"a": 1}},
    {"labels": []},
    {"labels": {"bad key": "v"}},
    {"annotations": {"a": None}},
    {"finalizers": [None]},
    {"finalizers": ["bad name"]},
    {"finalizers": {}},
    {"ownerReferences": [{}]},
    {"ownerReferences": [None]},
    {"ownerReferences": [{"apiVersion": "v1", "kind": "K", "name": "n", "uid": "u", "controller": "x"}]},
    {"creationTimestamp": ""},
    {"creationTimestamp": None},
    {"creationTimestamp": 1},
    {"creationTimestamp": "x"},
    {"creationTimestamp": {}},
    {"managedFields": [None]},
    {"managedFields": [{}]},
    {"managedFields": [{"operation": "Apply", "fieldsType": "x"}]},
    {"managedFields": [1]},
    {"name": None},
    {"name": ""},
    {"name": "Bad Name"},
    {"name": 1},
    {"namespace": "Bad Name"},
    {"generation": "x"},
    {"junk": 1},
    {},
]


def _held(inner: Any, *, listed: bool) -> Any:
    return custom("Holder", "h", {"list": [inner]} if listed else {"one": inner})


def _embedded() -> list[Step]:
    odd: list[Any] = [None, [], "x"]
    metadata = [*({"name": "x", **meta} for meta in _METADATA), *odd]
    inner: list[Any] = [{"apiVersion": "v1", "kind": "Pod", "metadata": meta} for meta in metadata]
    inner += [{"kind": "Pod"}, {"apiVersion": "v1"}, {"apiVersion": "a/b/c", "kind": "Pod"}, {}]
    steps = need(HOLDER)
    for index, one in enumerate(inner):
        body = _held(one, listed=index % 2 == 1)
        steps += [post(f"{HOLDERS}?dryRun=All&fieldValidation=Strict", body, f"create {text(one)}"[:120])]
        steps += [_apply(HOLDERS, body, f"apply {text(one)}"[:120])]
    return steps + drop(HOLDER)


GROUPS: dict[str, list[Step]] = {
    "applied items": _items(),
    "scalars": _scalars(),
    "embedded": _embedded(),
}
