"""What an update need not mend: a value that is as it was before may stay wrong.

So an object outlives a schema that became stricter, as long as nobody touches what no longer fits. Members correlate by
name, values of maps by key, items of keyed lists by their keys; items of other lists do not, only the list as a whole.
Source: KEP-4008, "CRD Validation Ratcheting".
"""

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from lambent.kube.schema.problems import Fault

ABSENT: Any = object()


def still_wrong(
    faults: list[Fault], source: Mapping[str, Any], new: Any, old: Any, judge: Callable[[Any], list[Fault] | None]
) -> list[Fault]:
    """The faults of `new` that an update from `old` has to answer for; `judge` finds the faults of an object.

    Doubles in lists are told unless the old object had any, wherever they are.
    """
    doubled = any(_is_double(fault) for fault in faults) and _had_doubles(old, judge)
    return [
        fault
        for fault in faults
        if fault.unknown or not (doubled if _is_double(fault) else _is_kept(fault, source, new, old))
    ]


def is_same(new: Any, old: Any) -> bool:
    """Equality of JSON values, for which 1, 1.0 and true differ."""
    if old is ABSENT or type(new) is not type(old):
        return False
    return new is old or orjson.dumps(new, option=orjson.OPT_SORT_KEYS) == orjson.dumps(
        old, option=orjson.OPT_SORT_KEYS
    )


def _is_double(fault: Fault) -> bool:
    return fault.reason == "FieldValueDuplicate"


def _had_doubles(old: Any, judge: Callable[[Any], list[Fault] | None]) -> bool:
    return any(_is_double(fault) for fault in judge(orjson.loads(orjson.dumps(old))) or ())


def _is_kept(fault: Fault, schema: Any, new: Any, old: Any) -> bool:
    """Whether a value on the way to the fault is as it was."""
    for step in [*reversed(fault.at), ""]:
        if is_same(new, old):
            return True
        if not step or not isinstance(schema, Mapping):
            return False
        if isinstance(new, dict):
            name = step[1:] if step.startswith(".") else step[1:-1]
            properties = schema.get("properties") or {}
            schema = properties.get(name, schema.get("additionalProperties"))
            new, old = new.get(name, ABSENT), old.get(name, ABSENT) if isinstance(old, dict) else ABSENT
        elif isinstance(new, list) and step.startswith("["):
            new = new[int(step[1:-1])]
            old = _partner(new, old, schema)
            schema = schema.get("items")
        if new is ABSENT or old is ABSENT:
            return False
    return False


def _partner(item: Any, old: Any, schema: Mapping[str, Any]) -> Any:
    """The old item with the same keys."""
    keys = schema.get("x-kubernetes-list-map-keys") or ()
    if schema.get("x-kubernetes-list-type") != "map" or not isinstance(item, dict) or not isinstance(old, list):
        return ABSENT
    found = (one for one in old if isinstance(one, dict) and all(one.get(key) == item.get(key) for key in keys))
    return next(found, ABSENT)
