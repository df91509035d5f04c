"""Which kinds there are, and what each does beyond being stored."""

import asyncio
import base64
from typing import Any

import pytest

from lambent.http.message import Request
from lambent.kubeserver.builtin.table import builtin_resources
from tests.kubeserver.asking import CONFIGMAPS, MERGE, configmap

NAMESPACES = "/api/v1/namespaces"
SECRETS = "/api/v1/namespaces/default/secrets"
PODS = "/api/v1/namespaces/default/pods"
EVENTS = "/api/v1/namespaces/default/events"
NEW_EVENTS = "/apis/events.k8s.io/v1/namespaces/default/events"

SUBRESOURCES = {
    "namespaces": "status finalize", "configmaps": "", "secrets": "", "serviceaccounts": "token", "events": "",
    "leases.coordination.k8s.io": "", "customresourcedefinitions.apiextensions.k8s.io": "status",
    "pods": "status log eviction binding", "deployments.apps": "status scale", "replicasets.apps": "status scale",
    "statefulsets.apps": "status scale", "daemonsets.apps": "status", "jobs.batch": "status", "services": "status",
    "endpointslices.discovery.k8s.io": "", "horizontalpodautoscalers.autoscaling": "status",
    "networkpolicies.networking.k8s.io": "", "poddisruptionbudgets.policy": "status",
    "roles.rbac.authorization.k8s.io": "", "clusterroles.rbac.authorization.k8s.io": "",
    "rolebindings.rbac.authorization.k8s.io": "", "clusterrolebindings.rbac.authorization.k8s.io": "",
    "persistentvolumeclaims": "status", "apiservices.apiregistration.k8s.io": "status", "events.events.k8s.io": "",
}  # fmt: skip


async def test_each_kind_has_its_subresources(ask):
    found: dict[str, set[str]] = {}
    stored = {(r.group, r.gvk.version) for r in builtin_resources() if not r.traits.is_virtual}
    for group, version in stored:
        _, listed = await ask("GET", f"/apis/{group}/{version}" if group else f"/api/{version}")
        for entry in listed["resources"]:
            plural, _, sub = entry["name"].partition("/")
            found.setdefault(f"{plural}.{group}" if group else plural, set()).update(sub.split())
    assert found == {name: set(subs.split()) for name, subs in SUBRESOURCES.items()}


@pytest.mark.parametrize(
    "path",
    [
        "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
        "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations",
        "/apis/keda.sh/v1alpha1/scaledobjects",
        "/apis/metrics.k8s.io/v1beta1/pods",
    ],
)
async def test_a_group_that_is_not_there_is_a_plain_404(ask, path):
    assert await ask("GET", path) == (404, b"404 page not found\n")


@pytest.mark.parametrize(
    "path", ["/api/v1/nodes", "/api/v1/persistentvolumes", "/api/v1/namespaces/default/resourcequotas"]
)
async def test_a_kind_that_is_not_served_is_not_found(ask, path):
    status, answer = await ask("GET", path)
    assert (status, answer["message"]) == (404, "the server could not find the requested resource")


async def test_the_first_namespaces_are_there_at_start(ask):
    for name in ("default", "kube-system", "lambent-system"):
        _, found = await ask("GET", f"{NAMESPACES}/{name}")
        assert found["metadata"]["labels"] == {"kubernetes.io/metadata.name": name}
        assert (found["status"]["phase"], found["spec"]["finalizers"]) == ("Active", ["kubernetes"])


async def test_a_namespace_lets_go_of_its_own_finalizer_when_it_is_empty(ask):
    await ask("POST", NAMESPACES, {"metadata": {"name": "held", "finalizers": ["example.org/hold"]}})
    await ask("DELETE", f"{NAMESPACES}/held")
    await asyncio.sleep(1)
    _, dying = await ask("GET", f"{NAMESPACES}/held")
    assert (dying["status"]["phase"], dying["spec"]) == ("Terminating", {})
    assert {condition["status"] for condition in dying["status"]["conditions"]} == {"False"}
    assert (await ask("PATCH", f"{NAMESPACES}/held", {"metadata": {"finalizers": None}}, media=MERGE))[0] == 200
    assert (await ask("GET", f"{NAMESPACES}/held"))[0] == 404


async def test_finalizers_of_the_spec_are_changed_by_finalize_alone(ask):
    await ask("POST", NAMESPACES, {"metadata": {"name": "held"}})
    _, made = await ask("GET", f"{NAMESPACES}/held")
    more = {**made, "spec": {"finalizers": ["kubernetes", "example.org/own"]}}
    _, plain = await ask("PUT", f"{NAMESPACES}/held", more)
    assert plain["spec"]["finalizers"] == ["kubernetes"]
    more["metadata"]["resourceVersion"] = plain["metadata"]["resourceVersion"]
    _, final = await ask("PUT", f"{NAMESPACES}/held/finalize", more)
    assert final["spec"]["finalizers"] == ["kubernetes", "example.org/own"]
    await ask("DELETE", f"{NAMESPACES}/held")
    await asyncio.sleep(1)
    _, dying = await ask("GET", f"{NAMESPACES}/held")
    assert dying["spec"]["finalizers"] == ["example.org/own"]
    assert (await ask("PUT", f"{NAMESPACES}/held/finalize", {**dying, "spec": {}}))[0] == 200
    await ask.gone(f"{NAMESPACES}/held")


@pytest.mark.parametrize(("path", "field"), [(CONFIGMAPS, "data"), (SECRETS, "data")])
async def test_a_map_or_secret_holds_a_mebibyte_and_no_more(ask, path, field):
    for size, code in ((1024 * 1024 - 1, 201), (1024 * 1024 + 2, 422)):
        text = "x" * size if path == CONFIGMAPS else base64.b64encode(b"x" * size).decode()
        status, answer = await ask("POST", path, {"metadata": {"name": f"of-{size}"}, field: {"k": text}})
        assert status == code, answer.get("message", "")[:200]


async def test_texts_of_a_secret_become_its_data(ask):
    body = {"metadata": {"name": "s"}, "data": {"a": "YQ==", "b": "Yg=="}, "stringData": {"b": "text"}}
    _, made = await ask("POST", SECRETS, body)
    assert (made["data"], made["type"]) == ({"a": "YQ==", "b": base64.b64encode(b"text").decode()}, "Opaque")
    assert "stringData" not in made


@pytest.mark.parametrize("path", [CONFIGMAPS, SECRETS])
async def test_what_is_immutable_keeps_its_data(ask, path):
    await ask("POST", path, {"metadata": {"name": "i"}, "data": {"a": "YQ=="}, "immutable": True})
    for patch in ({"data": {"a": "Yg=="}}, {"data": {"b": "Yg=="}}, {"immutable": False}):
        status, answer = await ask("PATCH", f"{path}/i", patch, media=MERGE)
        assert (status, "field is immutable when `immutable` is set" in answer["message"]) == (422, True)
    assert (await ask("PATCH", f"{path}/i", {"metadata": {"labels": {"a": "b"}}}, media=MERGE))[0] == 200


def _event(**more: Any) -> dict[str, Any]:
    return {"metadata": {"name": "e"}, "involvedObject": {"kind": "Pod", "namespace": "default", "name": "p"}, **more}


async def test_both_views_of_an_event_are_one_object(ask):
    _, made = await ask("POST", EVENTS, _event(reason="R", message="m", type="Normal", count=3))
    _, seen = await ask("GET", f"{NEW_EVENTS}/e")
    assert (seen["note"], seen["regarding"]["name"], seen["deprecatedCount"]) == ("m", "p", 3)
    assert seen["metadata"]["uid"] == made["metadata"]["uid"]
    await ask("DELETE", f"{NEW_EVENTS}/e")
    assert (await ask("GET", f"{EVENTS}/e"))[0] == 404


async def test_the_newer_view_wants_a_time(ask):
    new = {"metadata": {"name": "n"}, "regarding": {"kind": "Pod", "namespace": "default"}, "reason": "R"}
    new |= {"reportingController": "a.dev/c", "reportingInstance": "i", "action": "A", "type": "Normal"}
    status, answer = await ask("POST", NEW_EVENTS, new)
    assert (status, "eventTime" in answer["message"]) == (422, True)
    assert (await ask("POST", NEW_EVENTS, new | {"eventTime": "2026-01-01T00:00:00.000000Z"}))[0] == 201


async def test_an_event_lives_an_hour_from_its_last_change(ask):
    await ask("POST", EVENTS, _event(count=1))
    await asyncio.sleep(3_500)
    await ask("PATCH", f"{EVENTS}/e", {"count": 2}, media=MERGE)
    await asyncio.sleep(3_500)
    assert (await ask("GET", f"{EVENTS}/e"))[0] == 200
    await asyncio.sleep(200)
    assert (await ask("GET", f"{EVENTS}/e"))[0] == 404


@pytest.mark.parametrize("field", ["uid", "name", "namespace", "kind", "apiVersion"])
async def test_events_are_found_by_the_object_they_tell_of(ask, field):
    about = {"uid": "u", "name": "p", "namespace": "default", "kind": "Pod", "apiVersion": "v1"}
    await ask("POST", EVENTS, _event() | {"involvedObject": about})
    for value, count in ((about[field], 1), ("other", 0)):
        _, found = await ask("GET", f"{EVENTS}?fieldSelector=involvedObject.{field}={value}")
        assert len(found["items"]) == count


async def _pod(ask: Any) -> None:
    body = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "main", "image": "i"}]}}
    assert (await ask("POST", PODS, body))[0] == 201


async def test_an_eviction_deletes_the_pod(ask):
    await _pod(ask)
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "p"}}
    status, answer = await ask("POST", f"{PODS}/p/eviction", eviction)
    assert (status, answer["status"]) == (201, "Success")
    assert (await ask("GET", f"{PODS}/p"))[0] == 404


async def test_a_binding_is_refused_and_no_pod_is_scheduled(ask):
    await _pod(ask)
    binding = {"metadata": {"name": "p"}, "target": {"kind": "Node", "name": "n"}}
    status, answer = await ask("POST", f"{PODS}/p/binding", binding)
    assert (status, "binding is refused" in answer["message"]) == (403, True)
    await asyncio.sleep(60)
    _, pod = await ask("GET", f"{PODS}/p")
    assert (pod["spec"].get("nodeName"), pod["status"]["phase"]) == (None, "Pending")


async def test_a_log_without_who_has_it_is_empty_as_of_a_pod_that_no_node_has(ask):
    await _pod(ask)
    assert await ask("GET", f"{PODS}/p/log") == (200, b"")


@pytest.mark.parametrize("subresource", ["log", "exec", "attach"])
async def test_a_container_is_named_where_a_pod_has_several_and_may_be_an_initial_one(ask, subresource):
    initial, others = [{"name": "first", "image": "i"}], [{"name": name, "image": "i"} for name in ("main", "side")]
    spec = {"initContainers": initial, "containers": others}
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec}
    assert (await ask("POST", PODS, body))[0] == 201
    _, unnamed = await ask("GET", f"{PODS}/p/{subresource}")
    assert unnamed["message"] == "a container name must be specified for pod p, choose one of: [first main side]"
    _, wrong = await ask("GET", f"{PODS}/p/{subresource}?container=none")
    assert wrong["message"] == "container none is not valid for pod p"
    status, answer = await ask("GET", f"{PODS}/p/{subresource}?container=first")
    no_host = "pod p does not have a host assigned"
    if subresource == "log":
        assert (status, answer) == (200, b"")
    else:
        assert answer["message"] == no_host


async def test_roles_are_stored_and_not_enforced(ask, server):
    await ask("POST", "/api/v1/namespaces/default/serviceaccounts", {"metadata": {"name": "nobody"}})
    _, minted = await ask("POST", "/api/v1/namespaces/default/serviceaccounts/nobody/token", {})
    bearer = (b"authorization", f"Bearer {minted['status']['token']}".encode())
    assert (await server.service(Request("DELETE", CONFIGMAPS.encode(), [bearer]))).status == 200


async def test_nothing_is_bound_or_aggregated(ask):
    claims = "/api/v1/namespaces/default/persistentvolumeclaims"
    spec: Any = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    await ask("POST", claims, {"metadata": {"name": "c"}, "spec": spec})
    service = {"group": "far.example.org", "version": "v1", "groupPriorityMinimum": 1, "versionPriority": 1}
    path = "/apis/apiregistration.k8s.io/v1/apiservices"
    spec = service | {"service": {"name": "s", "namespace": "default"}, "insecureSkipTLSVerify": True}
    assert (await ask("POST", path, {"metadata": {"name": "v1.far.example.org"}, "spec": spec}))[0] == 201
    await asyncio.sleep(60)
    assert (await ask("GET", f"{claims}/c"))[1]["status"]["phase"] == "Pending"
    assert await ask("GET", "/apis/far.example.org/v1") == (404, b"404 page not found\n")


@pytest.mark.parametrize(
    ("spec", "allowed"),
    [
        ({"user": "lambent:admin"}, True),
        ({"user": "system:serviceaccount:default:x"}, True),
        ({"user": "x", "groups": ["system:masters"]}, True),
        ({"user": "somebody"}, False),
    ],
)
async def test_reviews_are_computed(ask, spec, allowed):
    asked = {"spec": {"resourceAttributes": {"verb": "get", "resource": "pods"}, **spec}}
    _, review = await ask("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", asked)
    assert review["status"]["allowed"] is allowed


async def test_a_dry_run_stores_nothing_and_passes_every_stage(ask):
    status, made = await ask("POST", f"{CONFIGMAPS}?dryRun=All", configmap("a"))
    assert (status, bool(made["metadata"]["uid"])) == (201, True)
    assert (await ask("GET", f"{CONFIGMAPS}/a"))[0] == 404
    assert (await ask("POST", f"{CONFIGMAPS}?dryRun=All", configmap("A")))[0] == 422
    await ask("POST", CONFIGMAPS, configmap("a"))
    assert (await ask("POST", f"{CONFIGMAPS}?dryRun=All", configmap("a")))[0] == 409
    assert (await ask("DELETE", f"{CONFIGMAPS}?dryRun=All"))[0] == 200
    assert (await ask("GET", f"{CONFIGMAPS}/a"))[0] == 200


async def test_a_pod_is_completed_further_than_its_template(ask):
    container = {
        "name": "c",
        "image": "i",
        "ports": [{"containerPort": 80}],
        "resources": {"limits": {"memory": "1Gi", "cpu": "2"}, "requests": {"cpu": "1"}},
    }
    spec = {"containers": [container], "hostNetwork": True, "terminationGracePeriodSeconds": -5}
    template = {"metadata": {"labels": {"a": "b"}}, "spec": spec}
    owner = {"metadata": {"name": "d"}, "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": template}}
    _, pod = await ask("POST", "/api/v1/namespaces/default/pods", {"metadata": {"name": "p"}, "spec": spec})
    _, made = await ask("POST", "/apis/apps/v1/namespaces/default/deployments", owner)
    told = []
    for found in (pod["spec"], made["spec"]["template"]["spec"]):
        one = found["containers"][0]
        told.append((one["resources"]["requests"], one["ports"][0], found["terminationGracePeriodSeconds"]))
    port = {"containerPort": 80, "protocol": "TCP"}
    assert told == [({"cpu": "1", "memory": "1Gi"}, {**port, "hostPort": 80}, 1), ({"cpu": "1"}, port, -5)]
