"""Getting at parts of values and putting values together: selection, indexing, `has`, literals of maps and lists.

A map's keys are typed: `true` is not 1, and a number finds an equal number of another type. A list is not indexed from
its end. Selecting from an optional gives an optional. Errors name the path as the expression writes it, and kinds.
"""

from math import fmod
from typing import Any, Final

from lambent.cel.errors import Fault
from lambent.cel.values import FALSE_KEY, MISSING, NONE, TRUE_KEY, BoolKey, OptionalValue, find, kind_of

_NUMBERS: Final = frozenset(("int", "uint", "double"))


def select(value: Any, field: str, path: str = "") -> Any:
    """`value.field`; an optional gives an optional."""
    if isinstance(value, dict):
        found = value.get(field, MISSING)
        if found is MISSING:
            raise Fault("key", f'no such key "{field}" in {path or "the value"} (map)')
        return found
    if type(value) is OptionalValue:
        return select_optional(value, field)
    raise Fault("overload", f'cannot select "{field}": {path or "the value"} is {kind_of(value)}, not a map')


def select_optional(value: Any, field: Any, path: str = "") -> OptionalValue:
    """`value.?field` or `value[?key]`: an optional, empty where there is nothing."""
    if type(value) is OptionalValue:
        if not value.present:
            return NONE
        value = value.value
    if isinstance(value, dict):
        found = find(value, field)
        return NONE if found is MISSING else OptionalValue(found)
    if isinstance(value, list) and type(field) is not str:
        at = _position(field)
        return OptionalValue(value[at]) if 0 <= at < len(value) else NONE
    raise Fault("overload", f"cannot select from {path or 'the value'} ({kind_of(value)})")


def select_lenient(value: Any, field: Any, path: str = "") -> OptionalValue:
    """As `select_optional`, with null taken for nothing; the koreo profile."""
    if value is None or (type(value) is OptionalValue and value.value is None):
        return NONE
    return select_optional(value, field, path)


def index(value: Any, key: Any, path: str = "") -> Any:
    """`value[key]` for lists, maps and optionals."""
    if isinstance(value, dict):
        found = find(value, key)
        if found is MISSING:
            raise Fault("key", f"no such key in {path or 'the value'} (map)")
        return found
    if isinstance(value, list):
        at = key if type(key) is int else _position(key)
        if 0 <= at < len(value):
            return value[at]
        raise Fault("index", f"index out of range in {path or 'the value'} (list of {len(value)})")
    if type(value) is OptionalValue:
        return select_optional(value, key)
    raise Fault("overload", f"cannot index {path or 'the value'} ({kind_of(value)})")


def _position(key: Any) -> int:
    if kind_of(key) in _NUMBERS and fmod(key, 1) == 0:
        return int(key)
    raise Fault("overload", f"a list cannot be indexed with {kind_of(key)}")


def has_field(value: Any, field: str, path: str = "") -> bool:
    """`has(value.field)` as the specification has it: an error unless `value` is a map."""
    if isinstance(value, dict):
        return field in value
    if type(value) is OptionalValue:
        return select_optional(value, field).present
    raise Fault("overload", f'cannot test for "{field}": {path or "the value"} is {kind_of(value)}, not a map')


def has_path(value: Any, *keys: Any) -> bool:
    """`has(value.a.b)` of the koreo profile: false as soon as a step is missing or null."""
    for key in keys:
        if type(value) is OptionalValue:
            if not value.present:
                return False
            value = value.value
        if isinstance(value, dict):
            value = find(value, key)
            if value is MISSING:
                return False
        elif isinstance(value, list) and type(key) is not str:
            at = _position(key)
            if not 0 <= at < len(value):
                return False
            value = value[at]
        elif value is None:
            return False
        else:
            raise Fault("overload", f"has() cannot look into {kind_of(value)}")
    return True


def make_map(*parts: Any) -> dict[Any, Any]:
    """A map from key, value, is-optional triples, in their order."""
    made: dict[Any, Any] = {}
    for at in range(0, len(parts), 3):
        put(made, parts[at], parts[at + 1], parts[at + 2])
    return made


def put(made: dict[Any, Any], key: Any, value: Any, optional: bool = False) -> None:
    """Add an entry to a map under construction; a key may be of type bool, int, uint or string and comes once."""
    if optional:
        if type(value) is not OptionalValue:
            raise Fault("overload", f"an optional entry needs an optional value, found {kind_of(value)}")
        if not value.present:
            return
        value = value.value
    if kind_of(key) not in ("string", "int", "uint", "bool"):
        raise Fault("overload", f"a map key cannot be {kind_of(key)}")
    if find(made, key) is not MISSING:
        raise Fault("key", "a map has the same key twice")
    if (key == 0 or key == 1) and key in made:
        key = _set_apart(made, key)
    made[key] = value


def _set_apart(made: dict[Any, Any], key: Any) -> Any:
    """Make room for a boolean key beside 0 or 1, or the other way round."""
    if type(key) is bool:
        return TRUE_KEY if key else FALSE_KEY
    entries = [(BoolKey(own) if type(own) is bool else own, value) for own, value in made.items()]
    made.clear()
    made.update(entries)
    return key


def make_list(*parts: Any) -> list[Any]:
    """A list from item, is-optional pairs."""
    made: list[Any] = []
    for at in range(0, len(parts), 2):
        value = parts[at]
        if not parts[at + 1]:
            made.append(value)
        elif type(value) is not OptionalValue:
            raise Fault("overload", f"an optional item needs an optional value, found {kind_of(value)}")
        elif value.present:
            made.append(value.value)
    return made
