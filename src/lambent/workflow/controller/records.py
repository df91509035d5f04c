"""Where the record of managed resources lies: in the annotation, or in a ConfigMap when it is too large for one.

The annotations of an object hold 256 KiB together, so a larger record moves to a ConfigMap beside the trigger (for a
cluster-scoped one: in the namespace `default`) and the annotation becomes `{workflow, configMap, digest}`. The text
there is compressed: the entries of ten thousand items differ in little but their names. The ConfigMap is written before
the annotation that names it and goes when the record is small again.

It belongs to the trigger. Where the trigger is held by our finalizer it does not: a foreground deletion would take what
the deletion needs, so then the deletion itself takes it away at its end.
"""

import base64
import binascii
import hashlib
import logging
import zlib
from typing import Any, cast

import orjson

from lambent.kube.client import KubeClient
from lambent.kube.errors import AlreadyExists, NotFound
from lambent.kube.finalizers import finalizer_name
from lambent.kube.types import GVK, Key, KubeObject
from lambent.workflow.engine import owner_of
from lambent.workflow.engine.managed import ANNOTATION, Record, parse_record
from lambent.workflow.engine.patches import compact_json

_log = logging.getLogger(__name__)
FINALIZER = finalizer_name("workflow")
CONFIG_MAP = GVK("", "v1", "ConfigMap")
MAX_ANNOTATION_BYTES = 200 * 1024
_MEMBER = "record.json.zlib"
_CLUSTER_SCOPED_NAMESPACE = "default"


async def load_record(kube: KubeClient, obj: KubeObject) -> Record:
    """The record of a trigger, wherever it lies; empty when there is none or it cannot be read. Raises KubeError."""
    pointer = _pointer(obj)
    if not pointer:
        return parse_record(dict(obj["metadata"]))
    try:
        found = await kube.get(CONFIG_MAP, str(pointer["configMap"]), namespace=_namespace(obj))
    except NotFound:
        _log.warning("the ConfigMap with the record of managed resources is gone")
        return parse_record({})
    return parse_record({"annotations": {ANNOTATION: _text(found)}})


async def place_record(kube: KubeClient, obj: KubeObject, record: Record, *, is_held: bool) -> str:
    """The annotation for a record, after its ConfigMap has been written if it needs one. Raises KubeError.

    `is_held` says that the trigger has our finalizer, or gets it with the annotation.
    """
    text = record.text()
    if len(text.encode()) <= MAX_ANNOTATION_BYTES:
        return text
    owner = None if is_held else owner_of(obj)
    references = [owner.reference()] if owner is not None else None
    digest = hashlib.sha256(f"{text}{references}".encode()).hexdigest()
    name = f"lambent-managed-{obj['metadata']['uid']}"
    if _pointer(obj).get("digest") != digest or not await _is_there(kube, obj, name):
        await _write(kube, Key(_namespace(obj), name), text, references)
    return compact_json({"workflow": record.workflow, "configMap": name, "digest": digest})


async def drop_unused(kube: KubeClient, before: KubeObject, after: KubeObject | None) -> None:
    """Deletes the ConfigMap that the annotation named and names no more (None: the trigger goes). Raises KubeError."""
    name = _pointer(before).get("configMap")
    if isinstance(name, str) and not (after is not None and _pointer(after)):
        try:
            await kube.delete(CONFIG_MAP, name, namespace=_namespace(before))
        except NotFound:
            return


def _pointer(obj: KubeObject) -> dict[str, Any]:
    """The annotation when it names a ConfigMap, else nothing."""
    text = (obj["metadata"].get("annotations") or {}).get(ANNOTATION)
    if not isinstance(text, str) or '"configMap"' not in text:
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
        return zlib.decompress(base64.b64decode(data.get(_MEMBER) or "", validate=True)).decode()
    except (binascii.Error, zlib.error, UnicodeDecodeError):
        return ""


async def _is_there(kube: KubeClient, obj: KubeObject, name: str) -> bool:
    """Anybody may have deleted it; a record that is lost must not stay lost."""
    try:
        await kube.get(CONFIG_MAP, name, namespace=_namespace(obj))
    except NotFound:
        return False
    return True


def packed(text: str) -> str:
    """As it lies in the ConfigMap, which holds 1 MiB."""
    return base64.b64encode(zlib.compress(text.encode())).decode()


async def _write(kube: KubeClient, key: Key, text: str, references: list[dict[str, Any]] | None) -> None:
    content = {"binaryData": {_MEMBER: packed(text)}}
    metadata: dict[str, Any] = {"ownerReferences": references} if references else {}
    named = {"name": key.name, "namespace": key.namespace, **metadata}
    try:
        await kube.create(cast(KubeObject, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": named, **content}))
    except AlreadyExists:
        body = {"metadata": {"ownerReferences": references}, **content}
        await kube.patch(CONFIG_MAP, key.name, body, namespace=key.namespace)
