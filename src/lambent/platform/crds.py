"""Every CustomResourceDefinition lambent ships, and how the embedded platform applies them.

On a real cluster the user does it: `lambent crds | kubectl apply -f -`.
"""

import asyncio

from lambent import functions, resources
from lambent.kube.client import KubeClient
from lambent.kube.errors import NotFound
from lambent.kube.types import GVK, KubeObject
from lambent.workflow import crds as workflow_crds


def all_crds() -> list[KubeObject]:
    return [*workflow_crds.crds(), *functions.crds(), *resources.crds()]


async def apply_crds(kube: KubeClient) -> None:
    """Creates or updates them all, side by side; a definition that is as it should be is not written."""
    async with asyncio.TaskGroup() as group:
        for crd in all_crds():
            group.create_task(_apply(kube, crd))


async def _apply(kube: KubeClient, crd: KubeObject) -> None:
    change = {"metadata": {"annotations": crd["metadata"].get("annotations", {})}, "spec": crd["spec"]}
    try:
        await kube.patch(GVK.of(crd), crd["metadata"]["name"], change, manager="lambent")
    except NotFound:
        await kube.create(crd, manager="lambent")
