"""A matched request to a dict in model member names: path, query, header, payload and JSON body.

A value of the wrong JSON type is a SerializationException, as AWS says it; missing members and bad values are left to
`validation`. Members the model does not know are ignored, as AWS does.
"""

import base64
import binascii
from collections.abc import Callable
from typing import Any

import orjson

from lambent.aws.errors import ServiceError
from lambent.functions.codec.router import Matched

Parameters = dict[str, Any]


def parse_parameters(shape: Any, matched: Matched, header: Callable[[bytes], bytes], body: bytes) -> Parameters:
    """`shape` is the operation's input structure (None: no input)."""
    if shape is None:
        return {}
    payload = shape.serialization.get("payload")
    document = {} if payload else _document(body)
    found: Parameters = {}
    for name, member in shape.members.items():
        value = _member(name, member, matched, header, document, body if name == payload else None)
        if value is not None:
            found[name] = value
    return found


def _member(
    name: str,
    member: Any,
    matched: Matched,
    header: Callable[[bytes], bytes],
    document: dict[str, Any],
    payload: bytes | None,
) -> Any:
    wire_name = member.serialization.get("name", name)
    match member.serialization.get("location"):
        case "uri":
            return _from_text(member, matched.path.get(wire_name), wire_name)
        case "querystring":
            return _from_query(member, matched.query.get(wire_name), wire_name)
        case "header":
            text = header(wire_name.lower().encode())
            return _from_text(member, text.decode("latin-1") if text else None, wire_name)
    if payload is not None:
        return _payload(member, payload)
    return _from_json(member, document.get(wire_name), wire_name)


def _payload(member: Any, payload: bytes) -> Any:
    if member.type_name == "structure":
        return _from_json(member, _document(payload), member.name)
    return payload


def _document(body: bytes) -> dict[str, Any]:
    if not body:
        return {}
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise ServiceError("SerializationException", f"Could not parse request body into json: {error}") from None
    if not isinstance(document, dict):
        raise _mistyped("the body", "a JSON object")
    return document


def _from_query(member: Any, values: list[str] | None, name: str) -> Any:
    if not values:
        return None
    if member.type_name == "list":
        return [_from_text(member.member, value, name) for value in values]
    return _from_text(member, values[0], name)


def _from_text(member: Any, text: str | None, name: str) -> Any:
    if text is None:
        return None
    match member.type_name:
        case "integer" | "long":
            try:
                return int(text)
            except ValueError:
                raise _mistyped(name, "an integer") from None
        case "boolean":
            return text.lower() == "true"
    return text


def _from_json(shape: Any, value: Any, where: str) -> Any:
    """Checks types along the shape; a JSON null is an absent member."""
    if value is None:
        return None
    convert = _CONVERSIONS[shape.type_name]
    return convert(shape, value, where)


def _structure(shape: Any, value: Any, where: str) -> Any:
    if not isinstance(value, dict):
        raise _mistyped(where, "a structure")
    found = {
        name: _from_json(member, value.get(member.serialization.get("name", name)), f"{where}.{name}")
        for name, member in shape.members.items()
    }
    return {name: part for name, part in found.items() if part is not None}


def _list(shape: Any, value: Any, where: str) -> Any:
    if not isinstance(value, list):
        raise _mistyped(where, "a list")
    return [_from_json(shape.member, item, f"{where}[{index}]") for index, item in enumerate(value)]


def _map(shape: Any, value: Any, where: str) -> Any:
    if not isinstance(value, dict):
        raise _mistyped(where, "a map")
    return {key: _from_json(shape.value, item, f"{where}.{key}") for key, item in value.items()}


def _blob(_shape: Any, value: Any, where: str) -> Any:
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, TypeError, ValueError):
        raise _mistyped(where, "base64 text") from None


def _exactly(kinds: type | tuple[type, ...], what: str) -> Callable[[Any, Any, str], Any]:
    def check(_shape: Any, value: Any, where: str) -> Any:
        if not isinstance(value, kinds) or (isinstance(value, bool) and kinds is not bool):
            raise _mistyped(where, what)
        return value

    return check


_CONVERSIONS: dict[str, Callable[[Any, Any, str], Any]] = {
    "structure": _structure,
    "list": _list,
    "map": _map,
    "blob": _blob,
    "string": _exactly(str, "a string"),
    "integer": _exactly(int, "an integer"),
    "long": _exactly(int, "an integer"),
    "double": lambda shape, value, where: float(_exactly((int, float), "a number")(shape, value, where)),
    "boolean": _exactly(bool, "a boolean"),
    "timestamp": _exactly((int, float, str), "a timestamp"),
}


def _mistyped(where: str, wanted: str) -> ServiceError:
    return ServiceError("SerializationException", f"{where} must be {wanted}")
