"""The client in the server's own process."""

from typing import Any

import pytest

from lambent.kube.errors import Conflict, Invalid, KubeError
from lambent.kube.fencing import current_fence
from lambent.kube.types import GVK
from lambent.kubeserver.requests.decoding import DEEPEST
from tests.kubeserver.asking import GIZMOS, gizmo, gizmo_crd

CONFIG_MAP = GVK("", "v1", "ConfigMap")


async def test_a_local_write_of_an_older_term_is_refused(ask, server):
    lease = {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": "lead"},
        "spec": {"leaseTransitions": 3},
    }
    await ask("POST", "/apis/coordination.k8s.io/v1/namespaces/default/leases", lease)
    client = server.local_client()
    made = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "default"}}
    token = current_fence.set("default/lead/2")
    try:
        with pytest.raises(Conflict):
            await client.create(made)
    finally:
        current_fence.reset(token)
    await client.create(made)
    assert (await client.get(CONFIG_MAP, "a", namespace="default"))["metadata"]["name"] == "a"


@pytest.mark.parametrize(
    ("namespace", "name"), [("default/secrets/s?a=", "a"), ("default", "../../secrets/s"), ("default", "..")]
)
async def test_no_name_or_namespace_reaches_another_object(ask, server, namespace, name):
    await ask("POST", "/api/v1/namespaces/default/secrets", {"metadata": {"name": "s"}, "kind": "Secret"})
    with pytest.raises(Invalid):
        await server.local_client().get(CONFIG_MAP, name, namespace=namespace)


async def test_a_local_body_of_too_many_levels_is_refused_like_any_other(server):
    deep: Any = 1
    for _ in range(DEEPEST):
        deep = {"a": deep}
    plain: Any = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "default"}}
    body = plain | {"x": deep}
    client = server.local_client()
    await client.create(plain)
    patch = client.patch(CONFIG_MAP, "a", {"x": deep}, namespace="default")
    for write in (client.create(body), client.apply(body, manager="m"), patch):
        with pytest.raises(KubeError, match=f"nests more than {DEEPEST} levels deep"):
            await write


@pytest.mark.parametrize("number", [2**53 + 1, 2**63, 2**64 - 1, 1.0, 1e20])
async def test_numbers_are_stored_alike_whoever_sends_them(ask, server, number):
    await ask.add_crd(gizmo_crd({"type": "object", "x-kubernetes-preserve-unknown-fields": True}))
    client = server.local_client()
    await client.create(gizmo("a", {"n": number}, namespace="default"))
    await ask("POST", GIZMOS, gizmo("b", {"n": number}, namespace="default"))
    await client.apply(gizmo("c", {"n": number}, namespace="default"), manager="m")
    stored = [(await ask("GET", f"{GIZMOS}/{name}"))[1]["spec"]["n"] for name in "abc"]
    assert stored[0] == stored[1] == stored[2]
    assert len({type(one) for one in stored}) == 1
