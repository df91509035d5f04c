"""A handler's dict in model member names to status, headers and JSON body.

Absent members stay absent, never null. Blobs become base64, timestamps epoch seconds or, where the shape says so,
ISO 8601. Not here: errors (`aws.answers`) and streams of events.
"""

import base64
from datetime import UTC, datetime
from typing import Any

import orjson

from lambent.aws.answers import WireHeaders
from lambent.functions.codec.corrections import corrections

Answer = tuple[int, WireHeaders, bytes]


def serialise(operation: Any, result: dict[str, Any]) -> Answer:
    """`operation` is botocore's OperationModel."""
    status = corrections().status.get(operation.name, int(operation.http.get("responseCode", 200)))
    shape = operation.output_shape
    headers: WireHeaders = []
    document: dict[str, Any] = {}
    for name, member in shape.members.items() if shape is not None else ():
        value = result.get(name)
        location = member.serialization.get("location")
        wire_name = member.serialization.get("name", name)
        if value is None or location == "statusCode":
            continue
        if location == "header":
            headers.append((wire_name.lower().encode(), str(value).encode()))
        else:
            document[wire_name] = _plain(member, value)
    if status == 204:
        return status, headers, b""
    headers.append((b"content-type", b"application/json"))
    return status, headers, orjson.dumps(document)


def _plain(shape: Any, value: Any) -> Any:
    match shape.type_name:
        case "structure":
            return _structure(shape, value)
        case "list":
            return [_plain(shape.member, item) for item in value]
        case "map":
            return {key: _plain(shape.value, item) for key, item in value.items()}
        case "blob":
            return base64.b64encode(value).decode()
        case "timestamp":
            return _timestamp(shape, value)
        case "double":
            return float(value)
    return value


def _structure(shape: Any, value: dict[str, Any]) -> dict[str, Any]:
    return {
        member.serialization.get("name", name): _plain(member, value[name])
        for name, member in shape.members.items()
        if value.get(name) is not None
    }


def _timestamp(shape: Any, value: datetime) -> Any:
    if shape.serialization.get("timestampFormat") == "iso8601":
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return value.timestamp()
