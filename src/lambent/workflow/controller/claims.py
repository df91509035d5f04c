"""Whether an object that a record names is its trigger's to end.

A record is an annotation: it is copied with its object, restored, edited by hand. So before anything is deleted or let
go, the object itself is asked, which says by its owner references and by the mark of its last write whose it is:

    another uid than the record's                   somebody else made it since
    another living trigger of the kind owns it,
    or it was last written for that one,
    or that one's own record has it                 that one's
    no sign of this trigger, and the record has     a name alone proves nothing, and writing an annotation
    no uid, it has an owner, or it lies outside     or a ConfigMap gives nobody power over what is not in
    the trigger's namespace                         the same place, or is another's
    else                                            the trigger's

A sign of this trigger is its owner reference, its mark, that of a trigger of the kind that is gone, or a write that
tells no writer, as Koreo's do. So what two triggers manage goes with the last of them. Records that lie in ConfigMaps
are not searched; what those triggers wrote or own is spared by that.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from lambent.kube.client import KubeClient
from lambent.kube.errors import NotFound
from lambent.kube.types import GVK, KubeObject
from lambent.workflow.engine import Owner, ResourceRef, owner_of
from lambent.workflow.engine.managed import ANNOTATION, parse_record
from lambent.workflow.engine.patches import LAST_APPLIED_ANNOTATION, applied_by, written_for

# The triggers of the kind whose records have an object, by its uid.
Holders = Callable[[str], Iterable[KubeObject]]
_UID = re.compile(r'"uid":"([^"]+)"')


def uids_of(trigger: KubeObject) -> Iterable[str]:
    """What an index finds the trigger by as a holder; none where the record does not say whose it is."""
    metadata = trigger["metadata"]
    text = (metadata.get("annotations") or {}).get(ANNOTATION)
    uids = set(_UID.findall(text)) if isinstance(text, str) else set()
    return uids - {metadata.get("uid", "")} if metadata.get("uid") in uids else ()


async def objection(kube: KubeClient, trigger: KubeObject, ref: ResourceRef, live: KubeObject, holders: Holders) -> str:
    """Why the object is not the trigger's to end; empty when it is. Raises KubeError."""
    owner = owner_of(trigger)
    assert owner is not None
    if ref.uid and ref.uid != live["metadata"].get("uid"):
        return "it was made anew by others"
    other = await _other(kube, owner, live) or _holder(owner, live, holders)
    if other:
        return f"it belongs to {other} too"
    # If a trigger of the kind wrote it last, that one is gone, since no other one was found.
    if _has_sign(owner, live) or (ref.uid and (_is_beside(owner, live) or _is_of_kind(owner, live))):
        return ""
    return f"nothing on it says that it belongs to {owner.kind}/{owner.name}"


def is_left_behind(owner: Owner, live: KubeObject) -> bool:
    """Whether no garbage collector would take it with the trigger, and one of the kind wrote it last."""
    return not _is_owned(owner, live) and _is_of_kind(owner, live)


def _has_sign(owner: Owner, live: Mapping[str, Any]) -> bool:
    if not applied_by(live) and LAST_APPLIED_ANNOTATION in (live["metadata"].get("annotations") or {}):
        return True
    return _is_owned(owner, live) or written_for(live) == str(owner)


def _is_owned(owner: Owner, live: Mapping[str, Any]) -> bool:
    return any(reference.get("uid") == owner.uid for reference in _references(live))


def _is_beside(owner: Owner, live: KubeObject) -> bool:
    is_near = bool(owner.namespace) and live["metadata"].get("namespace") == owner.namespace
    return is_near and not _references(live)


def _is_of_kind(owner: Owner, live: KubeObject) -> bool:
    return written_for(live).startswith(f"{owner.kind}/")


def _holder(owner: Owner, live: KubeObject, holders: Holders) -> str:
    """Another trigger whose record has the object. One that is being deleted ends it too, or has been told not to."""
    uid = live["metadata"].get("uid", "")
    # Who owns it has said so on the object.
    for trigger in () if _is_owned(owner, live) else holders(uid):
        metadata = trigger["metadata"]
        if metadata.get("uid") == owner.uid or metadata.get("deletionTimestamp"):
            continue
        record = parse_record(dict(metadata))
        if any(ref.uid == uid and not ref.is_readonly for label in record.resources for ref in record.of(label)):
            return f"{owner.kind}/{metadata['name']}"
    return ""


async def _other(kube: KubeClient, owner: Owner, live: KubeObject) -> str:
    """Another trigger of the kind that lives and has a sign on the object."""
    kind = GVK.parse(owner.api_version, owner.kind)
    for reference in _references(live):
        if reference.get("uid") != owner.uid and _is_of(kind, reference):
            namespace = live["metadata"].get("namespace", "") if owner.namespace else ""
            found = await _found(kube, kind, namespace, reference["name"])
            if found is not None and found["metadata"].get("uid") == reference.get("uid"):
                return f"{kind.kind}/{reference['name']}"
    told = written_for(live)
    if told == str(owner) or told.count("/") != 2:
        return ""
    told_kind, namespace, name = told.split("/")
    is_there = told_kind == kind.kind and await _found(kube, kind, namespace, name) is not None
    return f"{told_kind}/{name}" if is_there else ""


def _references(live: Mapping[str, Any]) -> list[Any]:
    return live["metadata"].get("ownerReferences") or []


def _is_of(kind: GVK, reference: Mapping[str, Any]) -> bool:
    named = GVK.parse(reference.get("apiVersion", ""), reference.get("kind", ""))
    return (named.group, named.kind) == (kind.group, kind.kind)


async def _found(kube: KubeClient, kind: GVK, namespace: str, name: str) -> KubeObject | None:
    try:
        return await kube.get(kind, name, namespace=namespace or None)
    except NotFound:
        return None
