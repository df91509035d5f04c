"""The macros at run time: loops over lists and maps, with the absorbing logic of `all`, `exists`, `&&` and `||`.

Each takes the charged items of a collection (see `limits.Meter.over`) and functions for the bodies. `pairs` gives the
two-variable forms their (index, item) or (key, value).
"""

from collections.abc import Callable, Iterable
from typing import Any

from lambent.cel.access import put
from lambent.cel.errors import Fault
from lambent.cel.limits import Meter, bounded_items
from lambent.cel.operators import boolean
from lambent.cel.values import NONE, OptionalValue, find, kind_of

Body = Callable[..., Any]


def singles(meter: Meter, value: Any) -> Iterable[tuple[Any]]:
    """Items of a list or keys of a map, as argument tuples of one-variable bodies."""
    return ((item,) for item in meter.over(value))


def pairs(meter: Meter, value: Any) -> Iterable[tuple[Any, Any]]:
    """(index, item) of a list or (key, value) of a map, as argument tuples of two-variable bodies."""
    if isinstance(value, dict):
        return ((key, find(value, key)) for key in meter.over(value))
    return enumerate(meter.over(value))


def both(*sides: Body) -> bool:
    """`a && b && ...`: false wins over an error on another side."""
    return _absorb(sides, False)


def either(*sides: Body) -> bool:
    """`a || b || ...`: true wins over an error on another side."""
    return _absorb(sides, True)


def _absorb(sides: tuple[Body, ...], decisive: bool) -> bool:
    fault: Fault | None = None
    for side in sides:
        try:
            if boolean(side()) is decisive:
                return decisive
        except Fault as error:
            fault = fault or error
    if fault is not None:
        raise fault
    return not decisive


def every(items: Iterable[tuple[Any, ...]], body: Body) -> bool:
    """`all`: false as soon as one item says so, else the first error, else true."""
    return _search(items, body, False)


def some(items: Iterable[tuple[Any, ...]], body: Body) -> bool:
    """`exists`: true as soon as one item says so, else the first error, else false."""
    return _search(items, body, True)


def _search(items: Iterable[tuple[Any, ...]], body: Body, decisive: bool) -> bool:
    fault: Fault | None = None
    for args in items:
        try:
            if boolean(body(*args)) is decisive:
                return decisive
        except Fault as error:
            fault = fault or error
    if fault is not None:
        raise fault
    return not decisive


def exactly_one(items: Iterable[tuple[Any, ...]], body: Body) -> bool:
    """`exists_one`: whether the body holds for one item; any error is an error."""
    return sum(boolean(body(*args)) for args in items) == 1


def mapped(items: Iterable[tuple[Any, ...]], test: Body | None, body: Body) -> list[Any]:
    """`map` and `transformList`, with an optional test first."""
    return [body(*args) for args in items if test is None or boolean(test(*args))]


def filtered(items: Iterable[tuple[Any, ...]], test: Body) -> list[Any]:
    """`filter`: the items for which the test holds."""
    return [args[0] for args in items if boolean(test(*args))]


def mapped_values(items: Iterable[tuple[Any, ...]], test: Body | None, body: Body) -> dict[Any, Any]:
    """`transformMap`: the same keys with new values."""
    made: dict[Any, Any] = {}
    for args in items:
        if test is None or boolean(test(*args)):
            put(made, args[0], body(*args))
    return made


def mapped_entries(items: Iterable[tuple[Any, ...]], test: Body | None, body: Body) -> dict[Any, Any]:
    """`transformMapEntry`: the entries of the maps that the body makes; no key may come twice."""
    made: dict[Any, Any] = {}
    for args in items:
        if test is None or boolean(test(*args)):
            entries = body(*args)
            if not isinstance(entries, dict):
                raise Fault("overload", f"transformMapEntry needs a map, found {kind_of(entries)}")
            bounded_items(len(made) + len(entries))
            for key, value in entries.items():
                put(made, key, value)
    return made


def reduced(items: Iterable[tuple[Any, ...]], initial: Any, body: Body) -> Any:
    """`reduce`: the body with accumulator and item, over all items."""
    result = initial
    for (item,) in items:
        result = body(result, item)
    return result


def sorted_by(items: Iterable[tuple[Any, ...]], body: Body) -> list[Any]:
    """`sortBy`: the items in the order of their keys, which must be of one type."""
    from lambent.cel.library.lists import sort_keys

    keyed = [(body(*args), args[0]) for args in items]
    order = sort_keys([key for key, _ in keyed])
    return [keyed[at][1] for at in order]


def optional_map(value: Any, body: Body) -> OptionalValue:
    """`optMap`: the body applied to what is present."""
    return OptionalValue(body(value.value)) if _present(value) else NONE


def optional_flat_map(value: Any, body: Body) -> Any:
    """`optFlatMap`: the body, itself giving an optional, applied to what is present."""
    return body(value.value) if _present(value) else NONE


def _present(value: Any) -> bool:
    if type(value) is not OptionalValue:
        raise Fault("overload", f"expected an optional, found {kind_of(value)}")
    return bool(value.present)
