"""`lambent reconcile`: asks the controller for a pass by annotation, as Koreo's tool does."""

from datetime import UTC, datetime

from lambent.kube.types import GVK
from lambent.platform.workloads.reading import connected, definitions, find, trigger_kinds
from lambent.settings import Cluster
from lambent.workflow.authoring.explanation import object_name

MANUAL_ANNOTATION = "koreo.dev/last-manual-reconcile"


async def request_pass(cluster: Cluster, words: str, *, namespace: str) -> dict[str, str]:
    """`{object, requested_at}`; the controller sees the new annotation and runs the workflow."""
    async with connected(cluster) as kube:
        catalog = await definitions(kube)
        obj = await find(kube, words, namespace, trigger_kinds(catalog))
        metadata = obj["metadata"]
        # Microseconds, so that two requests within a second are two.
        stamp = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        body = {"metadata": {"annotations": {MANUAL_ANNOTATION: stamp}}}
        await kube.patch(GVK.of(obj), metadata["name"], body, namespace=metadata.get("namespace"), manager="lambent")
        return {"object": object_name(dict(obj)), "requested_at": stamp}
