"""The paths of an OpenAPI document: what can be done to a resource, with which parameters, answered by what.

Clients look for the operations of a kind by `x-kubernetes-group-version-kind` and for the parameters these take.
Source: the documents of kube-apiserver 1.34, without their descriptions. Not here: the schemas (`openapi`).
"""

import re
from typing import Any

from lambent.kubeserver.resources import Resource

REF = "#/components/schemas/"
SCALE = "io.k8s.api.autoscaling.v1.Scale"
DELETE_OPTIONS = "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions"
_PATCHES = ("application/json-patch+json", "application/merge-patch+json", "application/apply-patch+yaml")
_STRATEGIC = "application/strategic-merge-patch+json"
_MEDIA = ("application/json", "application/yaml")

_LISTED = {
    "allowWatchBookmarks": "boolean",
    "continue": "string",
    "fieldSelector": "string",
    "labelSelector": "string",
    "limit": "integer",
    "resourceVersion": "string",
    "resourceVersionMatch": "string",
    "sendInitialEvents": "boolean",
    "timeoutSeconds": "integer",
    "watch": "boolean",
}
_WRITTEN = {"dryRun": "string", "fieldManager": "string", "fieldValidation": "string"}
_DELETED = {
    "dryRun": "string",
    "gracePeriodSeconds": "integer",
    "ignoreStoreReadErrorWithClusterBreakingPotential": "boolean",
    "orphanDependents": "boolean",
    "propagationPolicy": "string",
}
# Verb -> the method, the action, the first word of the operation's id, and the parameters of its query.
_OPERATIONS: dict[str, tuple[str, str, str, dict[str, str]]] = {
    "list": ("get", "list", "list", _LISTED),
    "create": ("post", "post", "create", _WRITTEN),
    "deletecollection": ("delete", "deletecollection", "delete", _LISTED),
    "get": ("get", "get", "read", {"resourceVersion": "string"}),
    "update": ("put", "put", "replace", _WRITTEN),
    "patch": ("patch", "patch", "patch", {**_WRITTEN, "force": "boolean"}),
    "delete": ("delete", "delete", "delete", _DELETED),
}


def paths_of(resource: Resource, schema: str, list_schema: str) -> dict[str, Any]:
    """Path -> its parameters and operations, for the collection, the object and its subresources."""
    root = f"/apis/{resource.group}/{resource.gvk.version}" if resource.group else f"/api/{resource.gvk.version}"
    scope = "/namespaces/{namespace}" if resource.namespaced else ""
    collection = f"{root}{scope}/{resource.plural}"
    places = [
        (collection, "", ("list", "create", "deletecollection")),
        (collection + "/{name}", "", ("get", "update", "patch", "delete")),
    ]
    if resource.has_status:
        places.append((collection + "/{name}/status", "Status", ("get", "update", "patch")))
    if resource.scale is not None:
        places.append((collection + "/{name}/scale", "Scale", ("get", "update", "patch")))
    out: dict[str, Any] = {}
    for path, sub, verbs in places:
        shown = SCALE if sub == "Scale" else schema
        operations = {
            _OPERATIONS[verb][0]: _operation(resource, verb, sub, list_schema if verb == "list" else shown)
            for verb in verbs
            if verb in resource.verbs
        }
        if operations:
            out[path] = {"parameters": _of_path(path), **operations}
    if resource.namespaced and "list" in resource.verbs:
        everywhere = _operation(resource, "list", "ForAllNamespaces", list_schema)
        out[f"{root}/{resource.plural}"] = {"parameters": everywhere.pop("parameters"), "get": everywhere}
    return out


def _of_path(path: str) -> list[dict[str, Any]]:
    text = {"type": "string", "uniqueItems": True}
    named = [
        {"name": name, "in": "path", "required": True, "schema": text}
        for name in ("name", "namespace")
        if f"{{{name}}}" in path
    ]
    return [*named, {"name": "pretty", "in": "query", "schema": text}]


def _operation(resource: Resource, verb: str, sub: str, schema: str) -> dict[str, Any]:
    _, action, word, query = _OPERATIONS[verb]
    group = "".join(part[:1].upper() + part[1:] for part in re.split("[.-]", resource.group or "core"))
    scope = "Namespaced" if resource.namespaced and sub != "ForAllNamespaces" else ""
    scope = f"Collection{scope}" if verb == "deletecollection" else scope
    version = resource.gvk.version[:1].upper() + resource.gvk.version[1:]
    operation: dict[str, Any] = {
        "operationId": f"{word}{group}{version}{scope}{resource.kind}{sub}",
        "x-kubernetes-action": action,
        "x-kubernetes-group-version-kind": {
            "group": resource.group,
            "version": resource.gvk.version,
            "kind": resource.kind,
        },
        "parameters": [
            {"name": name, "in": "query", "schema": {"type": kind, "uniqueItems": True}} for name, kind in query.items()
        ],
        "responses": {"200": {"description": "OK"}, "401": {"description": "Unauthorized"}},
    }
    if verb not in ("delete", "deletecollection"):
        operation["responses"]["200"]["content"] = _content(_MEDIA, {"$ref": REF + schema})
    if verb in ("create", "update"):
        operation["requestBody"] = {"content": _content(_MEDIA, {"$ref": REF + schema}), "required": True}
        operation["responses"]["201"] = {"description": "Created"}
    if verb == "delete":
        operation["requestBody"] = {"content": _content(_MEDIA, {"$ref": REF + DELETE_OPTIONS})}
    if verb == "patch":
        media = _PATCHES if resource.custom else (*_PATCHES, _STRATEGIC)
        operation["requestBody"] = {"content": _content(media, {"type": "object"}), "required": True}
    return operation


def _content(media: tuple[str, ...], schema: dict[str, Any]) -> dict[str, Any]:
    return {one: {"schema": schema} for one in media}
