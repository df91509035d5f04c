"""The sets extension of CEL: lists taken as sets, by typed equality."""

from typing import Any

from lambent.cel.operators import fingerprints
from lambent.cel.registry import function


@function("sets.contains", "list list -> bool", "Whether the first has every item of the second.")
def set_contains(items: list[Any], others: list[Any]) -> bool:
    return set(fingerprints(items)).issuperset(fingerprints(others))


@function("sets.equivalent", "list list -> bool", "Whether each has every item of the other.")
def set_equivalent(items: list[Any], others: list[Any]) -> bool:
    return set(fingerprints(items)) == set(fingerprints(others))


@function("sets.intersects", "list list -> bool", "Whether they have an item in common.")
def set_intersects(items: list[Any], others: list[Any]) -> bool:
    return not set(fingerprints(items)).isdisjoint(fingerprints(others))
