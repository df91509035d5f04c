"""A secondary index of an informer's cache: value -> keys."""

from collections.abc import Callable, Iterable

from lambent.kube.types import Key, KubeObject

IndexFunction = Callable[[KubeObject], Iterable[str]]


class Index:
    """`values(obj)` gives the values under which an object is found; it must depend on the object alone."""

    def __init__(self, values: IndexFunction) -> None:
        self._values = values
        self._keys: dict[str, dict[Key, None]] = {}
        self._known: dict[Key, tuple[str, ...]] = {}

    def keys(self, value: str) -> Iterable[Key]:
        return self._keys.get(value, ())

    def put(self, key: Key, obj: KubeObject | None) -> None:
        """Replaces what is known of the key; None takes it out."""
        for value in self._known.pop(key, ()):
            del self._keys[value][key]
            if not self._keys[value]:
                del self._keys[value]
        if obj is None:
            return
        values = self._known[key] = tuple(dict.fromkeys(self._values(obj)))
        for value in values:
            self._keys.setdefault(value, {})[key] = None


def by_owner(obj: KubeObject) -> Iterable[str]:
    """Uids of all owners."""
    return (ref["uid"] for ref in obj["metadata"].get("ownerReferences") or ())
