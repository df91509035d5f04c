"""What a write does to the owners of fields: apply in full, and the tracking of all other writes.

Values that others own are a conflict when an apply would change them (unless forced); equal values are shared. The time
of an entry moves only when its write changed something.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Any

from lambent.clock import rfc3339
from lambent.kube.types import KubeObject
from lambent.kubeserver.answers.jsonpath import simple_path, value_at
from lambent.kubeserver.builtin.bodies import fill_empty
from lambent.kubeserver.builtin.table import definitions
from lambent.kubeserver.draft import Draft
from lambent.kubeserver.resources import Resource
from lambent.kubeserver.status import ApiError
from lambent.kubeserver.writes.ownership import fieldsets, last_applied
from lambent.kubeserver.writes.ownership.fieldsets import Fields
from lambent.kubeserver.writes.ownership.fitting import misfits
from lambent.kubeserver.writes.ownership.managers import Entry, Manager, Managers, decode, encode, is_reset
from lambent.kubeserver.writes.ownership.shapes import ENVELOPE_SCHEMAS, Shape, ShapeMaker
from lambent.kubeserver.writes.ownership.values import (
    Comparison,
    Unplaced,
    changes_within,
    compare,
    fields_of,
    merge,
    remove,
)

_SERVERS_OWN = frozenset(
    ("name", "namespace", "creationTimestamp", "selfLink", "uid", "generation", "managedFields", "resourceVersion")
)
_STRIPPED: Fields = {
    "f:apiVersion": {},
    "f:kind": {},
    "f:metadata": {fieldsets.SELF: {}, **{f"f:{name}": {} for name in _SERVERS_OWN}},
}
_BEFORE = "before-first-apply"
_shapes: dict[Resource, Shape] = {}
_maker = ShapeMaker(definitions())


def shape_of(resource: Resource) -> Shape:
    """Made once per resource; a resource is replaced when its schema changes."""
    found = _shapes.get(resource)
    if found is None:
        if len(_shapes) > 4_096:  # resources of definitions that were replaced long ago
            _shapes.clear()
        found = _shapes[resource] = _maker.make(_whole(resource))
    return found


def _whole(resource: Resource) -> Any:
    source = resource.schema.source
    if not resource.custom:
        return source
    return {**source, "type": "object", "properties": {**(source.get("properties") or {}), **ENVELOPE_SCHEMAS}}


def _ownable(fields: Fields, resource: Resource, subresource: str) -> Fields:
    """What of the fields this endpoint can own."""
    return fieldsets.difference(_reachable(fields, resource, subresource), _STRIPPED)


def _reachable(fields: Fields, resource: Resource, subresource: str) -> Fields:
    """What of the fields this endpoint can change."""
    other = "f:spec" if subresource == "status" else "f:status" if resource.has_status else ""
    if other in fields:
        fields = {name: node for name, node in fields.items() if name != other}
    fixed = resource.traits.status_keeps if subresource == "status" else ()
    if fixed and "f:metadata" in fields:
        meta = {name: node for name, node in fields["f:metadata"].items() if name[2:] not in fixed}
        fields = {name: meta if name == "f:metadata" else node for name, node in fields.items()}
        if not meta:
            del fields["f:metadata"]
    return fields


@dataclass(frozen=True, slots=True)
class Applied:
    """The merged object, and the entries it will have."""

    obj: KubeObject
    managed: list[dict[str, Any]]


def apply(draft: Draft, *, live: KubeObject | None, force: bool, manager: str) -> Applied:
    """Merges `draft.new`, what the manager wants, into `live`.

    Raises 409 for conflicts, 500 for a body that fits no schema.
    """
    try:
        return _applied(draft, live, force=force, manager=manager)
    except Unplaced:
        text = "failed to create typed live object: an element of an associative list omits all key fields"
        raise ApiError(500, text, reason="") from None


def _applied(draft: Draft, live: KubeObject | None, *, force: bool, manager: str) -> Applied:
    resource, config = draft.resource, draft.new
    shape = shape_of(resource)
    who = Manager(manager, "Apply", resource.api_version, draft.subresource)
    wanted = _wanted(draft, shape)
    managers = _first_apply(draft, live)
    base: Any = live if live is not None else {}
    kept = _unmanaged(base)
    merged = merge(shape, kept, _unmanaged(config))
    before = _own(managers, who)
    others = {name: entry for name, entry in managers.items() if name != before[0]}
    if before[1].fields:
        owned = wanted
        for entry in others.values():
            owned = fieldsets.union(owned, entry.fields)
        merged = remove(shape, merged, before[1].fields, owned)
    found = compare(shape, kept, merged)
    changed = _limited(found, draft)
    allowed = last_applied.takeable(shape, kept) if manager == last_applied.MANAGER and live is not None else {}
    _refuse_conflicts(others, changed, allowed, force=force)
    after = _give_up(others, changed)
    given: Any = config.get("metadata")
    is_changed = live is None or "managedFields" in (given or {}) or _changes(found, draft)
    time = rfc3339(draft.now) if is_changed else before[1].time
    after[who] = Entry(_ownable(wanted, resource, draft.subresource), time)
    if manager == last_applied.MANAGER:
        last_applied.refresh(merged, config)
    return Applied(merged, encode(after))


def _wanted(draft: Draft, shape: Shape) -> Fields:
    config = _unmanaged(draft.new)
    if found := list(misfits(shape, draft.new)):
        resource = draft.resource
        version = resource.api_version if resource.group else f"/{resource.api_version}"
        why = found[0] if len(found) == 1 else "\n  ".join(("errors:", *found))
        text = f"failed to create typed patch object ({where_of(config)}; {version}, Kind={resource.kind}): {why}"
        raise ApiError(500, text, reason="")
    return fields_of(shape, config, applied=True)


def where_of(config: Any) -> str:
    """Namespace and name as an applied body says them, those that are texts."""
    meta = (config or {}).get("metadata")
    given = meta if isinstance(meta, dict) else {}
    return "/".join(part if isinstance(part := given.get(name), str) else "" for name in ("namespace", "name"))


def _unmanaged(obj: Any) -> dict[str, Any]:
    """The object without its bookkeeping, which owns and is owned by nobody."""
    meta = obj.get("metadata")
    if not isinstance(meta, dict) or "managedFields" not in meta:
        return dict(obj)
    return {**obj, "metadata": {key: value for key, value in meta.items() if key != "managedFields"}}


def _as_sent(draft: Draft) -> dict[str, Any]:
    """The new object with the metadata that its writer sent: what the server makes of that is owned by nobody."""
    made = draft.asked or draft.new
    return _unmanaged(made if draft.sent is None else {**made, "metadata": draft.sent})


def _without_metadata(obj: Any) -> dict[str, Any]:
    rest = dict(obj)
    rest.pop("metadata", None)
    return rest


def _first_apply(draft: Draft, live: KubeObject | None) -> Managers:
    """The live entries; what is there without any is filed under `before-first-apply`."""
    if live is None:
        return {}
    found = decode(live["metadata"].get("managedFields") or [], is_trusted=True) or {}
    if found:
        return found
    fields = _ownable(_from_nothing(draft.resource, _unmanaged(live)), draft.resource, draft.subresource)
    who = Manager(_BEFORE, "Update", draft.resource.api_version, draft.subresource)
    return {who: Entry(fields, rfc3339(draft.now))}


def _own(managers: Managers, who: Manager) -> tuple[Manager, Entry]:
    """The manager's earlier Apply entry, whatever version it was in."""
    for other, entry in managers.items():
        if (other.name, other.operation, other.subresource) == (who.name, "Apply", who.subresource):
            return other, entry
    return who, Entry({})


def _changes(found: Comparison, draft: Draft) -> bool:
    """Whether an apply changes anything, be it what nobody owns: only then it has a time."""
    parts = (found.removed, found.modified, found.added)
    return any(_reachable(part, draft.resource, draft.subresource) for part in parts)


def _limited(found: Comparison, draft: Draft) -> Comparison:
    resource, subresource = draft.resource, draft.subresource
    return Comparison(
        _ownable(found.removed, resource, subresource),
        _ownable(found.modified, resource, subresource),
        _ownable(found.added, resource, subresource),
    )


def _refuse_conflicts(others: Managers, changed: Comparison, allowed: Fields, *, force: bool) -> None:
    if force:
        return
    touched = fieldsets.union(changed.modified, changed.added)
    found: list[tuple[str, str]] = []
    for who, entry in sorted(others.items()):
        both = fieldsets.difference(fieldsets.intersection(entry.fields, touched), allowed)
        found += [(who.text(), path) for path in fieldsets.paths(both)]
    if not found:
        return
    causes = [
        {"reason": "FieldManagerConflict", "message": f"conflict with {who}", "field": path} for who, path in found
    ]
    raise ApiError(409, _conflict_text(found), details={"causes": causes})


def _conflict_text(found: list[tuple[str, str]]) -> str:
    if len(found) == 1:
        who, path = found[0]
        return f"Apply failed with 1 conflict: conflict with {who}: {path}"
    lines: list[str] = []
    for who in dict.fromkeys(who for who, _ in found):
        lines.append(f"conflicts with {who}:")
        lines += [f"- {path}" for other, path in found if other == who]
    return f"Apply failed with {len(found)} conflicts: " + "\n".join(lines)


def _give_up(managers: Managers, changed: Comparison) -> Managers:
    """What others still own after a change: neither what was changed nor what was removed."""
    lost = fieldsets.union(fieldsets.union(changed.modified, changed.added), changed.removed)
    if not lost:
        return dict(managers)
    return {who: Entry(fieldsets.difference(entry.fields, lost), entry.time) for who, entry in managers.items()}


def track(draft: Draft) -> None:
    """Sets managedFields of a written object: the writer owns what it changed, others no longer do."""
    meta: Any = draft.new["metadata"]
    managed: list[dict[str, Any]] = []
    if draft.is_apply:
        managed = draft.managed or []
    elif not draft.is_unfit:
        with suppress(Unplaced):  # then nobody owns anything
            given = meta.get("managedFields")
            if not _knows_versions(draft, given):
                managed = []
            else:
                managed = _created(draft, given) if draft.old is None else _updated(draft, given)
    if managed:
        meta["managedFields"] = managed
    else:
        meta.pop("managedFields", None)


def _knows_versions(draft: Draft, given: Any) -> bool:
    """Whether the versions that a body names in its entries are served of a custom kind: else nobody owns anything."""
    if not given or not draft.resource.custom or draft.subresource or draft.keeps_metadata:
        return True
    return all(who.api_version in draft.resource.versions for who in decode(given) or ())


def _created(draft: Draft, given: Any) -> list[dict[str, Any]]:
    """The writer owns all; entries that the body names keep what the object has not."""
    resource = draft.resource
    fields = _ownable(_from_nothing(resource, _as_sent(draft)), resource, "")
    who = Manager(draft.call.manager, "Update", resource.api_version, "")
    others = decode(given) if given else None
    kept = _give_up(others, Comparison(added=fields)) if others else {}
    return encode({**kept, who: Entry(fields, rfc3339(draft.now))})


def _from_nothing(resource: Resource, obj: Any) -> Fields:
    """What of an object its writer made: all but what an object of a builtin kind has from the beginning."""
    shape = shape_of(resource)
    if resource.custom:
        return fields_of(shape, obj)
    found = compare(shape, _nothing(resource), obj)
    return fieldsets.union(found.added, found.modified)


@cache
def _nothing(resource: Resource) -> dict[str, Any]:
    empty: dict[str, Any] = {}
    fill_empty(resource, empty)
    return empty


def _updated(draft: Draft, given: Any) -> list[dict[str, Any]]:
    old: Any = draft.old
    held = old["metadata"].get("managedFields") or []
    if not draft.subresource and is_reset(given, custom=draft.resource.custom):
        return []
    is_own = draft.keeps_metadata or not given or given == held
    keeps_metadata = _keeps_metadata(draft)
    if keeps_metadata and (is_own or draft.subresource) and (retimed := _retimed(draft, held)):
        draft.differs = True
        return retimed
    managers = decode(given, is_trusted=is_own) if given and not draft.subresource else None
    managers = managers or decode(held, is_trusted=True) or {}
    if not managers:
        return []
    managers = {who: entry for who, entry in managers.items() if _has_version(draft.resource, who.api_version)}
    shape = shape_of(draft.resource)
    if draft.subresource == "scale":
        found = _rescaled(draft, managers)
    elif keeps_metadata:
        found = compare(shape, _without_metadata(old), _without_metadata(draft.asked or draft.new))
    else:
        found = compare(shape, _unmanaged(old), _as_sent(draft))
    changed = _limited(found, draft)
    if changed.is_same:
        return encode(managers)
    draft.differs = draft.asked is None  # else what was left out may be there again
    who = Manager(draft.call.manager, "Update", draft.resource.api_version, draft.subresource)
    mine = managers.pop(who, Entry({}))
    after = _give_up(managers, changed)
    took = fieldsets.union(changed.modified, changed.added)
    kept = fieldsets.union(fieldsets.difference(mine.fields, changed.removed), took)
    if kept:
        time = _stamp(int(draft.now.timestamp())) if took else mine.time
        after[who] = Entry(kept, "" if draft.subresource == "scale" else time)  # a Scale's entries come without
    return encode(after)


_EARLIER = {
    "apps": ("v1beta1", "v1beta2"),
    "autoscaling": ("v1", "v2beta1", "v2beta2"),
    "rbac.authorization.k8s.io": ("v1alpha1", "v1beta1"),
    **{f"{group}.k8s.io": ("v1beta1",) for group in ("events", "discovery", "coordination", "apiextensions")},
    "policy": ("v1beta1",),
}
"""Versions of builtin kinds that are served no more, but known still. Source: Kubernetes API reference, older ones."""


def _has_version(resource: Resource, api_version: str) -> bool:
    """Whether a builtin kind has this version: what is owned in any other cannot be compared, and is given up."""
    group, _, version = api_version.rpartition("/")
    if resource.custom or api_version == resource.api_version:
        return True
    return group == resource.group and version in _EARLIER.get(group, ())


def _keeps_metadata(draft: Draft) -> bool:
    """Whether the metadata that was sent is the old one in all that can be owned."""
    if draft.keeps_metadata and draft.sent is None:
        return True
    old: Any = draft.old
    sent: Any = draft.new["metadata"] if draft.sent is None else draft.sent
    before, after = ({n: one for n, one in meta.items() if n not in _SERVERS_OWN} for meta in (old["metadata"], sent))
    return before == after


def _rescaled(draft: Draft, managers: Managers) -> Comparison:
    """What a write of the scale changed: its one number, which a Scale leaves out when it is 0.

    Nothing that is noted when nobody owns the number: a Scale shows the managers of that alone, here none.
    """
    paths = draft.resource.scale
    if paths is None:
        return Comparison()
    before, after = (value_at(obj, paths.spec_path) or 0 for obj in (draft.old, draft.new))
    node: Fields = {}
    for part in reversed(simple_path(paths.spec_path)):
        node = {f"f:{part}": node}
    if before == after or not any(fieldsets.intersection(entry.fields, node) for entry in managers.values()):
        return Comparison()
    if not after:
        return Comparison(removed=node)
    return Comparison(modified=node) if before else Comparison(added=node)


def _retimed(draft: Draft, held: list[dict[str, Any]]) -> list[dict[str, Any]] | None:
    """The entries after the most frequent write: it changes values that its manager, and no other, has already.

    Only the time of that entry moves. None for any other write, and for one that changes nothing.
    """
    if draft.subresource == "scale":
        return None
    who = (draft.call.manager, "Update", draft.resource.api_version, draft.subresource)
    own = [entry for entry in held if _who(entry) == who]
    if not own or "time" not in own[0]:
        return None
    others = [entry["fieldsV1"] for entry in held if entry is not own[0]]
    old, new = _without_metadata(draft.old), _without_metadata(draft.asked or draft.new)
    if not changes_within(shape_of(draft.resource), old, new, own[0]["fieldsV1"], others):
        return None
    mine = {**own[0], "time": _stamp(int(draft.now.timestamp()))}
    entries = [mine if entry is own[0] else entry for entry in held]
    return sorted(entries, key=_place) if others else entries


def _who(entry: dict[str, Any]) -> tuple[str, ...]:
    return entry["manager"], entry["operation"], entry["apiVersion"], entry.get("subresource", "")


def _place(entry: dict[str, Any]) -> tuple[str, ...]:
    """As `encode` orders."""
    return entry["operation"], entry.get("time", ""), *_who(entry)


@lru_cache(maxsize=4)
def _stamp(epoch_s: int) -> str:
    """Whole seconds; writes of one second share the text."""
    return rfc3339(datetime.fromtimestamp(epoch_s, UTC))
