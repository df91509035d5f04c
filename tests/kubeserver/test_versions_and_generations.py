"""Versions, generations, names and uids of every kind: the table of metadata, kind by kind."""

from typing import Any

import pytest

from lambent.kubeserver import KubeServer
from tests.kubeserver.asking import CONFIGMAPS, CRDS, GIZMOS, MERGE, Asker, configmap, gizmo, gizmo_crd

CORE = "/api/v1/namespaces/default"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
TEMPLATE = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
WORKLOAD = {"selector": {"matchLabels": {"a": "b"}}, "template": TEMPLATE}
JOB = {"template": {"spec": {"containers": [{"name": "c", "image": "i"}], "restartPolicy": "Never"}}}
RULES = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]
SUBJECTS = [{"kind": "User", "name": "u"}]
REF = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "r"}
SCALED = {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"}, "maxReplicas": 3}
FAR = {"group": "far.dev", "version": "v1", "groupPriorityMinimum": 1, "versionPriority": 1}
FAR |= {"service": {"name": "s", "namespace": "default"}, "insecureSkipTLSVerify": True}

# Path of the collection, the object beyond its name, a merge patch of what counts.
KINDS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "Namespace": ("/api/v1/namespaces", {}, {}),
    "ConfigMap": (CONFIGMAPS, {}, {"data": {"a": "b"}}),
    "Secret": (f"{CORE}/secrets", {}, {"data": {"a": "Yg=="}}),
    "Service": (f"{CORE}/services", {"spec": {"ports": [{"port": 80}]}}, {"spec": {"selector": {"a": "b"}}}),
    "ServiceAccount": (f"{CORE}/serviceaccounts", {}, {"automountServiceAccountToken": False}),
    "Event": (f"{CORE}/events", {"involvedObject": {"namespace": "default"}}, {"count": 2}),
    "Lease": ("/apis/coordination.k8s.io/v1/namespaces/default/leases", {}, {"spec": {"holderIdentity": "x"}}),
    "PersistentVolumeClaim": (
        f"{CORE}/persistentvolumeclaims",
        {"spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}},
        {"metadata": {"labels": {"a": "b"}}},
    ),
    "HorizontalPodAutoscaler": (
        "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers",
        {"spec": SCALED},
        {"spec": {"maxReplicas": 4}},
    ),
    "APIService": ("/apis/apiregistration.k8s.io/v1/apiservices", {"spec": FAR}, {"spec": {"versionPriority": 2}}),
    "Role": (f"{RBAC}/namespaces/default/roles", {}, {"rules": RULES}),
    "ClusterRole": (f"{RBAC}/clusterroles", {}, {"rules": RULES}),
    "RoleBinding": (f"{RBAC}/namespaces/default/rolebindings", {"roleRef": REF}, {"subjects": SUBJECTS}),
    "ClusterRoleBinding": (f"{RBAC}/clusterrolebindings", {"roleRef": REF}, {"subjects": SUBJECTS}),
    "Pod": (
        f"{CORE}/pods",
        {"spec": {"containers": [{"name": "c", "image": "i"}]}},
        {"spec": {"activeDeadlineSeconds": 9}},
    ),
    "Deployment": ("/apis/apps/v1/namespaces/default/deployments", {"spec": WORKLOAD}, {"spec": {"replicas": 3}}),
    "ReplicaSet": ("/apis/apps/v1/namespaces/default/replicasets", {"spec": WORKLOAD}, {"spec": {"replicas": 3}}),
    "StatefulSet": ("/apis/apps/v1/namespaces/default/statefulsets", {"spec": WORKLOAD}, {"spec": {"replicas": 3}}),
    "DaemonSet": ("/apis/apps/v1/namespaces/default/daemonsets", {"spec": WORKLOAD}, {"spec": {"minReadySeconds": 3}}),
    "Job": ("/apis/batch/v1/namespaces/default/jobs", {"spec": JOB}, {"spec": {"parallelism": 3}}),
    "EndpointSlice": (
        "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices",
        {"addressType": "IPv4", "endpoints": [{"addresses": ["10.0.0.1"]}]},
        {"metadata": {"labels": {"a": "b"}}},
    ),
    "NetworkPolicy": (
        "/apis/networking.k8s.io/v1/namespaces/default/networkpolicies", {"spec": {"podSelector": {}}},
        {"spec": {"podSelector": {"matchLabels": {"a": "b"}}}},
    ),
    "PodDisruptionBudget": (
        "/apis/policy/v1/namespaces/default/poddisruptionbudgets",
        {"spec": {"minAvailable": 1, "selector": {"matchLabels": {"a": "b"}}}},
        {"spec": {"minAvailable": 2}},
    ),
    "Gizmo": (GIZMOS, {"apiVersion": "test.example.org/v1", "kind": "Gizmo", "spec": {}}, {"spec": {"x": 1}}),
}  # fmt: skip
UNCOUNTED = {
    "Namespace", "ConfigMap", "Secret", "Service", "ServiceAccount", "Event", "Lease", "PersistentVolumeClaim",
    "HorizontalPodAutoscaler", "APIService", "Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding",
}  # fmt: skip
VERSIONED = {"Gizmo", "Lease", "PodDisruptionBudget", "APIService"}


async def _made(ask: Asker, kind: str, **meta: Any) -> tuple[str, Any]:
    path, body, _ = KINDS[kind]
    await ask.add_crd(gizmo_crd(subresources={"status": {}}))
    name = "v1.far.dev" if kind == "APIService" else "a"
    status, made = await ask("POST", path, {**body, "metadata": {"name": name, **meta}})
    assert status == 201, made
    return f"{path}/{name}", made


@pytest.mark.parametrize("kind", KINDS)
async def test_a_generation_counts_what_counts_for_its_kind(ask, kind):
    path, made = await _made(ask, kind)
    assert made["metadata"].get("generation") == (None if kind in UNCOUNTED else 1)
    _, noted = await ask("PATCH", path, {"metadata": {"annotations": {"a": "b"}}}, media=MERGE)
    by_note = kind == "Deployment"  # its controller copies annotations to what it makes
    assert noted["metadata"].get("generation") == (None if kind in UNCOUNTED else 1 + by_note)
    status, changed = await ask("PATCH", path, KINDS[kind][2], media=MERGE)
    assert status == 200, changed
    assert changed["metadata"].get("generation") == (None if kind in UNCOUNTED else 2 + by_note)


@pytest.mark.parametrize("kind", ["Deployment", "Gizmo"])
async def test_a_write_of_the_status_is_no_generation(ask, kind):
    path, _ = await _made(ask, kind)
    _, written = await ask("PATCH", f"{path}/status", {"status": {"replicas": 1}}, media=MERGE)
    assert (written["status"], written["metadata"]["generation"]) == ({"replicas": 1}, 1)


@pytest.mark.parametrize("kind", sorted(KINDS.keys() - {"Namespace"}))
async def test_a_request_to_delete_counts_where_generations_do(ask, kind):
    path, _ = await _made(ask, kind, finalizers=["example.org/hold"])
    await ask("DELETE", path)
    _, held = await ask("GET", path)
    assert held["metadata"]["deletionGracePeriodSeconds"] == 0
    assert held["metadata"].get("generation") == (None if kind in UNCOUNTED else 2)


async def test_a_request_to_delete_a_definition_is_no_generation(ask):
    await ask.add_crd(gizmo_crd())
    await ask("POST", GIZMOS, gizmo("a", finalizers=["example.org/hold"]))
    _, dying = await ask("DELETE", f"{CRDS}/gizmos.test.example.org")
    assert (dying["metadata"]["generation"], "deletionTimestamp" in dying["metadata"]) == (1, True)


async def test_a_namespace_is_deleted_without_a_grace_period(ask):
    path, _ = await _made(ask, "Namespace", finalizers=["example.org/hold"])
    _, dying = await ask("DELETE", path)
    assert "deletionGracePeriodSeconds" not in dying["metadata"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("version", ["", "0", None])
async def test_an_update_names_its_version_where_lost_updates_would_hurt(ask, kind, version):
    path, made = await _made(ask, kind)
    body = {**made, "metadata": {**made["metadata"], "resourceVersion": version}}
    if version is None:
        del body["metadata"]["resourceVersion"]
    status, answer = await ask("PUT", path, body)
    if kind in VERSIONED:
        assert (status, answer["message"].endswith("must be specified for an update")) == (422, True), answer
    else:
        assert status == 200, answer


async def test_an_update_of_a_definition_names_its_version(ask):
    await ask.add_crd(gizmo_crd())
    status, answer = await ask("PUT", f"{CRDS}/gizmos.test.example.org", gizmo_crd())
    assert (status, answer["message"].endswith("must be specified for an update")) == (422, True)


@pytest.mark.parametrize("kind", KINDS)
async def test_an_update_with_another_version_is_a_conflict(ask, kind):
    path, made = await _made(ask, kind)
    body = {**made, "metadata": {**made["metadata"], "resourceVersion": "1"}}
    status, answer = await ask("PUT", path, body)
    assert (status, answer["reason"]) == (409, "Conflict")
    patch = {"metadata": {"resourceVersion": "1", "labels": {"x": "y"}}}
    assert (await ask("PATCH", path, patch, media=MERGE))[0] == 409


@pytest.mark.parametrize("kind", KINDS)
async def test_what_the_server_gave_an_object_stays(ask, kind):
    path, made = await _made(ask, kind)
    other = {"creationTimestamp": "2001-01-01T00:00:00Z", "generation": 9, "selfLink": "/x"}
    body = {**made, "metadata": {**made["metadata"], **other}}
    status, kept = await ask("PUT", path, body)
    assert (status, kept["metadata"]["resourceVersion"]) == (200, made["metadata"]["resourceVersion"])
    assert kept["metadata"].get("generation") == made["metadata"].get("generation")
    for name, code in (("uid", 409), ("name", 400)):
        body = {**made, "metadata": {**made["metadata"], name: "other"}}
        assert (await ask("PUT", path, body))[0] == code
    assert (await ask("PATCH", path, {"metadata": {"uid": "other"}}, media=MERGE))[0] == 422


async def test_a_version_is_one_more_for_each_committed_change_and_none_for_a_refused_one(ask):
    _, first = await ask("POST", CONFIGMAPS, configmap("a"))
    assert (await ask("POST", CONFIGMAPS, configmap("a")))[0] == 409
    assert (await ask("POST", CONFIGMAPS, configmap("A")))[0] == 422
    await ask("POST", f"{CONFIGMAPS}?dryRun=All", configmap("b"))
    await ask("DELETE", f"{CONFIGMAPS}/a")
    _, second = await ask("POST", CONFIGMAPS, configmap("a"))
    assert int(second["metadata"]["resourceVersion"]) == int(first["metadata"]["resourceVersion"]) + 2
    assert first["metadata"]["resourceVersion"].isdecimal()


async def test_annotations_hold_256_kibibytes_and_objects_one_and_a_half_mebibytes():
    server = KubeServer(state_dir=None)
    await server.open()
    ask = Asker(server)
    await ask.add_crd(gizmo_crd())
    for size, code in ((256 * 1024 - 1, 201), (256 * 1024, 422)):
        assert (await ask("POST", GIZMOS, gizmo(f"a{size}", annotations={"a": "x" * size})))[0] == code
    for size, code in ((1_536 * 1024 - 2_000, 201), (1_536 * 1024, 413)):
        assert (await ask("POST", GIZMOS, gizmo(f"b{size}", {"t": "x" * size})))[0] == code
    await server.shutdown()
