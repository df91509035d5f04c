"""Who owns what of builtin kinds: what the server adds is nobody's, nulls and empty members of a body, `/status`."""

from typing import Any

from tests.kubeserver.scenarios.asking import Step
from tests.kubeserver.scenarios.steps import APPLY, CMS, DEPLOYMENTS, NS, delete, patch, post, put

SERVICES = f"/api/v1/namespaces/{NS}/services"
PODS = f"/api/v1/namespaces/{NS}/pods"
JOBS = f"/apis/batch/v1/namespaces/{NS}/jobs"
EVENTS = f"/api/v1/namespaces/{NS}/events"
SLICES = f"/apis/discovery.k8s.io/v1/namespaces/{NS}/endpointslices"
_DRY = "fieldManager=m&dryRun=All"
_OWNERS = "metadata.managedFields"


def _new(path: str, body: Any, say: str, *pick: str) -> Step:
    return post(f"{path}?{_DRY}", body, say, pick=[_OWNERS, *pick])


def _body(version: str, kind: str, **parts: Any) -> Any:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": "o"}, **parts}


def _containers(*resources: Any) -> list[Any]:
    return [{"name": f"c{index}", "image": "i", "resources": one} for index, one in enumerate(resources)]


def _pod(*resources: Any, **spec: Any) -> Any:
    return _body("v1", "Pod", spec={"containers": _containers(*resources), **spec})


def _deployment(**spec: Any) -> Any:
    labels = {"a": "b"}
    pod = {"containers": _containers({}), **spec}
    template = {"metadata": {"labels": labels}, "spec": pod}
    return _body("apps/v1", "Deployment", spec={"selector": {"matchLabels": labels}, "template": template})


_SMALL = {"cpu": "1", "memory": "1Mi"}
_JOB: Any = _body("batch/v1", "Job", spec={"template": {"spec": {"restartPolicy": "Never", "containers": []}}})
_JOB["spec"]["template"]["spec"]["containers"] = _containers({})


def _created() -> list[Step]:
    port = {"port": 80}
    return [
        _new(SERVICES, _body("v1", "Service", spec={"ports": [port]}), "a Service"),
        _new(SERVICES, _body("v1", "Service", spec={"ports": [port], "type": "NodePort"}), "a port of nodes"),
        _new(SERVICES, _body("v1", "Service", spec={"clusterIP": "None", "selector": {"a": "b"}}), "headless"),
        _new(JOBS, _JOB, "a Job"),
        _new(DEPLOYMENTS, _deployment(), "a Deployment"),
        _new(
            DEPLOYMENTS,
            _deployment(hostnameOverride="h", volumes=[{"name": "v", "image": {"reference": "r"}}]),
            "members that are switched off",
        ),
        _new(
            EVENTS,
            _body("v1", "Event", involvedObject={"namespace": NS, "name": "p"}, reason="R"),
            "an Event",
        ),
        _new(PODS, _pod({}), "a Pod"),
        *(_new(PODS, _pod(*given), f"quality {given}", "status.qosClass") for given in _QUALITIES),
    ]


_QUALITIES: list[Any] = [
    [{"limits": {"cpu": "1"}}],
    [{"limits": _SMALL}],
    [{"limits": _SMALL}, {}],
    [{"limits": _SMALL}, {"limits": _SMALL}],
    [{"limits": _SMALL, "requests": {"cpu": "1m"}}],
    [{"requests": {"cpu": "0"}}],
    [{"requests": {"ephemeral-storage": "1"}}],
]


def _applied() -> list[Step]:
    own = f"{CMS}/o"
    first = _body("v1", "ConfigMap", data={"a": "1"})
    first["metadata"] |= {"labels": {"a": "b"}, "annotations": {"c": "d"}}

    def apply(say: str, **meta: Any) -> Step:
        body = {**first, "metadata": {"name": "o", **meta}}
        return patch(f"{own}?fieldManager={say.split()[0]}", body, say, APPLY, managed=True)

    return [
        post(f"{CMS}?fieldManager=first", first, "made by another", managed=True),
        apply("second applies null labels and annotations", labels=None, annotations=None),
        apply("third applies an empty uid", uid=""),
        apply("fourth applies a generation", generation=5),
        apply("fifth applies what is there"),
        delete(own, "it goes", only="code"),
        post(CMS, {**first, "metadata": {"name": "o", "managedFields": [{}]}}, "without managers", only="code"),
        put(own, {**first, "metadata": {"name": "o", "managedFields": [{}]}}, "managers are given up", managed=True),
        apply("sixth applies first"),
        delete(own, "that goes, too", only="code"),
    ]


def _status() -> list[Step]:
    meta: dict[str, Any] = {
        "name": "o",
        "labels": {"n": "l"},
        "annotations": {"n": "a"},
        "finalizers": ["a.b/c"],
        "ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "u"}],
    }
    service = _body("v1", "Service", spec={"clusterIP": "None"})
    deployment = _deployment()
    deployment["metadata"]["labels"] = {"a": "b"}
    deployment["spec"] |= {"paused": True, "replicas": 0}
    pod = {**_pod({}), "spec": {**_pod({})["spec"], "schedulerName": "nobody"}}
    steps: list[Step] = []
    for path, body in ((SERVICES, service), (DEPLOYMENTS, deployment), (PODS, pod)):
        kind, own = body["kind"], f"{path}/o"
        changed = {**body, "metadata": meta}
        parts = [f"metadata.{name}" for name in meta]
        steps += [
            post(path, body, f"a {kind}", only="code"),
            put(f"{own}/status?{_DRY}", changed, f"metadata of a {kind} at /status", pick=parts),
            delete(f"{own}?gracePeriodSeconds=0", f"the {kind} goes", only="code"),
        ]
    return steps


def _entry(**parts: Any) -> Any:
    fields: Any = {"f:metadata": {"f:labels": {"f:a": {}}}}
    head = {"manager": "x", "operation": "Update", "apiVersion": "v1", "time": "2026-01-01T00:00:00Z"}
    return {**head, "fieldsType": "FieldsV1", "fieldsV1": fields, **parts}


def _services() -> list[Step]:
    """A Service with a status, whose managers are then given by its writer."""
    own = f"{SERVICES}/o"
    ingress: list[Any] = [[{"ip": "1.2.3.4"}], [{"ip": "x"}], [{"hostname": "h"}], [{"ipMode": "VIP"}], []]
    twice = [{"type": "A", "status": "True"}] * 2
    entries = [
        [_entry()],
        [_entry(apiVersion="apps/v1")],
        [_entry(apiVersion="v2"), _entry(manager="y")],
        [{name: one for name, one in _entry().items() if name != "fieldsV1"}],
    ]
    balanced = _body("v1", "Service", spec={"ports": [{"port": 80}], "type": "LoadBalancer"})

    def at_status(status: Any, say: str) -> Step:
        return patch(f"{own}/status?{_DRY}", {"status": status}, say, pick=["status", _OWNERS])

    return [
        post(SERVICES, _body("v1", "Service", spec={"clusterIP": "None"}), "of no balancer", only="code"),
        at_status({"loadBalancer": {"ingress": ingress[0]}}, "an address that only a balancer has"),
        at_status({"conditions": twice}, "a condition twice"),
        *(
            patch(f"{own}?{_DRY}", {"metadata": {"managedFields": one}}, f"entries {one}"[:110], managed=True)
            for one in entries
        ),
        delete(own, "it goes", only="code"),
        post(SERVICES, balanced, "of a balancer", only="code"),
        *(at_status({"loadBalancer": {"ingress": one}}, f"ingress {one}") for one in ingress),
        delete(own, "that goes, too", only="code"),
    ]


GROUPS: dict[str, list[Step]] = {
    "owners of new objects": _created(),
    "owners of nothing": _applied(),
    "metadata at status": _status(),
    "status of services": _services(),
}
