"""Answers out: an object, a list, a Table or only the metadata, as bytes.

The common case (the full object in its stored version) is the stored bytes, undecoded. Not here: watch lines
(`watching`), which use `render_one`.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from lambent.http.message import Response
from lambent.kube.types import KubeObject
from lambent.kubeserver.answers.ages import age
from lambent.kubeserver.answers.negotiation import Form
from lambent.kubeserver.answers.tables import layout, scale_columns
from lambent.kubeserver.builtin.event_views import GROUP, as_events_v1
from lambent.kubeserver.call import Call
from lambent.kubeserver.resources import ENVELOPE, Resource
from lambent.kubeserver.status import ApiError, bad_request
from lambent.kubeserver.storage.records import Record, encoded

JSON = (b"content-type", b"application/json")


def answer(body: Any, code: int = 200) -> Response:
    """A JSON answer of a value or of bytes that are JSON already."""
    return Response(code, [JSON], body if isinstance(body, bytes) else orjson.dumps(body))


def body_of(resource: Resource, record: Record) -> bytes:
    """The object in the version that was asked for, with the defaults its schema has by now."""
    if _is_current(resource, record):
        return record.body
    obj = load(resource, record)
    body = encoded(obj)
    if record.api_version == resource.api_version:
        # The same version of the object, so other readers see the same.
        record.body, record.epoch, record.decoded = body, resource.epoch, None
    return body


def _is_current(resource: Resource, record: Record) -> bool:
    """Whether what is stored is what is asked for."""
    return record.api_version == resource.api_version and (not resource.custom or record.epoch == resource.epoch)


def view(resource: Resource, record: Record) -> KubeObject:
    """The object, decoded, in the version that was asked for; nobody may change it."""
    if record.decoded is not None and _is_current(resource, record):
        return record.decoded
    return load(resource, record)


def load(resource: Resource, record: Record) -> KubeObject:
    """The object, decoded, in the version that was asked for; the caller's own."""
    obj: Any = record.load()
    if not resource.custom:
        return as_events_v1(obj) if resource.group == GROUP else obj  # type: ignore[return-value]
    if record.epoch != resource.epoch or record.api_version != resource.api_version:
        return read_as(resource, obj)
    return obj  # type: ignore[no-any-return]  # decoded JSON


def read_as(resource: Resource, obj: Any) -> KubeObject:
    """A stored custom object in the version that was asked for; its members may change."""
    rest = {key: value for key, value in obj.items() if key not in ENVELOPE}
    for read in resource.readers:
        read(rest)
    found: Any = {"apiVersion": resource.api_version, "kind": obj["kind"], "metadata": obj["metadata"], **rest}
    return found  # type: ignore[no-any-return]  # of checked members


def metadata_of(obj: Any, version: str = "v1") -> dict[str, Any]:
    return {"kind": "PartialObjectMetadata", "apiVersion": f"meta.k8s.io/{version}", "metadata": obj["metadata"]}


def check_is_list(form: Form, resource: Resource, *, is_list: bool) -> None:
    """Raises for metadata of one object where a list is asked for, and the other way round."""
    if form.kind == "PartialObjectMetadata" and is_list:
        kind = "unstructured.UnstructuredList" if resource.custom else f"{_go_type(resource)}List"
        raise ApiError(406, f"you requested PartialObjectMetadata, but the requested object is a list (*{kind})")
    if form.kind == "PartialObjectMetadataList" and not is_list:
        if resource.custom:
            raise ApiError(500, "content is not a list", reason="")
        text = (
            f"you requested PartialObjectMetadataList, but the requested object is not a list (*{_go_type(resource)})"
        )
        raise ApiError(406, text)


def _go_type(resource: Resource) -> str:
    """The type a builtin kind has inside kube-apiserver, where all events are those of the core group."""
    package = "core" if resource.group in ("", GROUP) else resource.group.partition(".")[0]
    return f"{package}.{resource.kind}"


def render_one(resource: Resource, record: Record, form: Form, include: str, now: datetime) -> bytes:
    if form.shape == "full":
        return body_of(resource, record)
    if form.shape == "metadata":
        return orjson.dumps(metadata_of(record.load(), form.version))
    return table(resource, [record], form, include=include, now=now, meta={"resourceVersion": str(record.rv)})


def table(
    resource: Resource,
    records: Sequence[Record],
    form: Form,
    *,
    include: str,
    now: datetime,
    meta: dict[str, Any],
    with_columns: bool = True,
) -> bytes:
    """`include` is None, Metadata or Object: what each row carries."""
    columns, cells = layout(resource)
    rows = []
    for record in records:
        obj: Any = load(resource, record)
        row: dict[str, Any] = {"cells": cells(obj, now), "object": None}
        if include == "Object":
            row["object"] = obj
        elif include != "None":
            row["object"] = metadata_of(obj, form.version)
        rows.append(row)
    return orjson.dumps(
        {
            "kind": "Table",
            "apiVersion": f"meta.k8s.io/{form.version}",
            "metadata": meta,
            "columnDefinitions": columns if with_columns else None,
            "rows": rows,
        }
    )


def scale_table(call: Call, response: Response) -> Response:
    """The answer of a scale subresource in the form that was asked for."""
    form = call.form()
    check_is_list(form, call.resource, is_list=False)
    if form.shape == "full" or not isinstance(response.body, bytes):
        return response
    obj: Any = orjson.loads(response.body)
    if form.shape == "metadata":
        response.body = orjson.dumps(metadata_of(obj, form.version))
        return response
    now = datetime.now(UTC)
    spec, state = obj.get("spec") or {}, obj.get("status") or {}
    created = age(obj["metadata"].get("creationTimestamp"), now)
    row: dict[str, Any] = {
        "cells": [obj["metadata"]["name"], spec.get("replicas", 0), state.get("replicas", 0), created]
    }
    include = included(call)
    if include != "None":
        row["object"] = obj if include == "Object" else metadata_of(obj, form.version)
    body = {
        "kind": "Table",
        "apiVersion": f"meta.k8s.io/{form.version}",
        "metadata": {"resourceVersion": obj["metadata"].get("resourceVersion", "")},
        "columnDefinitions": scale_columns(call.resource),
        "rows": [row],
    }
    response.body = orjson.dumps(body)
    return response


def included(call: Call) -> str:
    """What each row of a table carries; raises 400 for what nothing could."""
    wanted = call.query.get("includeObject", "") or "Metadata"
    if wanted not in ("None", "Metadata", "Object") and call.form().shape == "table":
        shown = orjson.dumps(wanted).decode()
        why = f"includeObject: Invalid value: {shown}: must be 'Metadata', 'Object', 'None', or empty"
        raise bad_request(f"Unable to convert to Table as requested: {why}")
    return wanted


def render_list(call: Call, records: Sequence[Record], meta: dict[str, Any], now: datetime) -> bytes:
    resource, form = call.resource, call.form()
    if form.shape == "table":
        return table(resource, records, form, include=included(call), now=now, meta=meta)
    if form.shape == "metadata":
        items = [metadata_of(orjson.loads(record.body), form.version) for record in records]
        head = {"kind": "PartialObjectMetadataList", "apiVersion": f"meta.k8s.io/{form.version}", "metadata": meta}
        return orjson.dumps({**head, "items": items})
    head = {"kind": resource.list_name, "apiVersion": resource.api_version, "metadata": meta}
    bodies = (body_of(resource, record) for record in records)
    if not resource.custom:
        # Items of a builtin's list carry no kind and version: the canonical bytes begin with both, so cut them off.
        cut = len(orjson.dumps({"apiVersion": resource.api_version, "kind": resource.kind}))
        bodies = (b"{" + body[cut:] for body in bodies)
    return orjson.dumps(head)[:-1] + b',"items":[' + b",".join(bodies) + b"]}"
