"""One service of moto as bytes, and back.

moto keeps a service as a table of back ends by account and region, made of plain Python objects, so pickle can take
them. Two kinds of objects are not copied but named: a back end is its service, account and region (many objects refer
to theirs), and the content of a large S3 object is a file beside the snapshot, written once. Only for files of our own
state directory: unpickling runs what it is told.
"""

import importlib
import io
import pickle
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lambent.aws.embedded.contents import Contents

_INLINE_BYTES = 4096
"""Smaller contents stay in the snapshot: a file each would cost more than it saves."""


class _Content:
    """Stands for the content of an S3 object."""

    def __init__(self, digest: str) -> None:
        self.digest = digest


class _Pickler(pickle.Pickler):
    def __init__(self, file: io.BytesIO, contents: Contents) -> None:
        super().__init__(file, protocol=5)
        self._contents = contents
        self.used: set[str] = set()

    def persistent_id(self, obj: Any) -> Any:
        if isinstance(obj, _Content):
            return ("content", obj.digest)
        if isinstance(obj, _backend_type()):
            return ("backend", type(obj).__module__.split(".")[1], obj.account_id, obj.region_name)
        return None

    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, _s3_type("_VersionedKeyStore")):
            # It shows the last version of each key only: pickle, asking it like any dictionary, would lose the rest.
            return (type(obj), (), dict(obj), None, None, restore_versions)
        if not isinstance(obj, _s3_type("FakeKey")) or obj.contentsize <= _INLINE_BYTES:
            return NotImplemented
        return self._key_with_content_aside(obj)

    def _key_with_content_aside(self, obj: Any) -> Any:
        state = obj.__dict__.copy()
        del state["_value_buffer"], state["lock"]
        known = state.get("_lambent_content")
        if known is None or known[0] != obj.contentsize or not self._contents.has(known[1]):
            # An object's content never changes but by growing; a copy of the object carries the mark along.
            try:
                known = (obj.contentsize, self._contents.put(obj.value))
            except ValueError:
                return NotImplemented  # closed: a part of a finished upload, which nobody can read any more
            obj._lambent_content = state["_lambent_content"] = known
        self.used.add(known[1])
        state["value"] = _Content(known[1])
        return (type(obj).__new__, (type(obj),), state)


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, contents: Contents) -> None:
        super().__init__(file)
        self._contents = contents

    def persistent_load(self, pid: Any) -> Any:
        if pid[0] == "content":
            return self._contents.read(pid[1])
        _, service, account, region = pid
        return _table(service)[account][region]


def dump(service: str, contents: Contents) -> tuple[bytes, set[str]] | None:
    """The service's state and the contents it refers to; None when the service is not in use."""
    if f"moto.{service}.models" not in sys.modules:
        return None
    state = {account: dict(_states(backends)) for account, backends in list(_table(service).items())}
    if not any(state.values()):
        return None
    file = io.BytesIO()
    pickler = _Pickler(file, contents)
    pickler.dump(state)
    return file.getvalue(), pickler.used


def _states(backends: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    yield from ((region, backend.__dict__) for region, backend in list(backends.items()))


def load(service: str, data: bytes, contents: Contents) -> None:
    """Puts a saved state in the place of the service's present one. Raises whatever unpickling raises."""
    state = _Unpickler(io.BytesIO(data), contents).load()
    for account, regions in state.items():
        for region, attributes in regions.items():
            _table(service)[account][region].__dict__.update(attributes)


def _table(service: str) -> Any:
    return getattr(importlib.import_module(f"moto.{service}.models"), f"{service}_backends")


def _backend_type() -> Any:
    return sys.modules["moto.core.base_backend"].BaseBackend


def _s3_type(name: str) -> Any:
    """A class of moto's S3, or no class while S3 is not in use."""
    return getattr(sys.modules.get("moto.s3.models"), name, ())


def restore_versions(store: dict[str, Any], versions: dict[str, list[Any]]) -> None:
    """Puts all versions of all keys into moto's versioned dictionary (snapshots refer to this function by name)."""
    for key, values in versions.items():
        dict.__setitem__(store, key, values)


def read_file(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
