"""Deletion of a trigger: resources with `delete: destroy` go in reverse order, each confirmed gone before the next.

What is to be deleted comes from the record on the trigger alone, so a workflow or function that is missing by then does
not matter; whether it is the trigger's to delete, the object says (`claims`). Owner references take care of the rest;
objects that are abandoned only lose our reference to the trigger.

A write follows a look at the object and states the revision that was seen. An object that changes meanwhile, as one
with a busy status does, is looked at again at once, some times.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from lambent.kube.client import KubeClient
from lambent.kube.errors import Conflict, KubeError, NotFound
from lambent.kube.types import KubeObject, Preconditions
from lambent.workflow.controller.claims import Holders, objection
from lambent.workflow.controller.executor import gvk_of
from lambent.workflow.controller.records import load_record
from lambent.workflow.engine import ResourceRef
from lambent.workflow.engine.managed import Record
from lambent.workflow.engine.patches import APPLIED_BY_ANNOTATION, LAST_APPLIED_ANNOTATION

# The kit tries again with back-off after these.
_ATTEMPTS = 5
Watch = Callable[[ResourceRef], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Blocked:
    """The object that must go before the deletion can continue."""

    ref: ResourceRef
    message: str


@dataclass(frozen=True, slots=True)
class Ending:
    """Whose resources end. `tell` is told of an object that stays, and why."""

    kube: KubeClient
    trigger: KubeObject
    tell: Callable[[ResourceRef, str], Awaitable[None]]
    holders: Holders


async def delete_resources(ending: Ending, *, watch: Watch) -> Blocked | None:
    """One step further in the deletion; None when everything that had to go is gone. Raises KubeError.

    `watch` is awaited before a delete, so that the event of its completion is not missed.
    """
    kube, trigger = ending.kube, ending.trigger

    async def destroy(ref: ResourceRef, live: KubeObject) -> None:
        await watch(ref)
        await _delete(kube, ref, live)

    async def release(ref: ResourceRef, live: KubeObject) -> None:
        await _release(kube, ref, live, trigger["metadata"].get("uid", ""))

    record = await load_record(kube, trigger)
    for ref in reversed(record.refs()):
        if ref.is_readonly:
            continue
        if ref.deletion == "abandon":
            await _end(ending, ref, release)
        elif ref.deletion == "destroy" and (live := await _end(ending, ref, destroy)) is not None:
            return Blocked(ref, _message(ref, live))
    return None


async def delete_orphans(ending: Ending, record: Record) -> KubeError | None:
    """Deletes what no step manages any longer, by each one's own policy, and takes what is gone off the record.

    The last error is returned: what cannot be deleted stays on the record, which is to be stored before it is raised.
    """

    async def delete(ref: ResourceRef, live: KubeObject) -> None:
        await _delete(ending.kube, ref, live)

    kept, failed = [], None
    for ref in record.orphans:
        try:
            if ref.deletion != "abandon" and await _end(ending, ref, delete) is not None:
                kept.append(ref)
        except KubeError as error:
            kept.append(ref)
            failed = error
    record.orphans = kept
    return failed


async def _end(
    ending: Ending, ref: ResourceRef, act: Callable[[ResourceRef, KubeObject], Awaitable[None]]
) -> KubeObject | None:
    """The object as it was when this was done to it; None when none is there that is the trigger's to end."""
    for attempt in range(_ATTEMPTS):
        try:
            live = await ending.kube.get(gvk_of(ref), ref.name, namespace=ref.namespace or None)
            why = await objection(ending.kube, ending.trigger, ref, live, ending.holders)
            if why:
                await ending.tell(ref, why)
                return None
            await act(ref, live)
        except NotFound:
            return None
        except Conflict:
            if attempt == _ATTEMPTS - 1:
                raise
        else:
            return live
    return None


async def _delete(kube: KubeClient, ref: ResourceRef, live: KubeObject) -> None:
    metadata = live["metadata"]
    if not metadata.get("deletionTimestamp"):
        seen = Preconditions(metadata.get("uid"), metadata.get("resourceVersion"))
        await kube.delete(gvk_of(ref), ref.name, namespace=ref.namespace or None, preconditions=seen)


async def _release(kube: KubeClient, ref: ResourceRef, live: KubeObject, uid: str) -> None:
    """An explicitly abandoned object must survive its owner."""
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
