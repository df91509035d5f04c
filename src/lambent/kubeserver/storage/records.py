"""What the store holds of an object: its bytes, and beside them the few facts that selection and collection need."""

import re
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import orjson

from lambent.kube.types import KubeObject

ChangeType = Literal["ADDED", "MODIFIED", "DELETED"]


class Owner(NamedTuple):
    """One metadata.ownerReferences entry."""

    api_version: str
    kind: str
    name: str
    uid: str
    blocks: bool


@dataclass(slots=True, eq=False)
class Record:
    """One version of one object. `body` is canonical JSON: apiVersion, kind, metadata, then the rest.

    `decoded` is the same as an object, of few that were written last; nobody may change it.
    """

    namespace: str
    name: str
    uid: str
    rv: int
    body: bytes
    labels: dict[str, str]
    owners: tuple[Owner, ...]
    deleting: bool
    api_version: str
    epoch: int = 0
    decoded: KubeObject | None = None

    @property
    def path(self) -> str:
        return f"{self.namespace}/{self.name}" if self.namespace else self.name

    def load(self) -> Any:
        """The object, decoded anew: the caller's own copy."""
        return orjson.loads(self.body)


@dataclass(slots=True, eq=False)
class Change:
    """One committed (or pending) step of one object. `old` is what it replaced, None for ADDED."""

    rv: int
    bucket: str
    type: ChangeType
    record: Record
    old: Record | None
    at_s: float = 0.0


def record_of(obj: KubeObject, rv: int, *, epoch: int = 0) -> Record:
    """Encodes `obj` as version `rv`; sets its resourceVersion."""
    meta = obj["metadata"]
    meta["resourceVersion"] = str(rv)
    body, is_exact = _encoded({"apiVersion": obj["apiVersion"], "kind": obj["kind"], "metadata": meta, **obj})
    return Record(
        namespace=meta.get("namespace", ""),
        name=meta["name"],
        uid=meta.get("uid", ""),
        rv=rv,
        body=body,
        labels=meta.get("labels") or {},
        owners=owners_of(obj),
        deleting="deletionTimestamp" in meta,
        api_version=obj["apiVersion"],
        epoch=epoch,
        decoded=obj if is_exact else None,
    )


def encoded(obj: Any) -> bytes:
    """JSON in memory of just its size: what orjson gives back keeps its buffer, for 3 kB of text 16 KiB."""
    return _encoded(obj)[0]


def _encoded(obj: Any) -> tuple[bytes, bool]:
    """And whether it reads as `obj`, whose numbers may have been written as Go's."""
    body = orjson.dumps(obj)
    is_exact = _WHOLE_FLOAT.search(body) is None
    if not is_exact:
        body = orjson.dumps(go_numbers(obj))
    return bytes(memoryview(body)), is_exact


_WHOLE_FLOAT = re.compile(rb"\.0[,}\]]")  # as orjson ends one, or a text that looks so
_LONGEST = 2**63  # from here on Go reads a whole number as a float


def go_numbers(value: Any) -> Any:
    """2.0 as 2: Go writes whole floats so, and reads them back as integers."""
    if type(value) is float and value.is_integer() and abs(value) < _LONGEST:
        return int(value)
    if isinstance(value, dict):
        return {name: go_numbers(member) for name, member in value.items()}
    return [go_numbers(member) for member in value] if isinstance(value, list) else value


def owners_of(obj: KubeObject) -> tuple[Owner, ...]:
    references = obj["metadata"].get("ownerReferences")
    if not references:
        return ()
    return tuple(
        Owner(ref["apiVersion"], ref["kind"], ref["name"], ref["uid"], bool(ref.get("blockOwnerDeletion")))
        for ref in references
    )


def record_from_body(body: bytes, rv: int) -> Record:
    """A record read back from disk; its bytes are kept as they are."""
    obj: Any = orjson.loads(body)
    meta = obj["metadata"]
    return Record(
        namespace=meta.get("namespace", ""),
        name=meta["name"],
        uid=meta.get("uid", ""),
        rv=rv,
        body=body,
        labels=meta.get("labels") or {},
        owners=owners_of(obj),
        deleting="deletionTimestamp" in meta,
        api_version=obj["apiVersion"],
    )
