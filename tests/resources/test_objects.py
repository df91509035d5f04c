"""The object of a pass: what is made in AWS is made for an object that is there."""

import pytest

from lambent.kube.errors import Conflict, NotFound
from lambent.kube.fake import FakeKube
from lambent.kube.types import GVK, KubeObject
from lambent.resources import crds
from lambent.resources.objects import Held

POLICY = GVK("iam.services.k8s.aws", "v1alpha1", "Policy")
FINALIZER = "lambent.dev/iam"


async def held_of(kube: FakeKube) -> Held:
    obj: KubeObject = {
        "apiVersion": POLICY.api_version,
        "kind": POLICY.kind,
        "metadata": {"name": "p", "namespace": "default", "finalizers": [FINALIZER]},
    }
    return Held(kube, await kube.create(obj), finalizer=FINALIZER, manager="m")


async def test_an_object_that_went_while_the_cache_still_shows_it_claims_nothing() -> None:
    kube = FakeKube(crds=crds())
    held = await held_of(kube)
    await kube.patch(POLICY, "p", {"metadata": {"finalizers": None}}, namespace="default")
    await kube.delete(POLICY, "p", namespace="default")
    with pytest.raises(NotFound):
        await held.claim()


async def test_an_object_that_changed_meanwhile_is_looked_at_again_first() -> None:
    kube = FakeKube(crds=crds())
    held = await held_of(kube)
    await held.claim()
    await kube.delete(POLICY, "p", namespace="default")
    with pytest.raises(Conflict):
        await held.claim()
