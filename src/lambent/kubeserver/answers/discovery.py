"""Discovery, in both forms, from the one table: aggregated (kubectl) and legacy (older clients, `auth can-i`).

Source: Kubernetes API concepts, "API Discovery"; `apidiscovery.k8s.io/v2`.
"""

import base64
import hashlib
from typing import Any, NamedTuple

import orjson

from lambent.http.message import Request, Response
from lambent.kubeserver.resources import Resource, Table
from lambent.kubeserver.status import ApiError, no_resource

_CR_ORDER = ("delete", "deletecollection", "get", "list", "patch", "create", "update", "watch")
_FOREIGN = {"TokenRequest": ("authentication.k8s.io", "v1"), "Eviction": ("policy", "v1")}
_OWN_VERBS = {"finalize": ["update"], "log": ["get"]}
_SUB_VERBS = ["get", "patch", "update"]
_AGGREGATED = b"application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


class Subresource(NamedTuple):
    """`group` and `version` are those of its kind, both empty when they are the resource's own."""

    name: str
    kind: str
    verbs: list[str]
    group: str = ""
    version: str = ""


def api_versions() -> dict[str, Any]:
    address = {"clientCIDR": "0.0.0.0/0", "serverAddress": "127.0.0.1"}
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": [address]}


def group(table: Table, name: str) -> dict[str, Any]:
    versions = [{"groupVersion": f"{name}/{version}", "version": version} for version in table.versions(name)]
    return {"name": name, "versions": versions, "preferredVersion": versions[0]}


def group_list(table: Table) -> dict[str, Any]:
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [group(table, name) for name in table.groups if name]}


def one_group(table: Table, name: str) -> dict[str, Any]:
    if not name or name not in table.groups:
        raise not_served()
    return {"kind": "APIGroup", "apiVersion": "v1", **group(table, name)}


def not_served() -> ApiError:
    """A group nobody serves is answered by the front, in plain text."""
    return PlainNotFound(404, "404 page not found")


PLAIN = ((b"content-type", b"text/plain; charset=utf-8"), (b"x-content-type-options", b"nosniff"))


class PlainNotFound(ApiError):
    def response(self) -> Response:
        return Response(404, list(PLAIN), b"404 page not found\n")


def is_builtin(table: Table, group: str) -> bool:
    """Whether the group is served without a definition."""
    found = table.groups.get(group, {})
    return bool(found) and not any(resource.custom for resources in found.values() for resource in resources)


def resource_list(table: Table, name: str, version: str) -> dict[str, Any]:
    if version not in table.groups.get(name, {}):
        raise no_resource() if is_builtin(table, name) else not_served()
    found = table.groups[name][version]
    group_version = f"{name}/{version}" if name else version
    entries = [e for resource in sorted(found, key=lambda r: r.plural) for e in _legacy_entries(resource)]
    if is_builtin(table, name):
        entries.sort(key=lambda entry: str(entry["name"]))
    head = {"kind": "APIResourceList", "groupVersion": group_version, "resources": entries}
    return {**head, "apiVersion": "v1"} if name else head


def _verbs(resource: Resource) -> list[str]:
    return [verb for verb in _CR_ORDER if verb in resource.verbs] if resource.custom else list(resource.verbs)


def _called(resource: Resource) -> dict[str, Any]:
    """Its verbs, and what else it is called by."""
    found: dict[str, Any] = {"verbs": _verbs(resource)}
    if resource.short_names:
        found["shortNames"] = list(resource.short_names)
    if resource.categories:
        found["categories"] = list(resource.categories)
    return found


def _legacy_entries(resource: Resource) -> list[dict[str, Any]]:
    entry: dict[str, Any] = {
        "name": resource.plural,
        "singularName": resource.singular,
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        **_called(resource),
    }
    if not resource.traits.is_virtual:
        entry["storageVersionHash"] = storage_hash(resource)
    return [entry, *(_legacy_sub(resource, sub) for sub in subresources(resource))]


def _legacy_sub(resource: Resource, sub: Subresource) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "name": f"{resource.plural}/{sub.name}",
        "singularName": "",
        "namespaced": resource.namespaced,
        "kind": sub.kind,
        "verbs": sub.verbs,
    }
    return {**entry, "group": sub.group, "version": sub.version} if sub.version else entry


def subresources(resource: Resource) -> list[Subresource]:
    out: list[Subresource] = []
    if resource.has_status:
        out.append(Subresource("status", resource.kind, _SUB_VERBS))
    if resource.scale is not None:
        out.append(Subresource("scale", "Scale", _SUB_VERBS, "autoscaling", "v1"))
    for name, kind in resource.traits.subresources:
        out.append(Subresource(name, kind, _OWN_VERBS.get(name, ["create"]), *_FOREIGN.get(kind, ())))
    return out


def storage_hash(resource: Resource) -> str:
    """The first 8 bytes of SHA-256 over group/storage version/kind, as kube-apiserver makes it."""
    group, _, version = resource.stored_api_version.rpartition("/")
    text = f"{group}/{version}/{resource.kind}"
    return base64.b64encode(hashlib.sha256(text.encode()).digest()[:8]).decode()


def aggregated(table: Table, request: Request, *, core: bool) -> Response:
    """`/api` (the core group) or `/apis` (all others); 304 when the client has this version."""
    names = [name for name in table.groups if (name == "") == core]
    items = [_aggregated_group(table, name) for name in names]
    body = orjson.dumps(
        {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items}
    )
    tag = b'"' + hashlib.sha256(body).hexdigest().upper().encode() + b'"'
    headers = [(b"content-type", _AGGREGATED), (b"etag", tag), (b"vary", b"Accept"), (b"cache-control", b"public")]
    if request.header(b"if-none-match") == tag:
        return Response(304, headers[1:])
    return Response(200, headers, body)


def _aggregated_group(table: Table, name: str) -> dict[str, Any]:
    versions = []
    for version in table.versions(name):
        found = sorted(table.groups[name][version], key=lambda resource: resource.plural)
        resources = [_aggregated_entry(resource) for resource in found]
        versions.append({"version": version, "resources": resources, "freshness": "Current"})
    return {"metadata": {"name": name} if name else {}, "versions": versions}


def _aggregated_entry(resource: Resource) -> dict[str, Any]:
    kind = {"group": "", "version": "", "kind": resource.kind}  # empty: those of the entry itself
    if resource.custom:
        kind |= {"group": resource.group, "version": resource.gvk.version}
    entry: dict[str, Any] = {
        "resource": resource.plural,
        "responseKind": kind,
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": resource.singular,
        **_called(resource),
    }
    found: list[dict[str, Any]] = []
    for sub in subresources(resource):
        target = {"group": sub.group, "version": sub.version} if sub.version else kind
        found.append({"subresource": sub.name, "responseKind": {**target, "kind": sub.kind}, "verbs": sub.verbs})
    if found:
        entry["subresources"] = found if resource.custom else sorted(found, key=lambda one: str(one["subresource"]))
    return entry


def wants_aggregated(request: Request) -> bool:
    """Version v2 (v2beta1 is gone in 1.34) is among what the client accepts, before plain JSON."""
    accept = request.header(b"accept")
    return b"g=apidiscovery.k8s.io" in accept and b"v=v2;" in accept + b";" and b"as=APIGroupDiscoveryList" in accept
