"""Sets of fields as tries, in the very form that is stored (FieldsV1).

Keys are path elements: `f:name`, `k:{"name":"a"}` (list item by keys), `v:"x"` (set member). A node without children is
a member; one with children is a member only if it has the key `.`. The root is never a member. Nothing here changes its
arguments; results may share parts with them.
"""

from collections.abc import Iterator
from typing import Any

import orjson

from lambent.kubeserver.storage.records import go_numbers

Fields = dict[str, Any]

SELF = "."


def is_member(node: Fields) -> bool:
    return not node or SELF in node


def _node(member: bool, children: Fields) -> Fields | None:
    if not children:
        return {} if member else None
    return {SELF: {}, **children} if member else children


def union(left: Fields, right: Fields) -> Fields:
    """Members of either. Costs as much as `right` has; is `left` itself when it holds all of them."""
    out = left
    for key, theirs in right.items():
        ours = left.get(key)
        both = theirs if ours is None else _union_node(ours, theirs)
        if both is not ours:
            if out is left:
                out = dict(left)
            out[key] = both
    return out


def _union_node(left: Fields, right: Fields) -> Fields:
    if not right:
        return left if is_member(left) else {SELF: {}, **left}
    if not left:
        return right if SELF in right else {SELF: {}, **right}
    return union(left, right)


def _children(node: Fields) -> Fields:
    return {key: child for key, child in node.items() if key != SELF}


def difference(left: Fields, right: Fields) -> Fields:
    """What is in `left` and not in `right`. Costs as much as `right` has; is `left` itself when nothing goes."""
    out = left
    for key, theirs in right.items():
        ours = left.get(key)
        if ours is None or key == SELF:
            continue
        kept = _difference_node(ours, theirs)
        if kept is not ours:
            if out is left:
                out = dict(left)
            if kept is None:
                del out[key]
            else:
                out[key] = kept
    return out


def _difference_node(left: Fields, right: Fields) -> Fields | None:
    was_member = is_member(left)
    member = was_member and not is_member(right)
    below = difference(left, right)
    if below is left and member == was_member:
        return left
    return _node(member, _children(below))


def intersection(left: Fields, right: Fields) -> Fields:
    out: Fields = {}
    for key, ours in left.items():
        theirs = right.get(key)
        if theirs is not None and key != SELF:
            both = is_member(ours) and is_member(theirs)
            kept = _node(both, intersection(_children(ours), _children(theirs)))
            if kept is not None:
                out[key] = kept
    return out


def paths(fields: Fields, prefix: str = "") -> Iterator[str]:
    """The members as texts, `.spec.items[key="a"].value`, `.spec.tags[="x"]`; those of a level before all below it."""
    named = [(prefix + text_of(key), fields[key]) for key in sorted(fields) if key != SELF]
    yield from (at for at, node in named if is_member(node))
    for at, node in named:
        yield from paths(node, at)


def text_of(element: str) -> str:
    kind, _, rest = element.partition(":")
    if kind == "f":
        return f".{rest}"
    if kind == "v":
        return f"[={rest}]"
    keys = orjson.loads(rest)
    inner = ",".join(f"{name}={orjson.dumps(value).decode()}" for name, value in sorted(keys.items()))
    return f"[{inner}]"


def key_element(keys: dict[str, Any]) -> str:
    return "k:" + orjson.dumps(go_numbers(keys), option=orjson.OPT_SORT_KEYS).decode()


def value_element(value: Any) -> str:
    return "v:" + orjson.dumps(go_numbers(value), option=orjson.OPT_SORT_KEYS).decode()
