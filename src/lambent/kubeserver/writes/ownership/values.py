"""Walks of a value by its shape: which fields it has, what differs between two, merging, removal.

All walks skip equal subtrees by one comparison, so their cost follows the change, not the object.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import compress
from operator import ne
from typing import Any

from lambent.kubeserver.storage.records import go_numbers
from lambent.kubeserver.writes.ownership.fieldsets import SELF, Fields, key_element, value_element
from lambent.kubeserver.writes.ownership.shapes import DEDUCED, Shape


def _kind(shape: Shape, value: Any) -> str:
    """What the value is merged as: its shape's kind, if the value is of that form at all."""
    if isinstance(value, dict):
        return "struct" if shape.kind == "struct" else "atomic"
    if isinstance(value, list) and shape.kind in ("set", "keyed"):
        return shape.kind
    return "atomic"


class Unplaced(Exception):
    """An item of a keyed list has none of the keys, or one of a set is no scalar, so that nothing names it."""


def element_of(shape: Shape, item: Any) -> str:
    """The path element of a list item; raises `Unplaced`."""
    if shape.kind == "set" and (item is None or isinstance(item, (dict, list))):
        raise Unplaced
    if shape.kind == "set" or not isinstance(item, dict):
        return value_element(item)
    keys = {key: item.get(key, shape.defaults.get(key)) for key in shape.keys if key in item or key in shape.defaults}
    if not keys:
        raise Unplaced
    return key_element(keys)


def fields_of(shape: Shape, value: Any, *, applied: bool = False) -> Fields:
    """The field set below `value`; {} for an atomic one.

    In what was `applied`, declared containers are no members themselves. By any other write they are.
    """
    out: Fields = {}
    match _kind(shape, value):
        case "struct":
            for name, member in sorted(value.items()) if applied else value.items():
                below = shape.member(name) or DEDUCED
                children = fields_of(below, member, applied=applied)
                node = _owned(below, member, children, is_named=applied and shape.declares(name))
                if node is not None:
                    out[f"f:{name}"] = node
        case "set" | "keyed":
            for item in value:
                element = element_of(shape, item)
                children = {} if element in out else fields_of(shape.item, item, applied=applied)
                out[element] = {SELF: {}, **children} if children else {}  # one that occurs twice is owned as a whole
    return out


def go_text(value: Any) -> str:
    """A value as Go's `%v` prints it."""
    if isinstance(value, dict):
        return f"map[{' '.join(f'{name}:{go_text(member)}' for name, member in sorted(value.items()))}]"
    if isinstance(value, list):
        return f"[{' '.join(map(go_text, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    return "<nil>" if value is None else str(go_numbers(value))


def _owned(shape: Shape, value: Any, children: Fields, *, is_named: bool) -> Fields | None:
    """A member's node: a container that is `named` only is no member itself unless it is empty; others are."""
    kind = _kind(shape, value)
    if kind == "atomic" or (kind == "struct" and not value):
        return {}
    if not children:
        return None if is_named else {}
    return children if is_named else {SELF: {}, **children}


@dataclass(slots=True)
class Comparison:
    """Fields that only the old value has, that differ, that only the new one has."""

    removed: Fields = field(default_factory=dict)
    modified: Fields = field(default_factory=dict)
    added: Fields = field(default_factory=dict)

    @property
    def is_same(self) -> bool:
        return not (self.removed or self.modified or self.added)

    def put(self, element: str, below: "Comparison") -> None:
        if below.removed:
            self.removed[element] = below.removed
        if below.modified:
            self.modified[element] = below.modified
        if below.added:
            self.added[element] = below.added


def compare(shape: Shape, old: Any, new: Any) -> Comparison:
    """Old and new are both containers of the same kind."""
    out = Comparison()
    if _kind(shape, new) == "struct":
        _compare_members(shape, old, new, out)
    else:
        _compare_items(shape, old, new, out)
    return out


def _compare_members(shape: Shape, old: Any, new: Any, out: Comparison) -> None:
    if list(old) == list(new):  # the common case, found without a loop of ours
        differing: Iterable[str] = compress(new, map(ne, old.values(), new.values()))
    else:
        differing = [name for name in new if name in old and old[name] != new[name]]
        for name in new:
            if name not in old:
                _put_member(out.added, shape, name, new[name])
        for name in old:
            if name not in new:
                _put_member(out.removed, shape, name, old[name])
    for name in differing:
        _compare_value(shape.member(name) or DEDUCED, old[name], new[name], f"f:{name}", out)


def changes_within(shape: Shape, old: Any, new: Any, fields: Fields, others: list[Fields]) -> bool:
    """Whether structs have the same members and differ, in atomic values alone, all of `fields`, none of `others`."""
    if list(old) != list(new):
        return False
    is_changed = False
    for name in compress(new, map(ne, old.values(), new.values())):
        element, below = f"f:{name}", shape.member(name) or DEDUCED
        before, after = old[name], new[name]
        node, theirs = fields.get(element), [one[element] for one in others if element in one]
        kind = _kind(below, after)
        if node is None or kind != _kind(below, before):
            return False
        if kind == "atomic":
            if node or theirs:
                return False
        elif kind != "struct" or not (before and after) or not changes_within(below, before, after, node, theirs):
            return False
        is_changed = True
    return is_changed


def _put_member(fields: Fields, shape: Shape, name: str, value: Any) -> None:
    """Adds what a member that only one side has owns."""
    below = shape.member(name) or DEDUCED
    node = _owned(below, value, fields_of(below, value), is_named=False)
    if node is not None:
        fields[f"f:{name}"] = node


def _compare_value(shape: Shape, old: Any, new: Any, element: str, out: Comparison) -> None:
    kind = _kind(shape, new)
    if new is None and old and _kind(shape, old) != "atomic":
        out.put(element, Comparison(removed=fields_of(shape, old)))
    elif old is None and new and kind != "atomic":
        out.put(element, Comparison(added=fields_of(shape, new)))
    elif kind != _kind(shape, old):
        below = Comparison(removed=fields_of(shape, old), added=fields_of(shape, new))
        out.put(element, below)
        out.modified[element] = {}
    elif kind == "atomic":
        out.modified[element] = {}
    elif kind == "struct" and not (old and new):
        gone, came = fields_of(shape, old), fields_of(shape, new)
        out.put(element, Comparison(removed=gone, added=came))
    else:
        out.put(element, compare(shape, old, new))


def _compare_items(shape: Shape, old: Any, new: Any, out: Comparison) -> None:
    before = {element_of(shape, item): item for item in old}
    after = {element_of(shape, item): item for item in new}
    twice = _unequal_repeats(shape, old, new) if len(before) < len(old) or len(after) < len(new) else set()
    for element, item in after.items():
        if element in twice and element in before:
            out.modified[element] = {}
        elif element not in before:
            _put_item(out.added, shape, element, item)
        elif before[element] != item and isinstance(item, dict):
            _compare_value(shape.item, before[element], item, element, out)
    for element, item in before.items():
        if element not in after:
            _put_item(out.removed, shape, element, item)


def _put_item(fields: Fields, shape: Shape, element: str, item: Any) -> None:
    """Adds what an item that only one side has owns."""
    children = fields_of(shape.item, item)
    fields[element] = {SELF: {}, **children} if children else {}


def _unequal_repeats(shape: Shape, old: list[Any], new: list[Any]) -> set[str]:
    """Elements that one of the lists has more than once, where the other has not the same items."""
    before, after = _by_element(shape, old), _by_element(shape, new)
    shared = before.keys() & after.keys()
    return {one for one in shared if len(before[one]) + len(after[one]) > 2 and before[one] != after[one]}


def _by_element(shape: Shape, items: list[Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for item in items:
        found.setdefault(element_of(shape, item), []).append(item)
    return found


def merge(shape: Shape, live: Any, config: Any) -> Any:
    """`config` over `live`; neither is changed. A null takes nothing from a container that has something."""
    kind = _kind(shape, config)
    if config is None and live and _kind(shape, live) != "atomic":
        return live
    if kind != _kind(shape, live) or kind == "atomic":
        return config
    if kind == "struct":
        out = dict(live)
        for name, value in config.items():
            below = shape.member(name) or DEDUCED
            out[name] = merge(below, out[name], value) if name in out else value
        return out
    return _merge_items(shape, live, config)


def _merge_items(shape: Shape, live: list[Any], config: list[Any]) -> list[Any]:
    """Shared items in the order of `config`; items only one side has keep their place among their neighbours."""
    left = [(element_of(shape, item), item) for item in live]
    right = [(element_of(shape, item), item) for item in config]
    in_left, in_right = dict(left), dict(right)
    shared = [element for element, _ in right if element in in_left]
    merged: set[str] = set()
    out: list[Any] = []
    at_left = at_right = 0
    while at_left < len(left) or at_right < len(right):
        mine = left[at_left][0] if at_left < len(left) else None
        theirs = right[at_right][0] if at_right < len(right) else None
        waits = shared[0] if shared else None
        if (
            mine is not None
            and theirs is not None
            and mine != theirs
            and mine in in_right
            and waits not in (None, mine)
        ):
            at_left += 1  # shared, but its turn comes later
        elif mine is not None and mine not in in_right:
            out.append(left[at_left][1])
            at_left += 1
        elif mine is not None and mine in merged:
            at_left += 1
        elif theirs is not None:
            item = right[at_right][1]
            out.append(merge(shape.item, in_left[theirs], item) if theirs in in_left else item)
            merged.add(theirs)
            at_left += mine == theirs
            at_right += 1
            if waits == theirs:
                shared.pop(0)
    return out


def remove(shape: Shape, value: Any, last: Fields, owned: Fields) -> Any:
    """`value` without what `last` names and `owned` does not hold, at or below it; null when nothing is left of it."""
    match _kind(shape, value):
        case "struct":
            return _remove_members(shape, value, last, owned)
        case "set" | "keyed":
            kept = []
            for item in value:
                element = element_of(shape, item)
                if element in last and element not in owned:
                    continue
                below = last.get(element)
                kept.append(remove(shape.item, item, below, owned.get(element, {})) if below else item)
            return kept if kept or not value else None
        case _:
            return value


def _remove_members(shape: Shape, value: dict[str, Any], last: Fields, owned: Fields) -> dict[str, Any] | None:
    out = dict(value)
    for name in value:
        element = f"f:{name}"
        if element not in last:
            continue
        if element not in owned:
            del out[name]
        elif last[element]:
            out[name] = remove(shape.member(name) or DEDUCED, value[name], last[element], owned[element])
    return out if out or not value else None
