"""Containers that refuse to be changed: what tests get from a cache, to find the controller that writes in it."""

from typing import Any, NoReturn, cast

from lambent.kube.types import KubeObject


def _refuse(self: object, *args: object, **options: object) -> NoReturn:
    raise TypeError("an object of a cache is shared and read-only; copy it before you change it")


class GuardedDict(dict[Any, Any]):
    """Reads as a dict, also for orjson and json."""

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[Any, Any]:
        return {key: _thawed(value) for key, value in self.items()}


class GuardedList(list[Any]):
    """Reads as a list."""

    __setitem__ = __delitem__ = __iadd__ = __imul__ = _refuse
    append = clear = extend = insert = pop = remove = reverse = sort = _refuse

    def __deepcopy__(self, memo: dict[int, Any]) -> list[Any]:
        return [_thawed(value) for value in self]


def guarded(obj: KubeObject) -> KubeObject:
    """A deep copy that raises TypeError on every write; `copy.deepcopy` of it is an ordinary object again."""
    return cast(KubeObject, _frozen(obj))


def _frozen(value: Any) -> Any:
    if isinstance(value, dict):
        return GuardedDict({key: _frozen(part) for key, part in value.items()})
    if isinstance(value, list):
        return GuardedList(map(_frozen, value))
    return value


def _thawed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _thawed(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_thawed(part) for part in value]
    return value
