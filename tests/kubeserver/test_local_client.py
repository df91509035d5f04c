"""The client in the server's own process."""

import pytest

from lambent.kube.errors import Conflict, Invalid
from lambent.kube.fencing import current_fence
from lambent.kube.types import GVK

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
