"""Field ownership as `FakeKube` keeps it: who applied a leaf or wrote it last, conflicts, removal of what was dropped.

Simpler than a real server: lists are atomic, there being no schema here, and ownership is kept beside the objects
instead of in managedFields. Source: Kubernetes, "Server-Side Apply".
"""

from typing import Any, NamedTuple

from lambent.kube.errors import Conflict
from lambent.kube.types import KubeObject

Path = tuple[str, ...]
_IDENTITY = frozenset({"name", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp",
                       "deletionTimestamp", "deletionGracePeriodSeconds"})  # fmt: skip
_ABSENT: Any = object()


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


class Writer(NamedTuple):
    """A manager is another one for what it applied than for what it wrote otherwise."""

    manager: str
    api_version: str
    is_applier: bool = False

    def __str__(self) -> str:
        return f'"{self.manager}"' if self.is_applier else f'"{self.manager}" using {self.api_version}'


class Ownership:
    """Writer -> its leaves, for one object and one subresource."""

    def __init__(self, owned: dict[Writer, set[Path]] | None = None) -> None:
        self._owned = owned or {}

    def copy(self) -> "Ownership":
        return Ownership({writer: set(paths) for writer, paths in self._owned.items()})

    def note(self, old: KubeObject | None, new: KubeObject, manager: str) -> None:
        """A write other than apply: what it changed is its manager's, and nobody else's any more."""
        before, after = leaves(old) if old is not None else {}, leaves(new)
        changed = {path for path, value in after.items() if before.get(path, _ABSENT) != value}
        for owned in self._owned.values():
            owned.difference_update(changed, before.keys() - after.keys())
        self._owned.setdefault(Writer(manager, new["apiVersion"]), set()).update(changed)

    def merge(self, old: KubeObject, body: KubeObject, manager: str, *, force: bool) -> KubeObject:
        """The object after this apply; `old` must be the caller's own copy, it is changed in place."""
        wanted, applier = leaves(body), Writer(manager, body["apiVersion"], is_applier=True)
        self._check(old, wanted, applier, force=force)
        for path in self._owned.get(applier, set()) - set(wanted):
            if not any(path in owned for other, owned in self._owned.items() if other != applier):
                _remove(old, path)
        for path, value in wanted.items():
            _place(old, path, value)
        self._owned[applier] = set(wanted)
        return old

    def _check(self, old: KubeObject, wanted: dict[Path, Any], applier: Writer, *, force: bool) -> None:
        causes: list[tuple[str, str]] = []
        for other, owned in self._owned.items():
            if other == applier:
                continue
            taken = [path for path in wanted if path in owned and _read(old, path) != wanted[path]]
            causes += [(f".{'.'.join(path)}", f"conflict with {other}") for path in taken]
            if force:
                owned.difference_update(taken)
        if causes and not force:
            field, message = causes[0]
            told = f"Apply failed with {len(causes)} conflict{'s' * (len(causes) > 1)}: {message}: {field}"
            raise Conflict(told, code=409, status_reason="Conflict", causes=tuple(causes))


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
