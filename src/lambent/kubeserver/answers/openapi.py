"""OpenAPI v3: one document per group and version, from the same schemas that validate.

kubectl apply refuses to work without it: it looks for the PATCH operation of a kind, its `fieldValidation` parameter
and its patch types, and (explain) for the schema. Documents are made when asked for and kept until their group changes.
"""

import hashlib
from typing import Any

import orjson

from lambent.http.message import Request, Response
from lambent.kubeserver.answers.operations import DELETE_OPTIONS, REF, SCALE, paths_of
from lambent.kubeserver.answers.rendering import JSON, answer
from lambent.kubeserver.builtin.table import definitions, schema_names
from lambent.kubeserver.call import parse_query
from lambent.kubeserver.resources import Resource, Table

_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_BUILTIN = {"title": "Kubernetes", "version": "unversioned"}
_ENVELOPE: dict[str, Any] = {
    "apiVersion": {"type": "string", "description": "The API version this object is written in: group/version."},
    "kind": {"type": "string", "description": "The kind of this object, in CamelCase."},
    "metadata": {"$ref": _META, "description": "Name, namespace, labels and what the server keeps of the object."},
}
# OpenAPI v2 as protobuf: `swagger: "2.0"`, and an info with title and version, nothing else.
_TITLE, _VERSION = b"see /openapi/v3", b"v0"
_INFO = b"\n%c%b\x12%c%b" % (len(_TITLE), _TITLE, len(_VERSION), _VERSION)
_V2 = b"\n\x032.0\x12%c%b" % (len(_INFO), _INFO)


def version_2(request: Request) -> Response:
    """An empty v2 document: kubectl looks there for kinds that v3 does not have, to say that nobody has them."""
    if b"proto" in request.header(b"accept"):
        media = b"application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
        return Response(200, [(b"content-type", media)], _V2)
    info = {"title": _TITLE.decode(), "version": _VERSION.decode()}
    return answer({"swagger": "2.0", "info": info, "paths": {}, "definitions": {}})


class Documents:
    """The documents of the present table, made on demand."""

    def __init__(self) -> None:
        self._version = -1
        self._made: dict[tuple[str, str], tuple[bytes, str]] = {}

    def index(self, table: Table) -> Response:
        paths = {}
        for group in table.groups:
            for version in table.versions(group):
                path = f"apis/{group}/{version}" if group else f"api/{version}"
                _, digest = self._document(table, group, version)
                paths[path] = {"serverRelativeURL": f"/openapi/v3/{path}?hash={digest}"}
        return Response(200, [(b"content-type", b"text/plain; charset=utf-8")], orjson.dumps({"paths": paths}))

    def one(self, table: Table, request: Request, group: str, version: str) -> Response:
        """The document; a stale hash is sent to the present one."""
        body, digest = self._document(table, group, version)
        asked = parse_query(request.raw_query).get("hash", "")
        if asked and asked != digest:
            path = f"apis/{group}/{version}" if group else f"api/{version}"
            return Response(301, [(b"location", f"/openapi/v3/{path}?hash={digest}".encode())])
        tag = f'"{digest}"'.encode()
        if request.header(b"if-none-match") == tag:
            return Response(304, [(b"etag", tag), (b"vary", b"Accept")])
        headers = [JSON, (b"etag", tag), (b"vary", b"Accept")]
        if asked:
            headers.append((b"cache-control", b"public, immutable"))
        return Response(200, headers, body)

    def _document(self, table: Table, group: str, version: str) -> tuple[bytes, str]:
        if self._version != table.version:
            self._made.clear()
            self._version = table.version
        key = (group, version)
        if key not in self._made:
            body = orjson.dumps(document(table.groups[group][version], group, version))
            self._made[key] = (body, hashlib.sha512(body).hexdigest()[:64].upper())
        return self._made[key]


def document(resources: list[Resource], group: str, version: str) -> dict[str, Any]:
    paths: dict[str, Any] = {}
    wanted: dict[str, Any] = {}
    for resource in resources:
        name = schema_name(resource)
        list_name = f"{name.removesuffix(resource.kind)}{resource.list_name}"
        wanted[name] = _schema(resource)
        paths |= paths_of(resource, name, list_name)
        if "list" in resource.verbs:
            wanted[list_name] = _list_schema(resource, name)
    is_custom = any(resource.custom for resource in resources)
    kept = {_META, DELETE_OPTIONS} if is_custom else {DELETE_OPTIONS}
    kept |= {SCALE} if any(resource.scale is not None for resource in resources) else set()
    for name in kept:
        wanted.setdefault(name, definitions()[name])
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes CRD Swagger", "version": "v0.1.0"} if is_custom else _BUILTIN,
        "paths": paths,
        "components": {"schemas": _closure(wanted)},
    }


def schema_name(resource: Resource) -> str:
    if not resource.custom:
        return schema_names()[resource.gvk]
    return ".".join([*reversed(resource.group.split(".")), resource.gvk.version, resource.kind])


def _schema(resource: Resource) -> dict[str, Any]:
    if not resource.custom:
        return dict(definitions()[schema_name(resource)])
    properties = {
        **_ENVELOPE,
        **_published({"properties": resource.schema.source.get("properties") or {}})["properties"],
    }
    gvk = {"group": resource.group, "version": resource.gvk.version, "kind": resource.kind}
    found = {**_published(resource.schema.source), "properties": properties, "x-kubernetes-group-version-kind": [gvk]}
    if not found.get("required"):
        found.pop("required", None)
    if resource.traits.selectable:
        found["x-kubernetes-selectable-fields"] = [{"fieldPath": path} for path in resource.traits.selectable]
    return found


def _list_schema(resource: Resource, item: str) -> dict[str, Any]:
    gvk = {"group": resource.group, "version": resource.gvk.version, "kind": resource.list_name}
    metadata = {
        "type": "object",
        "description": "The version a list shows, and how to go on when there is more of it.",
        "properties": {
            "continue": {"type": "string"},
            "remainingItemCount": {"type": "integer", "format": "int64"},
            "resourceVersion": {"type": "string"},
        },
    }
    return {
        "type": "object",
        "description": f"{resource.list_name} is a list of {resource.kind}",
        "required": ["items"],
        "properties": {
            **{name: _ENVELOPE[name] for name in ("apiVersion", "kind")},
            "items": {"type": "array", "items": {"$ref": item}},
            "metadata": metadata,
        },
        "x-kubernetes-group-version-kind": [gvk],
    }


def _published(schema: Any) -> Any:
    """A custom schema as clients see it: an embedded object shows the members every object has."""
    if not isinstance(schema, dict):
        return schema
    out = {key: _published(value) for key, value in schema.items() if key not in ("properties", "default", "enum")}
    out |= {key: schema[key] for key in ("default", "enum") if key in schema}
    if "properties" in schema:
        out["properties"] = {name: _published(child) for name, child in schema["properties"].items()}
    if schema.get("x-kubernetes-embedded-resource"):
        out["properties"] = {**_ENVELOPE, **out.get("properties", {})}
        out["required"] = list(dict.fromkeys(["apiVersion", "kind", *schema.get("required", ())]))
    return out


def _closure(wanted: dict[str, Any]) -> dict[str, Any]:
    """All schemas that these refer to, references rewritten to the document's form."""
    found: dict[str, Any] = {}
    todo = dict(wanted)
    while todo:
        name, schema = todo.popitem()
        references: set[str] = set()
        found[name] = _referring(schema, references)
        todo.update({one: definitions()[one] for one in references if one not in found and one in definitions()})
    return found


def _referring(schema: Any, references: set[str]) -> Any:
    if isinstance(schema, list):
        return [_referring(one, references) for one in schema]
    if not isinstance(schema, dict):
        return schema
    out = {key: _referring(value, references) for key, value in schema.items() if key != "$ref"}
    reference = schema.get("$ref")
    if isinstance(reference, str):
        references.add(reference)
        if out:
            return {**out, "allOf": [{"$ref": REF + reference}]}
        return {"$ref": REF + reference}
    if reference is not None:  # a property that happens to be called $ref
        out["$ref"] = _referring(reference, references)
    return out
