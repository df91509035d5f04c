"""What of a body its endpoint stores: status alone at `/status`, all but status at the object itself.

The rest of the body is read all the same, as kube-apiserver reads it before it drops it: it may be refused, warned of,
and managers answer for the metadata that was sent. Not here: the scale, which is another object (`scaling`).
"""

from dataclasses import replace
from typing import Any

import orjson

from lambent.kubeserver import metadata
from lambent.kubeserver.builtin.table import object_meta
from lambent.kubeserver.draft import Draft
from lambent.kubeserver.resources import ENVELOPE
from lambent.kubeserver.writes.ownership import DEDUCED, misfits, shape_of
from lambent.kubeserver.writes.stages import fields

_STATUS_ENVELOPE = (*ENVELOPE, "status")
_FREE = ("labels", "annotations", "finalizers", "ownerReferences")
_NEVER_OWNED = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp", "generation", "managedFields")


def confine(draft: Draft) -> None:
    """A write to `/status` changes status alone, one to the object all but status (where status is a subresource)."""
    new: Any = draft.new
    old: Any = draft.old
    if draft.resource.has_status and not draft.is_apply:
        dropped(draft)
    if draft.subresource == "status":
        kept: Any = dict(old)
        kept["metadata"] = dict(old["metadata"])
        if not draft.resource.custom:
            _take_metadata(kept["metadata"], new["metadata"], draft.resource.traits.status_keeps)
        draft.sent = sent_metadata(new["metadata"], old["metadata"])
        kept.pop("status", None)
        if "status" in new:
            kept["status"] = new["status"]
        if draft.resource.custom:
            draft.is_unfit |= any(new.get(name) != old.get(name) for name in ("apiVersion", "kind"))
        else:
            kept["apiVersion"], kept["kind"] = new.get("apiVersion"), new.get("kind")
        draft.new = _untouched(draft, kept)
    elif draft.resource.has_status:
        new.pop("status", None)
        if "status" in old:
            new["status"] = _untouched(draft, old["status"])


def _take_metadata(kept: dict[str, Any], given: dict[str, Any], fixed: tuple[str, ...]) -> None:
    """Of a builtin kind `/status` stores the metadata, too, but for what is `fixed`: in both it is then the old."""
    for name in _FREE:
        source, target = (kept, given) if name in fixed else (given, kept)
        target.pop(name, None)
        if name in source:
            target[name] = source[name]


def _untouched(draft: Draft, kept: Any) -> Any:
    """What is kept of the old object, whatever admission does to it: to what its own schema admitted before it does
    nothing, but the body of a builtin kind is read and written as a struct."""
    return kept if draft.resource.custom else orjson.loads(orjson.dumps(kept))


def dropped(draft: Draft) -> None:
    """What of a body is not stored is read all the same: it may be refused, warned of, or confuse the tracking."""
    old: Any = draft.old or {}
    is_status = draft.subresource == "status"
    names = [name for name in {**draft.new, **old} if name not in _STATUS_ENVELOPE] if is_status else ["status"]
    told = ["metadata", *names] if is_status else names
    if all(draft.new.get(name) == old.get(name) for name in told):
        return
    if not isinstance(draft.new.get("metadata"), dict):
        return
    whole: Any = orjson.loads(orjson.dumps(draft.new))
    probe = replace(draft, new=whole, problems=[])
    fields(probe)
    shape = shape_of(draft.resource)
    draft.is_unfit = any(
        any(misfits(shape.member(name) or DEDUCED, whole[name], applied=False)) for name in names if name in whole
    )


def sent_metadata(given: dict[str, Any], old: Any) -> dict[str, Any] | None:
    """The metadata of a body whose status alone is stored, which managers answer for; None when it is the old one."""
    sent, held = ({key: one for key, one in meta.items() if key not in _NEVER_OWNED} for meta in (given, old))
    if sent == held:
        return None
    object_meta().admit(sent)
    metadata.drop_empty(sent)
    return sent
