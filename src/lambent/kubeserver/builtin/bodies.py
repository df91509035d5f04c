"""Reads the bodies of builtin kinds, and the metadata of all, as Go's structs would; says why one cannot be read."""

from functools import cache
from typing import Any

import orjson

from lambent.kube.schema import Problem, Schema
from lambent.kubeserver.builtin.empties import Filler
from lambent.kubeserver.builtin.mismatches import mismatch, unrestorable
from lambent.kubeserver.builtin.orders import quoted
from lambent.kubeserver.builtin.structs import Reader, Unreadable
from lambent.kubeserver.builtin.table import definitions, object_meta, schema_names, schema_of
from lambent.kubeserver.resources import Resource
from lambent.kubeserver.status import bad_request
from lambent.kubeserver.storage.records import go_numbers

_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"


@cache
def _reader(name: str, *, is_converted: bool) -> Reader:
    return Reader({"$ref": name}, definitions(), is_converted=is_converted)


@cache
def _filler(name: str, *, structs_only: bool) -> Filler:
    return Filler({"$ref": name}, definitions(), structs_only=structs_only)


def fill_empty(resource: Resource, obj: Any, *, structs_only: bool = False) -> None:
    """Adds what the kind's struct always has: other structs, or all that is written even when it is empty."""
    _filler(_name(resource), structs_only=structs_only).fill(obj)


def _name(resource: Resource) -> str:
    return schema_names()[resource.group, resource.gvk.version, resource.kind]


def shown_patched(resource: Resource, obj: Any, patch: Any) -> str:
    """The text in which a refusal quotes what a patch made of an object."""
    return quoted(obj, _name(resource), patch)


def unreadable(resource: Resource, body: Any, *, is_converted: bool = False) -> str:
    """Brings quantities, times and nulls of the body into their form; the answer is why it cannot be done, or ""."""
    return _unreadable(_name(resource), body, is_converted=is_converted)


def _unreadable(name: str, body: Any, *, is_converted: bool = False) -> str:
    try:
        _reader(name, is_converted=is_converted).read(body)
    except Unreadable as error:
        return str(error) or mismatch(body, {"$ref": name}, definitions())
    return ""


def wrong_types(resource: Resource, body: Any, found: list[Problem], *, is_converted: bool = False) -> str:
    """Why Go's decoder, or its converter, refuses the body when the schema found wrong types in it; or ""."""
    if not any(problem.reason == "FieldValueTypeInvalid" for problem in found):
        return ""
    tell = unrestorable if is_converted else mismatch
    return tell(body, {"$ref": _name(resource)}, definitions())


def no_metadata(meta: Any, kind: str = "") -> str:
    """Why metadata that is no object cannot be read; `kind` is the struct it belongs to, if that is known."""
    found = mismatch(meta, {"$ref": _META}, definitions())
    return found.replace("Go value", f"Go struct field {kind}.metadata", 1) if kind else found


def read_metadata(meta: dict[str, Any]) -> tuple[str, list[str]]:
    """Reads an object's metadata; why it cannot be read, or "", and the paths of unknown members."""
    for name in ("generation", "deletionGracePeriodSeconds"):
        if name in meta:
            meta[name] = go_numbers(meta[name])
    why, unknown = _read(_META, object_meta(), meta)
    if why:  # tells of the first by name
        ordered = orjson.loads(orjson.dumps(meta, option=orjson.OPT_SORT_KEYS))
        why = _read(_META, object_meta(), ordered)[0] or why
    return why, unknown


def read_body(group: str, version: str, kind: str, body: Any) -> tuple[str, list[str]]:
    """The same of the body of a kind that is not stored."""
    return _read(schema_names()[group, version, kind], schema_of(group, version, kind), body)


def _read(name: str, schema: Schema, value: Any) -> tuple[str, list[str]]:
    if why := _unreadable(name, value):
        return why, []
    found = schema.admit(value)
    return mismatch(value, {"$ref": name}, definitions()) if found else "", found.unknown


def refuse_body(group: str, version: str, kind: str, body: Any) -> None:
    """Raises 400 for a body that cannot be read as that kind."""
    if why := read_body(group, version, kind, body)[0]:
        raise bad_request(f'{kind} in version "{version}" cannot be handled as a {kind}: {why}')
