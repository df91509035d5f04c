"""Values of expressions as JSON has them, for everything that leaves the engine: targets and published state.

Between steps values stay what they are. Most are JSON already and pass through untouched; a timestamp, duration,
unsigned number or bytes becomes what `to_json` makes of it, and an empty optional vanishes from its map or list.
"""

from math import isfinite
from typing import Any

import orjson

from lambent import cel
from lambent.cel.values import OptionalValue
from lambent.workflow.engine.expressions import Failed

_SCALARS = frozenset({str, int, bool, type(None)})


def plain(value: Any, where: str) -> Any:
    """The value itself when it is JSON already. Raises `Failed` (at `where`) for what JSON cannot hold."""
    if _is_plain(value):
        return value
    try:
        return _converted(value)
    except cel.CelError as error:
        raise Failed(error.message, where) from None


def _is_plain(value: Any) -> bool:
    kind = type(value)
    if kind in _SCALARS:
        return True
    if kind is float:
        return isfinite(value)
    if kind is dict:
        return all(type(key) is str and _is_plain(item) for key, item in value.items())
    return kind is list and all(map(_is_plain, value))


def _converted(value: Any) -> Any:
    if isinstance(value, dict):
        pairs = ((_key(key), _held(item)) for key, item in value.items() if not _is_empty(item))
        return {key: _converted(item) for key, item in pairs}
    if isinstance(value, list):
        return [_converted(_held(item)) for item in value if not _is_empty(item)]
    if type(value) in _SCALARS or (type(value) is float and isfinite(value)):
        return value
    text = cel.compile("to_json(v)", names=("v",)).evaluate({"v": value})
    return orjson.loads(text)


def _is_empty(value: Any) -> bool:
    return isinstance(value, OptionalValue) and not value.present


def _held(value: Any) -> Any:
    return value.value if isinstance(value, OptionalValue) else value


def _key(key: Any) -> str:
    if type(key) is str:
        return key
    text: str = cel.compile("to_json({k: 0})", names=("k",)).evaluate({"k": key})
    return str(next(iter(orjson.loads(text))))
