"""Where the record of managed resources lies: in the annotation, or in a ConfigMap when it is too large for one.

The annotations of an object hold 256 KiB together, so a larger record moves to a ConfigMap beside the trigger (for a
cluster-scoped one: in the namespace `default`) and the annotation becomes `{workflow, configMap, digest}`. The text
there is compressed: the entries of ten thousand items differ in little but their names. The ConfigMap is written before
the annotation that names it and goes when the record is small again. Both writes state the revision that was read or
written last: a controller that was paused must not put an older record over that of its successor, nor take it away.

Passes find a record that has not changed where the last one left it (`KnownRecords`): neither its text is read again
nor, while a watch on the ConfigMap shows it, the server asked.

The ConfigMap's name has the trigger's uid, so an annotation that names another one was copied from another object, and
is no record of this one (`managed`).

It belongs to the trigger. Where the trigger is held by our finalizer it does not: a foreground deletion would take what
the deletion needs, so then the deletion itself takes it away at its end.
"""

import base64
import binascii
import hashlib
import logging
import zlib
from dataclasses import dataclass
from typing import Any, cast

import orjson

from lambent.kube.client import KubeClient
from lambent.kube.errors import AlreadyExists, Conflict, NotFound
from lambent.kube.finalizers import finalizer_name
from lambent.kube.types import GVK, Key, KubeObject, Preconditions
from lambent.workflow.controller.watches import ResourceWatches, Trigger
from lambent.workflow.engine import ResourceRef, owner_of
from lambent.workflow.engine.managed import ANNOTATION, Record, anothers, parse_record
from lambent.workflow.engine.patches import compact_json

_log = logging.getLogger(__name__)
FINALIZER = finalizer_name("workflow")
CONFIG_MAP = GVK("", "v1", "ConfigMap")
MAX_ANNOTATION_BYTES = 200 * 1024
_MEMBER = "record.json.zlib"
_CLUSTER_SCOPED_NAMESPACE = "default"
_LONGEST_POINTER = 1024
# A ConfigMap full of entries unpacks to some 8 MiB; full of zeros, which anybody may put there, to 1 GiB.
_LONGEST_TEXT = 32 * 1024 * 1024


async def load_record(kube: KubeClient, obj: KubeObject) -> Record:
    """The record of a trigger, wherever it lies; empty when there is none or it cannot be read. Raises KubeError."""
    record, _ = await _read(kube, obj)
    return record


async def _read(kube: KubeClient, obj: KubeObject) -> tuple[Record, KubeObject | None]:
    """The record, and the ConfigMap that holds it if one does."""
    pointer, uid = _pointer(obj), obj["metadata"].get("uid", "")
    if not pointer:
        return parse_record(dict(obj["metadata"])), None
    if not _names_own(obj):
        return anothers(uid), None
    try:
        found = await kube.get(CONFIG_MAP, _own_name(obj), namespace=_namespace(obj))
    except NotFound:
        _log.warning("the ConfigMap with the record of managed resources is gone")
        return parse_record({"uid": uid}), None
    return parse_record({"uid": uid, "annotations": {ANNOTATION: _text(found)}}), found


@dataclass(frozen=True, slots=True)
class _Known:
    """An annotation, the revision of the ConfigMap that it names (empty: none), and what both say."""

    annotation: str
    revision: str
    record: Record


class KnownRecords:
    """The records of the triggers of one kind, as the passes read and wrote them."""

    def __init__(self, kube: KubeClient, gvk: GVK, watches: ResourceWatches) -> None:
        self._kube = kube
        self._gvk = gvk
        self._watches = watches
        self._known: dict[Key, _Known] = {}
        self._beside: dict[Key, Preconditions] = {}
        """The trigger's own ConfigMap as it was read or written last."""

    def forget(self, key: Key) -> None:
        self._known.pop(key, None)
        self._beside.pop(key, None)

    async def load(self, obj: KubeObject) -> Record:
        """As `load_record`; the caller may change the orphans. Raises KubeError."""
        key, annotation = Key.of(obj), _annotation(obj)
        known = self._known.get(key)
        if known is not None and known.record.uid not in ("", obj["metadata"].get("uid")):
            self.forget(key)
            known = None
        if known is None or known.annotation != annotation or known.revision != self._revision(obj):
            record, found = await _read(self._kube, obj)
            self._note(obj, found)
            known = self._known[key] = _Known(annotation, self._revision(obj), record)
        return known.record.copy()

    async def place(self, obj: KubeObject, record: Record, *, is_held: bool) -> str:
        """The annotation for a record, after its ConfigMap has been written if it needs one. Raises KubeError.

        `is_held` says that the trigger has our finalizer, or gets it with the annotation.
        """
        text = record.text()
        revision = ""
        if len(text) > MAX_ANNOTATION_BYTES or len(text.encode()) > MAX_ANNOTATION_BYTES:
            text, revision = await self._placed_beside(obj, record, text, is_held=is_held)
        self._known[Key.of(obj)] = _Known(text, revision, record.copy())
        return text

    def refs(self, obj: KubeObject) -> list[ResourceRef]:
        """What is to be watched for the record itself."""
        return [_config_map(obj)] if _names_own(obj) else []

    async def _placed_beside(self, obj: KubeObject, record: Record, text: str, *, is_held: bool) -> tuple[str, str]:
        owner = None if is_held else owner_of(obj)
        references = [owner.reference()] if owner is not None else None
        digest = hashlib.sha256(f"{text}{references}".encode()).hexdigest()
        ref = _config_map(obj)
        trigger = Trigger(self._gvk, Key.of(obj))
        known = self._known.get(trigger.key)
        # What somebody else made of it does not stay, although the annotation is as we wrote it.
        is_same = _pointer(obj).get("digest") == digest and known is not None and known.record.text() == text
        found = await self._present(trigger, ref) if is_same else None
        if found is None:
            found = await self._write(obj, text, references)
        self._note(obj, found)
        self._watches.sightings.saw(ref.place, found)
        annotation = compact_json({"workflow": record.workflow, "configMap": ref.name, "digest": digest})
        return annotation, found["metadata"].get("resourceVersion", "")

    async def _write(self, obj: KubeObject, text: str, references: list[dict[str, Any]] | None) -> KubeObject:
        content = {"binaryData": {_MEMBER: packed(text)}}
        # After a write that fails nothing is known: the next one reads.
        seen = self._beside.pop(Key.of(obj), None)
        if seen is not None:
            try:
                return await self._overwrite(obj, content, references, seen.resource_version)
            except NotFound:
                _log.warning("the ConfigMap with the record of managed resources is gone")
        metadata: dict[str, Any] = {"ownerReferences": references} if references else {}
        named = {"name": _own_name(obj), "namespace": _namespace(obj), **metadata}
        made = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": named, **content}
        try:
            return await self._kube.create(cast(KubeObject, made))
        except AlreadyExists:
            found = await self._kube.get(CONFIG_MAP, _own_name(obj), namespace=_namespace(obj))
            return await self._overwrite(obj, content, references, found["metadata"]["resourceVersion"])

    async def _overwrite(
        self, obj: KubeObject, content: dict[str, Any], references: list[dict[str, Any]] | None, revision: str | None
    ) -> KubeObject:
        body = {"metadata": {"ownerReferences": references, "resourceVersion": revision}, **content}
        return await self._kube.patch(CONFIG_MAP, _own_name(obj), body, namespace=_namespace(obj))

    def _note(self, obj: KubeObject, found: KubeObject | None) -> None:
        if found is not None:
            self._beside[Key.of(obj)] = _seen(found)

    async def drop_unused(self, before: KubeObject, after: KubeObject) -> None:
        """Deletes the ConfigMap that the annotation named and names no more. Raises KubeError."""
        seen = self._beside.get(Key.of(before))
        if seen is None or not _names_own(before) or _pointer(after):
            return
        del self._beside[Key.of(before)]
        try:
            await _delete(self._kube, before, seen)
        except Conflict:
            # Whoever wrote it since needs it.
            _log.info("the ConfigMap with the record of managed resources has changed, so it stays")

    async def _present(self, trigger: Trigger, ref: ResourceRef) -> KubeObject | None:
        """Anybody may have deleted it; a record that is lost must not stay lost."""
        await self._watches.ensure(trigger, ref)
        if (cached := self._watches.cached(trigger, ref)) is not None:
            return cached
        try:
            return await self._kube.get(CONFIG_MAP, ref.name, namespace=ref.namespace)
        except NotFound:
            return None

    def _revision(self, obj: KubeObject) -> str:
        """Of the ConfigMap as a watch shows it; of one that nobody shows, nothing has changed as far as we know."""
        for ref in self.refs(obj):
            cached = self._watches.cached(Trigger(self._gvk, Key.of(obj)), ref)
            if cached is not None:
                return cached["metadata"].get("resourceVersion", "")
            known = self._known.get(Key.of(obj))
            return known.revision if known is not None else ""
        return ""


async def drop_of_deleted(kube: KubeClient, trigger: KubeObject) -> None:
    """Deletes the ConfigMap of a trigger that goes. Raises KubeError."""
    if not _names_own(trigger):
        return
    try:
        found = await kube.get(CONFIG_MAP, _own_name(trigger), namespace=_namespace(trigger))
    except NotFound:
        return
    await _delete(kube, trigger, _seen(found))


async def _delete(kube: KubeClient, trigger: KubeObject, preconditions: Preconditions) -> None:
    try:
        await kube.delete(CONFIG_MAP, _own_name(trigger), namespace=_namespace(trigger), preconditions=preconditions)
    except NotFound:
        return


def _seen(found: KubeObject) -> Preconditions:
    metadata = found["metadata"]
    return Preconditions(metadata.get("uid"), metadata.get("resourceVersion"))


def _own_name(trigger: KubeObject) -> str:
    return f"lambent-managed-{trigger['metadata'].get('uid', '')}"


def _names_own(trigger: KubeObject) -> bool:
    """Whatever else an annotation names is not ours to delete."""
    return _pointer(trigger).get("configMap") == _own_name(trigger)


def _annotation(obj: KubeObject) -> str:
    text = (obj["metadata"].get("annotations") or {}).get(ANNOTATION)
    return text if isinstance(text, str) else ""


def _config_map(obj: KubeObject) -> ResourceRef:
    return ResourceRef("v1", "ConfigMap", _own_name(obj), _namespace(obj), is_readonly=True)


def _pointer(obj: KubeObject) -> dict[str, Any]:
    """The annotation when it names a ConfigMap, else nothing."""
    text = _annotation(obj)
    # A record holds 200 KiB where a pointer holds 200 bytes.
    if len(text) > _LONGEST_POINTER or '"configMap"' not in text:
        return {}
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    names_one = isinstance(value, dict) and "resources" not in value and isinstance(value.get("configMap"), str)
    return value if names_one else {}


def _namespace(obj: KubeObject) -> str:
    return obj["metadata"].get("namespace") or _CLUSTER_SCOPED_NAMESPACE


def _text(config_map: KubeObject) -> str:
    data = cast(dict[str, Any], config_map).get("binaryData") or {}
    try:
        unpacker = zlib.decompressobj()
        text = unpacker.decompress(base64.b64decode(data.get(_MEMBER) or "", validate=True), _LONGEST_TEXT)
        return text.decode() if unpacker.eof else ""
    except (binascii.Error, zlib.error, UnicodeDecodeError):
        return ""


def packed(text: str) -> str:
    """As it lies in the ConfigMap, which holds 1 MiB."""
    return base64.b64encode(zlib.compress(text.encode())).decode()
