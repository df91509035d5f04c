"""Deletion of a trigger: resources with `delete: destroy` go in reverse order, each confirmed gone before the next.

What is to be deleted comes from the record on the trigger alone, so a workflow or function that is missing by then does
not matter. Owner references take care of the rest; objects that are abandoned only lose our reference to the trigger.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from lambent.kube.client import KubeClient
from lambent.kube.errors import NotFound
from lambent.kube.types import KubeObject, Preconditions
from lambent.workflow.controller.executor import gvk_of
from lambent.workflow.controller.records import load_record
from lambent.workflow.engine import ResourceRef
from lambent.workflow.engine.managed import Record
from lambent.workflow.engine.patches import APPLIED_BY_ANNOTATION, LAST_APPLIED_ANNOTATION


@dataclass(frozen=True, slots=True)
class Blocked:
    """The object that must go before the deletion can continue."""

    ref: ResourceRef
    message: str


async def delete_resources(
    kube: KubeClient, trigger: KubeObject, *, watch: Callable[[ResourceRef], Awaitable[None]]
) -> Blocked | None:
    """One step further in the deletion; None when everything that had to go is gone. Raises KubeError.

    `watch` is awaited before a delete, so that the event of its completion is not missed.
    """
    record = await load_record(kube, trigger)
    for ref in reversed(record.refs()):
        if ref.is_readonly:
            continue
        try:
            live = await kube.get(gvk_of(ref), ref.name, namespace=ref.namespace or None)
        except NotFound:
            continue
        if ref.uid and ref.uid != live["metadata"].get("uid"):
            # Made by somebody else since; not ours to delete.
            continue
        if ref.deletion != "destroy":
            await _release(kube, ref, live, trigger["metadata"].get("uid", ""))
            continue
        await watch(ref)
        await _delete(kube, ref, live)
        return Blocked(ref, _message(ref, live))
    return None


async def delete_orphans(kube: KubeClient, record: Record) -> None:
    """Deletes what no step manages any longer, by each one's own policy, and takes what is gone off the record."""
    kept = []
    for ref in record.orphans:
        try:
            live = await kube.get(gvk_of(ref), ref.name, namespace=ref.namespace or None)
        except NotFound:
            continue
        if ref.deletion == "abandon" or (ref.uid and ref.uid != live["metadata"].get("uid")):
            continue
        await _delete(kube, ref, live)
        kept.append(ref)
    record.orphans = kept


async def _delete(kube: KubeClient, ref: ResourceRef, live: KubeObject) -> None:
    metadata = live["metadata"]
    if metadata.get("deletionTimestamp"):
        return
    try:
        await kube.delete(
            gvk_of(ref), ref.name, namespace=ref.namespace or None, preconditions=Preconditions(uid=metadata.get("uid"))
        )
    except NotFound:
        return


async def _release(kube: KubeClient, ref: ResourceRef, live: KubeObject, uid: str) -> None:
    """An explicitly abandoned object must survive its owner."""
    if ref.deletion != "abandon":
        return
    metadata = live["metadata"]
    references = metadata.get("ownerReferences") or []
    kept = [reference for reference in references if reference.get("uid") != uid]
    annotations = metadata.get("annotations") or {}
    if len(kept) == len(references) and LAST_APPLIED_ANNOTATION not in annotations:
        return
    body: dict[str, Any] = {
        "metadata": {
            "ownerReferences": kept or None,
            "annotations": {LAST_APPLIED_ANNOTATION: None, APPLIED_BY_ANNOTATION: None},
            "resourceVersion": metadata["resourceVersion"],
        }
    }
    await kube.patch(gvk_of(ref), ref.name, body, namespace=ref.namespace or None)


def _message(ref: ResourceRef, live: KubeObject) -> str:
    names = live["metadata"].get("finalizers") or []
    held = f", held by finalizers {', '.join(names)}" if names else ""
    return f"Waiting for {ref} to be deleted{held}."
