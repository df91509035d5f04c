"""Bodies in: JSON, YAML and (for the kinds of the field table) protobuf become one dict.

Strict field validation needs to know of duplicate members, which JSON parsers drop silently; so that mode parses once
more with a decoder that sees pairs.
"""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from types import NoneType
from typing import Any

import orjson

from lambent.http.message import Request
from lambent.kubeserver.call import Call
from lambent.kubeserver.requests.go_json import loads_as_go, why_no_json
from lambent.kubeserver.status import ApiError, bad_request, unsupported_media
from lambent.kubeserver.storage.records import go_numbers

ACCEPTED = ("application/json", "application/yaml", "application/vnd.kubernetes.protobuf")
PATCH_TYPES = {
    "application/json-patch+json": "json",
    "application/merge-patch+json": "merge",
    "application/strategic-merge-patch+json": "strategic",
    "application/apply-patch+yaml": "apply",
}

_SHORT_BYTES = 64 * 1024  # a longer body is not read a second time for the sake of a wording
BODY_LIMIT_BYTES = 3 * 1024 * 1024


_PARAMETER = re.compile(r"\s*[\w!#$&^.+-]+\s*=\s*(\"[^\"]*\"|[\w!#$&^.+-]+)\s*")


def media_type(call: Call) -> str:
    """In small letters and without parameters; "?" for one whose parameters cannot be read."""
    name, _, rest = call.request.header(b"content-type").decode("latin-1").partition(";")
    if rest and not all(_PARAMETER.fullmatch(one) for one in rest.split(";") if one.strip()):
        return "?"
    return name.strip().lower()


def decode_body(call: Call) -> dict[str, Any]:
    """The object of a POST or PUT; raises 400, 413 or 415."""
    body = call.request.body
    media = media_type(call)
    _check_size(body)
    if media in ("", "application/json"):
        try:
            value, text = _read_json(call.request)
        except NotJson as error:
            raise unrecognized(call, f"{_NO_HEAD}{error}") from None
        if call.validation != "Ignore" and may_have_duplicates(body, text):
            call.duplicates = [f'duplicate field "{path}"' for path in duplicate_fields(body)]
    elif media == "application/yaml":
        value = _decode_yaml(call)
    elif media == "application/vnd.kubernetes.protobuf":
        from lambent.kubeserver.requests.protobuf import decode_object

        value = decode_object(body)
    else:
        raise unsupported_media(ACCEPTED)
    if value is None and not call.resource.custom:
        return {}
    if value is None:
        kind, version = call.resource.kind, call.resource.gvk.version
        raise bad_request(
            f"{kind} in version \"{version}\" cannot be handled as a {kind}: Object 'Kind' is missing in 'null'"
        )
    if not isinstance(value, dict):
        raise unrecognized(call, _no_head(value))
    for member in ("apiVersion", "kind"):
        if not isinstance(value.get(member), (str, NoneType)):
            raise unrecognized(call, no_text(member, value[member]))
    return value


def _decode_yaml(call: Call) -> Any:
    body = call.request.body
    try:
        value = parse_yaml(body)
    except NotYaml as error:
        raise unrecognized(call, str(error)) from None
    call.duplicates = _keys_twice(call, value)
    if call.duplicates and call.validation == "Strict":
        call.duplicates = ["\n  ".join(("yaml: unmarshal errors:", *call.duplicates))]
    return value


def no_text(member: str, value: Any) -> str:
    """Why nothing tells the kind of an object whose apiVersion or kind is no text."""
    return f"{_NO_HEAD}json: cannot unmarshal {_name(value)} into Go struct field .{member} of type string"


_NO_HEAD = "couldn't get version/kind; json parse error: "
_SUMMARY_BYTES = 30


def _no_head(value: Any) -> str:
    head = ('APIVersion string "json:\\"apiVersion,omitempty\\""', 'Kind string "json:\\"kind,omitempty\\""')
    return f"{_NO_HEAD}json: cannot unmarshal {_name(value)} into Go value of type struct {{ {'; '.join(head)} }}"


def unrecognized(call: Call, why: str) -> ApiError:
    """A body of which not even the kind can be read; the refusal shows how it begins."""
    body = call.request.body
    start = body[:_SUMMARY_BYTES]
    shown = start.decode(errors="replace") if body[:1] == b"{" else start.hex()
    shown = f"{shown} ..." if len(body) > _SUMMARY_BYTES else shown or "<empty>"
    return bad_request(f"the object provided is unrecognized (must be of type {call.resource.kind}): {why} ({shown})")


def _check_size(body: bytes) -> None:
    if len(body) > BODY_LIMIT_BYTES:
        raise ApiError(413, f"Request entity too large: limit is {BODY_LIMIT_BYTES}", details={})


class NotJson(ValueError):
    """The message is what Go's decoder says."""


def parse_json(body: bytes) -> Any:
    """Raises `NotJson`, and 400 for what nests too deep."""
    return _looked_at(_loaded(body))[0]


def _read_json(request: Request) -> tuple[Any, bytes]:
    """The value, and how orjson writes it."""
    value = _loaded(request.body)
    return (value, request.body) if request.scheme == IN_PROCESS else _looked_at(value)


def _loaded(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        return _as_go(body, str(error))


IN_PROCESS = "in-process"
"""The scheme of a request whose body `plain_json` wrote."""


def plain_json(value: Any) -> bytes | None:
    """JSON that needs no second look: of few levels, with whole numbers of 53 bits; None where it would need one."""
    _INNERMOST[0] = value
    try:
        return orjson.dumps(_WRAPPED, option=orjson.OPT_STRICT_INTEGER)[_SPARE_LEVELS:-_SPARE_LEVELS]
    except TypeError:
        return None
    finally:
        _INNERMOST[0] = None


def _looked_at(value: Any) -> tuple[Any, bytes]:
    """One writing tells of depth and long numbers, and then of duplicates."""
    text = plain_json(value)
    if text is None:
        check_depth(value)
        value = _with_floats(value)
        text = orjson.dumps(value)
    return value, text


def _as_go(body: bytes, why: str) -> Any:
    """What Go takes for JSON all the same: a lone surrogate, a byte that is no UTF-8; raises `NotJson`."""
    if len(body) < _SHORT_BYTES:
        why = go_json_error(body)
        if not why:
            try:
                return loads_as_go(body.decode(errors="replace"))
            except ValueError as error:
                why = f"json: cannot unmarshal number {error} into Go value of type float64"
    elif _may_be_deep(body):  # what is long is not read again, and depth is the likelier fault
        why = TOO_DEEP
    raise NotJson(why)


def _with_floats(value: Any) -> Any:
    """Integers beyond 64 bits with a sign as the floats that Go reads them as; raises `NotJson` beyond those."""
    if type(value) is int and not -(2**63) <= value < 2**63:
        try:
            return float(value)
        except OverflowError:
            raise NotJson(f"json: cannot unmarshal number {value} into Go value of type float64") from None
    if isinstance(value, dict):
        return {name: _with_floats(member) for name, member in value.items()}
    return [_with_floats(one) for one in value] if isinstance(value, list) else value


def _may_be_deep(body: bytes) -> bool:
    """Each level begins with one of these, and few texts have so many of them."""
    return body.count(b"{") + body.count(b"[") > DEEPEST


DEEPEST = 200
"""Levels of an object; what walks one calls itself for each, and Python bounds that."""
_WRITABLE_LEVELS = 254  # of orjson's writer, which counts them at no cost
_SPARE_LEVELS = _WRITABLE_LEVELS - DEEPEST

_INNERMOST: list[Any] = [None]
_WRAPPED: list[Any] = _INNERMOST
for _ in range(_SPARE_LEVELS - 1):
    _WRAPPED = [_WRAPPED]


OWNERSHIP_LEVELS = 8  # managedFields repeat each level of the object, from a place of their own


def check_depth(value: Any) -> None:
    """Raises 400 for a value of more than `DEEPEST` levels, what the server notes of them not counted."""
    meta = value.get("metadata") if isinstance(value, dict) else None
    if isinstance(meta, dict) and "managedFields" in meta:
        _refuse_deeper(value, DEEPEST + OWNERSHIP_LEVELS)
        value = value | {"metadata": {name: one for name, one in meta.items() if name != "managedFields"}}
    _refuse_deeper(value, DEEPEST)


def _refuse_deeper(value: Any, levels: int) -> None:
    for _ in range(_WRITABLE_LEVELS - levels):
        value = [value]
    try:
        orjson.dumps(value)
    except TypeError:
        raise bad_request(f"the object nests more than {DEEPEST} levels deep") from None


class NotYaml(ValueError):
    """The message is what Go's YAML library says."""


def parse_yaml(body: bytes) -> Any:
    """YAML as Kubernetes reads it; most bodies called YAML are JSON. Raises `NotYaml`, 400 for what nests too deep."""
    if body.lstrip()[:1] == b"{":
        with suppress(orjson.JSONDecodeError):  # a flow mapping begins so too
            return _with_whole_numbers(_looked_at(orjson.loads(body))[0], body)
    from lambent.kubeserver.requests.yaml_text import load_yaml  # 10 ms that a server asked in JSON never spends

    return load_yaml(body)


def _with_whole_numbers(value: Any, text: bytes) -> Any:
    """YAML is turned into JSON first, which has no point in a whole number."""
    return go_numbers(value) if _FLOAT.search(text) else value


_FLOAT = re.compile(rb"[:\[,]\s*-?\d+[.eE]")


def kind_of_patch(call: Call) -> str:
    """Of the media type, one of `PATCH_TYPES`; raises 415."""
    media = call.request.header(b"content-type").decode("latin-1").partition(";")[0].strip()
    kind = PATCH_TYPES.get(media)  # spelled just so, unlike the media type of any other body
    accepted = [name for name in PATCH_TYPES if not (call.resource.custom and name.startswith("application/strategic"))]
    if kind is None and not call.resource.custom:
        raise ApiError(415, "415: Unsupported Media Type", details={})
    if kind is None or media not in accepted:
        raise unsupported_media(accepted)
    return kind


def decode_patch(call: Call, kind: str) -> Any:
    """The decoded body of a patch of that kind; raises 400 or 413."""
    _check_size(call.request.body)
    if kind == "apply":
        return _decode_applied(call)
    try:
        value, text = _read_json(call.request)
    except NotJson as error:
        if kind == "merge" and call.validation == "Ignore":
            raise bad_request("Invalid JSON Patch") from None
        raise bad_request(f"{'' if kind == 'strategic' else 'error decoding patch: '}{error}") from None
    if value is None and kind != "json":
        raise bad_request("Invalid JSON Patch")
    if kind != "strategic" and call.validation != "Ignore":
        call.duplicates = [*_twice(call, value, text, kind)]
    if not isinstance(value, list if kind == "json" else dict):
        prefix = "" if kind == "strategic" else "error decoding patch: "
        raise bad_request(
            f"{prefix}json: cannot unmarshal {_name(value)} into Go value of type "
            + ("[]handlers.jsonPatchOp" if kind == "json" else "map[string]interface {}")
        )
    return value


def _decode_applied(call: Call) -> Any:
    body = call.request.body
    if not body.strip():
        return {}
    if call.request.scheme == IN_PROCESS:
        return _with_whole_numbers(orjson.loads(body), body)
    try:
        value = parse_yaml(body)
    except NotYaml as error:
        raise bad_request(f"error decoding YAML: error converting YAML to JSON: {error}") from None
    call.duplicates = _keys_twice(call, value)
    return value


_OPERATION = frozenset(("op", "path", "from", "value"))


def _twice(call: Call, value: Any, text: bytes, kind: str) -> Iterator[str]:
    """Members that occur twice, and those that no operation of a JSON patch has."""
    lead = "json patch " if kind == "json" else ""
    if may_have_duplicates(call.request.body, text):
        yield from (f'{lead}duplicate field "{path}"' for path in duplicate_fields(call.request.body))
    for index, operation in enumerate(value if kind == "json" and isinstance(value, list) else ()):
        for name in operation if isinstance(operation, dict) else ():
            if name not in _OPERATION:
                yield f'json patch unknown field "[{index}].{name}"'


def _keys_twice(call: Call, value: Any) -> list[str]:
    if call.validation == "Ignore" or not may_have_duplicates(call.request.body, orjson.dumps(value)):
        return []
    from lambent.kubeserver.requests.yaml_text import keys_set_twice

    return keys_set_twice(call.request.body)


def report_applied(call: Call) -> None:
    """Members that occur twice in an applied body: warnings, or 400 in strict validation."""
    if call.duplicates and call.validation == "Strict":
        listed = "".join(f"\n  {text}" for text in call.duplicates)
        raise bad_request(f"error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:{listed}")
    call.warnings += call.duplicates


TOO_DEEP = "exceeded max depth"


def go_json_error(body: bytes) -> str:
    """Why a text is not JSON, in the words of Go's decoder, which reads bytes; "" when it is."""
    try:
        return why_no_json(body.decode("latin-1"))
    except RecursionError:
        return f"invalid character '{chr(body.strip()[0])}' {TOO_DEEP}"


def _name(value: Any) -> str:
    names = {dict: "object", list: "array", str: "string", bool: "bool", int: "number", float: "number"}
    return names.get(type(value), "null")


_SPACED = re.compile(rb'"\s+:')


def may_have_duplicates(body: bytes, canonical: bytes) -> bool:
    """False only when no member occurs twice: the text has as many members as what was parsed and written again.

    Members are counted by the bytes `":`, which is exact for a text without a space before the colon and without an
    escaped quote in another spelling; any other text is "may be". Spares nearly every strict write a slow parse.
    """
    if canonical == body:
        return False
    if b"\\u0022" in body or _SPACED.search(body):
        return True
    return body.count(b'":') != canonical.count(b'":')


def duplicate_fields(body: bytes) -> list[str]:
    """Paths of members that occur twice in a JSON text, e.g. `spec.size`."""
    found: list[list[str]] = []

    def pairs(members: list[tuple[str, Any]]) -> "_Seen":
        seen: dict[str, Any] = {}
        paths: list[list[str]] = []
        for name, value in members:
            if name in seen:
                paths.append([name])
            seen[name] = value
            paths += [[name, *below] for below in _paths_below(value)]
        return _Seen(paths)

    try:
        top = json.loads(body, object_pairs_hook=pairs)
    except ValueError:
        return []
    found = _paths_below(top)
    return list(dict.fromkeys(".".join(path).replace(".[", "[") for path in found))


class _Seen:
    """What one object of the text leaves behind: the paths of duplicates in it."""

    __slots__ = ("paths",)

    def __init__(self, paths: list[list[str]]) -> None:
        self.paths = paths


def _paths_below(value: Any) -> list[list[str]]:
    if isinstance(value, _Seen):
        return value.paths
    if isinstance(value, list):
        return [[f"[{index}]", *path] for index, one in enumerate(value) for path in _paths_below(one)]
    return []
