"""Server-side apply as `FakeKube` does it: ownership of leaves by manager, conflicts, removal of what was dropped.

Simpler than a real server: lists are atomic unless the objects share no schema (there is none here), ownership is kept
beside the objects instead of in managedFields, and only appliers own. Source: Kubernetes, "Server-Side Apply".
"""

from typing import Any

from lambent.kube.errors import Conflict
from lambent.kube.types import KubeObject

Path = tuple[str, ...]
_IDENTITY = frozenset({"name", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp"})


def leaves(obj: KubeObject) -> dict[Path, Any]:
    """What an applied body speaks of, without its identity."""
    found: dict[Path, Any] = {}
    for name, value in obj.items():
        if name == "metadata":
            meta = {key: part for key, part in obj["metadata"].items() if key not in _IDENTITY}
            _collect(("metadata",), meta, found)
        elif name not in ("apiVersion", "kind"):
            _collect((name,), value, found)
    return found


def _collect(path: Path, value: Any, found: dict[Path, Any]) -> None:
    if isinstance(value, dict) and (value or len(path) == 1):
        for name, part in value.items():
            _collect((*path, name), part, found)
    else:
        found[path] = value


class Ownership:
    """Manager -> the leaves it applied, for one object and one subresource."""

    def __init__(self, owned: dict[str, set[Path]] | None = None) -> None:
        self._owned = owned or {}

    def copy(self) -> "Ownership":
        return Ownership({manager: set(paths) for manager, paths in self._owned.items()})

    def merge(self, old: KubeObject, body: KubeObject, manager: str, *, force: bool) -> KubeObject:
        """The object after this apply; `old` must be the caller's own copy, it is changed in place."""
        wanted = leaves(body)
        self._check(old, wanted, manager, force=force)
        for path in self._owned.get(manager, set()) - set(wanted):
            if not any(path in owned for other, owned in self._owned.items() if other != manager):
                _remove(old, path)
        for path, value in wanted.items():
            _place(old, path, value)
        self._owned[manager] = set(wanted)
        return old

    def _check(self, old: KubeObject, wanted: dict[Path, Any], manager: str, *, force: bool) -> None:
        for other, owned in self._owned.items():
            if other == manager:
                continue
            taken = [path for path in wanted if path in owned and _read(old, path) != wanted[path]]
            if taken and not force:
                message = f'Apply failed with {len(taken)} conflict: conflict with "{other}": .{".".join(taken[0])}'
                raise Conflict(message, code=409, status_reason="Conflict")
            owned.difference_update(taken)


def _read(obj: Any, path: Path) -> Any:
    for name in path:
        obj = obj.get(name) if isinstance(obj, dict) else None
    return obj


def _place(obj: Any, path: Path, value: Any) -> None:
    for name in path[:-1]:
        if not isinstance(obj.get(name), dict):
            obj[name] = {}
        obj = obj[name]
    obj[path[-1]] = value


def _remove(obj: Any, path: Path) -> None:
    for name in path[:-1]:
        obj = obj.get(name)
        if not isinstance(obj, dict):
            return
    obj.pop(path[-1], None)
