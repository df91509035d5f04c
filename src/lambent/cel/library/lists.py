"""Functions on lists and maps: Koreo's and the lists extension of CEL."""

from itertools import pairwise
from typing import Any

from lambent.cel.errors import Fault
from lambent.cel.limits import MAX_ITEMS, bounded_items
from lambent.cel.operators import add, contains, equal, fingerprints, less
from lambent.cel.registry import function
from lambent.cel.values import BoolKey, kind_of


@function("contains", "list dyn -> bool", "Whether the list has an item equal to the value.")
def list_contains(items: list[Any], value: Any) -> bool:
    return contains(value, items)


@function("keys", "map -> list", "The keys in the order of the map.", profile="koreo")
def keys(mapping: dict[Any, Any]) -> list[Any]:
    return [key.value if type(key) is BoolKey else key for key in mapping]


@function("values", "map -> list", "The values in the order of the map.", profile="koreo")
def values(mapping: dict[Any, Any]) -> list[Any]:
    return list(mapping.values())


@function("flatten", "list -> list", "One level of inner lists opened; other items kept.")
def flatten(items: list[Any]) -> list[Any]:
    return flatten_depth(items, 1)


@function("flatten", "null -> list", "An empty list for null.", profile="koreo")
def flatten_null(_items: None) -> list[Any]:
    return []


@function("flatten", "list int -> list", "So many levels of inner lists opened.")
def flatten_depth(items: list[Any], depth: int) -> list[Any]:
    if depth < 0:
        raise Fault("argument", "flatten: the depth is negative")
    for _ in range(min(depth, 64)):
        if not any(isinstance(item, list) for item in items):
            break
        bounded_items(sum(len(item) if isinstance(item, list) else 1 for item in items))
        items = [part for item in items for part in (item if isinstance(item, list) else [item])]
    return items


@function("slice", "list int int -> list", "The items from a position up to, not including, another.")
def slice_list(items: list[Any], start: int, end: int) -> list[Any]:
    if not 0 <= start <= end <= len(items):
        raise Fault("index", "slice: positions outside the list or in the wrong order")
    return items[start:end]


@function("first", "list -> dyn", "The first item; an error for an empty list.", profile="koreo")
def first(items: list[Any]) -> Any:
    if not items:
        raise Fault("index", "first: the list is empty")
    return items[0]


@function("last", "list -> dyn", "The last item; an error for an empty list.", profile="koreo")
def last(items: list[Any]) -> Any:
    if not items:
        raise Fault("index", "last: the list is empty")
    return items[-1]


@function("reverse", "list -> list", "The items in reverse order.")
def reverse(items: list[Any]) -> list[Any]:
    return items[::-1]


@function("lists.range", "int -> list", "The integers from 0 up to, not including, the number.")
def list_range(count: int) -> list[int]:
    if not 0 <= count <= MAX_ITEMS:
        raise Fault("argument", f"lists.range: the number must be between 0 and {MAX_ITEMS}")
    return list(range(count))


@function("distinct", "list -> list", "The items without repetitions, first ones kept.")
def distinct(items: list[Any]) -> list[Any]:
    kept: dict[Any, Any] = {}
    for mark, item in zip(fingerprints(items), items, strict=True):
        kept.setdefault(mark, item)
    return list(kept.values())


def sort_keys(found: list[Any]) -> list[int]:
    """The positions of values in ascending order; they must be of one ordered type."""
    kinds = {kind_of(each) for each in found}
    if len(kinds) > 1:
        raise Fault("argument", "sort: the items are of different types")
    if kinds and not kinds <= {"int", "uint", "double", "bool", "string", "bytes", "timestamp", "duration"}:
        raise Fault("argument", f"sort: {kinds.pop()} has no order")
    return sorted(range(len(found)), key=found.__getitem__)


@function("sort", "list -> list", "The items in ascending order; they must be of one type.")
def sort(items: list[Any]) -> list[Any]:
    return [items[at] for at in sort_keys(items)]


@function("min", "list -> dyn", "The smallest item; an error for an empty list or mixed types.")
def smallest(items: list[Any]) -> Any:
    return _extreme(items, "min")


@function("max", "list -> dyn", "The greatest item; an error for an empty list or mixed types.")
def greatest(items: list[Any]) -> Any:
    return _extreme(items, "max")


def _extreme(items: list[Any], name: str) -> Any:
    if not items:
        raise Fault("argument", f"{name}: the list is empty")
    if len({kind_of(item) for item in items}) > 1:
        raise Fault("argument", f"{name}: the items are of different types")
    best = items[0]
    for item in items:
        if less(item, best) if name == "min" else less(best, item):
            best = item
    return best


@function("sum", "list -> dyn", "The items added; 0 for an empty list, an error for mixed types.")
def total(items: list[Any]) -> Any:
    if not items:
        return 0
    if kind_of(items[0]) not in ("int", "uint", "double", "duration"):
        raise Fault("argument", "sum: the items must be numbers or durations")
    result = items[0]
    for item in items[1:]:
        result = add(result, item)
    return result


@function("isSorted", "list -> bool", "Whether the items are in ascending order.")
def is_sorted(items: list[Any]) -> bool:
    return all(not less(after, before) for before, after in pairwise(items))


@function("indexOf", "list dyn -> int", "Where an equal item stands first, or -1.")
def list_index_of(items: list[Any], value: Any) -> int:
    return next((at for at, item in enumerate(items) if equal(item, value)), -1)


@function("lastIndexOf", "list dyn -> int", "Where an equal item stands last, or -1.")
def list_last_index_of(items: list[Any], value: Any) -> int:
    return next((at for at in range(len(items) - 1, -1, -1) if equal(items[at], value)), -1)
