"""References: fields whose value is found in another object, kept in memory and never written into the spec.

`wanted(kind, spec)` lists them, `resolve` puts the values in. A target must exist, be synced, not be terminal and have
the value. Which object refers to which is remembered in `Referrers`, so that a change of a target wakes those who
wait for it. Not here: reading of objects (the caller gives a function).
"""

from collections.abc import Awaitable, Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from lambent.kube.types import GVK, Key, KubeObject
from lambent.resources.declaration import Kind, Ref

Lookup = Callable[[GVK, Key], Awaitable[KubeObject | None]]
CROSS_NAMESPACE = "CrossNamespaceOptInRequired"


class Target(NamedTuple):
    ref: Ref
    key: Key


@dataclass(frozen=True, slots=True)
class Resolution:
    """`spec` with the values in place; or `waiting`/`refused`, which reference and why."""

    spec: Mapping[str, Any]
    targets: tuple[Target, ...] = ()
    waiting: str = ""
    refused: str = ""
    foreign: tuple[str, ...] = ()


@dataclass(slots=True)
class Referrers:
    """Who refers to what, from the last pass of each object."""

    _of: dict[tuple[GVK, Key], set[Key]] = field(default_factory=dict)
    _known: dict[Key, tuple[tuple[GVK, Key], ...]] = field(default_factory=dict)

    def note(self, key: Key, targets: tuple[Target, ...]) -> None:
        for place in self._known.pop(key, ()):
            self._of[place].discard(key)
            if not self._of[place]:
                del self._of[place]
        if targets:
            places = self._known[key] = tuple((target.ref.target, target.key) for target in targets)
            for place in places:
                self._of.setdefault(place, set()).add(key)

    def of(self, gvk: GVK, target: Key) -> frozenset[Key]:
        return frozenset(self._of.get((gvk, target), ()))


def targets_of(kind: Kind, spec: Mapping[str, Any], namespace: str) -> tuple[Target, ...]:
    """All references that the spec holds."""
    found = []
    for ref in kind.refs:
        given = _at(spec, ref.ref)
        for item in (given or []) if ref.many else [given] if given else []:
            source = item.get("from") or {}
            found.append(Target(ref, Key(source.get("namespace") or namespace, source.get("name") or "")))
    return tuple(found)


def mistake(kind: Kind, spec: Mapping[str, Any]) -> str | None:
    """Chapter 7's two texts: both given, or none where one is needed."""
    for ref in kind.refs:
        value, reference = _at(spec, ref.field), _at(spec, ref.ref)
        if value is not None and reference is not None and not ref.many:
            return f"both resource reference wrapper and ID cannot be used together: {ref.field}, {ref.ref}"
        if ref.needed and not value and reference is None:
            return f"resource reference wrapper or ID required: {ref.field}, {ref.ref}"
    return None


async def resolve(
    kind: Kind, spec: Mapping[str, Any], *, namespace: str, lookup: Lookup, cross_namespace: bool
) -> Resolution:
    """The spec with every reference's value; reads each target once."""
    targets = targets_of(kind, spec, namespace)
    filled: dict[str, Any] = deepcopy(dict(spec))
    foreign = tuple(f"{target.ref.ref} -> {target.key}" for target in targets if target.key.namespace != namespace)
    if foreign and not cross_namespace:
        return Resolution(spec, targets, refused=f"{foreign[0]}: references across namespaces are switched off")
    for target in targets:
        value, why, is_final = _value(target, await lookup(target.ref.target, target.key))
        if is_final:
            return Resolution(spec, targets, refused=why, foreign=foreign)
        if why:
            return Resolution(spec, targets, waiting=why, foreign=foreign)
        _place(filled, target.ref, value)
    return Resolution(filled, targets, foreign=foreign)


def _value(target: Target, obj: KubeObject | None) -> tuple[Any, str, bool]:
    """(value, why there is none, whether waiting is pointless)."""
    what = f"{target.ref.ref}: {target.ref.target.kind} {target.key}"
    if obj is None:
        return None, f"{what} does not exist", False
    held = {item.get("type"): item.get("status") for item in (obj.get("status") or {}).get("conditions") or ()}
    if held.get("ACK.Terminal") == "True":
        return None, f"{what} is in terminal state", True
    if held.get("ACK.ResourceSynced") != "True":
        return None, f"{what} is not synced", False
    place = "status.ackResourceMetadata.arn" if target.ref.value == "arn" else target.ref.value
    value = _at(obj, place)
    return (value, "", False) if value else (None, f"{what} has no {place}", False)


def _at(found: Any, path: str) -> Any:
    for part in path.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _place(spec: dict[str, Any], ref: Ref, value: Any) -> None:
    *parents, last = ref.field.split(".")
    place = spec
    for part in parents:
        place = place.setdefault(part, {})
    if not ref.many:
        place[last] = value
        return
    listed = place.setdefault(last, [])
    if value not in listed:
        listed.append(value)
