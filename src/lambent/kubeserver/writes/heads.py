"""What a body says it is: its kind, its version and its metadata, as a decoder finds them and as the URL wants them.

The order of checks and the texts as kube-apiserver. Not here: whether its members fit (`stages.fields`), and the names
in its metadata (`checks`).
"""

from typing import Any

import orjson

from lambent.kubeserver import status
from lambent.kubeserver.builtin.bodies import no_metadata, read_metadata
from lambent.kubeserver.builtin.table import schema_names
from lambent.kubeserver.draft import Draft
from lambent.kubeserver.requests.decoding import no_text, unrecognized
from lambent.kubeserver.resources import ENVELOPE
from lambent.kubeserver.status import bad_request
from lambent.kubeserver.validation import errors
from lambent.kubeserver.writes.checks import check_names, nameless
from lambent.kubeserver.writes.undecodable import bad_patch, is_strategic, report, undecodable


def identity(draft: Draft) -> None:
    """Kind, version, name and namespace of the body agree with the URL; what the body leaves out is filled in."""
    resource, obj = draft.resource, draft.new
    if draft.is_create and not draft.is_apply:
        read_head(draft)
        check_names(draft.call, obj)
    if not resource.custom or (obj.get("kind") == resource.kind and obj.get("apiVersion") == resource.api_version):
        return
    if draft.is_patch and not obj.get("apiVersion"):
        raise _without_version(draft, obj)
    wrong = [
        errors.invalid(member, obj.get(member), f"must be {wanted}")
        for member, wanted in (("kind", resource.kind), ("apiVersion", resource.api_version))
        if obj.get(member) != wanted
    ]
    if wrong:
        group = str(obj.get("apiVersion") or "").rpartition("/")[0]
        raise status.invalid(group, str(obj.get("kind")), _name_of(obj), wrong)


def _without_version(draft: Draft, obj: Any) -> status.ApiError:
    """Missed only when the object is converted, after its metadata was read."""
    if why := read_metadata(orjson.loads(orjson.dumps(obj["metadata"])))[0]:
        return undecodable(draft, why)
    why = "Object 'apiVersion' is missing in 'object has no apiVersion field'"
    causes = {"causes": [{"message": why}]}
    return status.ApiError(500, f"Internal error occurred: {why}", reason="InternalError", details=causes)


def read_head(draft: Draft) -> None:
    """Kind, version and metadata as a decoder finds them, whatever they say; raises 400 or 422."""
    resource, obj = draft.resource, draft.new
    _kind(draft)
    meta: Any = obj.get("metadata")
    if meta is None:
        meta = obj["metadata"] = {}  # type: ignore[typeddict-item]  # the name is asked for next
    if not isinstance(meta, dict):
        raise undecodable(draft, no_metadata(meta, "" if resource.custom else resource.kind))


def _kind(draft: Draft) -> None:
    resource, obj = draft.resource, draft.new
    _texts(draft, obj.get("apiVersion"), obj.get("kind"))
    if is_strategic(draft) and not resource.custom:
        obj["apiVersion"], obj["kind"] = resource.api_version, resource.kind  # the struct is chosen already
    has_version = bool(obj.get("apiVersion"))
    if not resource.custom:
        obj["apiVersion"] = obj.get("apiVersion") or resource.api_version
        obj["kind"] = obj.get("kind") or resource.kind
    api_version, kind = obj.get("apiVersion") or "", obj.get("kind") or ""
    if not kind:
        if draft.is_patch:
            raise bad_patch(draft, obj, f"Object 'Kind' is missing in '{errors.show(obj)}'")
        raw = draft.call.request.body.decode(errors="replace")
        raise unrecognized(draft.call, f"Object 'Kind' is missing in '{raw}'")
    if not resource.custom and (api_version, kind) != (resource.api_version, resource.kind):
        raise _of_another_kind(draft, obj, api_version, kind)
    if draft.is_patch and not has_version and not resource.custom:
        raise _unnamed(draft)
    if draft.is_patch:
        _readable_version(draft, obj, api_version)
    elif api_version != resource.api_version:
        if resource.custom:
            report(draft, draft.call.validation, _undeclared(draft, api_version), obj)
        raise bad_request(
            f"the API version in the data ({api_version}) does not match the expected API version "
            f"({resource.api_version})"
        )


def _undeclared(draft: Draft, api_version: str) -> list[str]:
    """Of a version that is not served no schema declares anything."""
    resource = draft.resource
    if api_version in resource.versions or api_version.rpartition("/")[0] != resource.group:
        return []
    return [name for name in draft.new if name not in ENVELOPE]


def _readable_version(draft: Draft, obj: Any, api_version: str) -> None:
    if api_version.count("/") > 1:
        raise bad_patch(draft, obj, f"unexpected GroupVersion string: {api_version}")


def _unnamed(draft: Draft) -> status.ApiError:
    """A builtin object of no version is read as one of a version that has no member of it."""
    if draft.call.validation != "Ignore":
        report(draft, draft.call.validation, [name for name in draft.new if name not in ENVELOPE[:2]], draft.new)
    return nameless(draft.call)


def _texts(draft: Draft, version: Any, kind: Any) -> None:
    for member, value in (("apiVersion", version), ("kind", kind)):
        if value is not None and type(value) is not str:
            raise undecodable(draft, _not_text(draft, member, value))


def _not_text(draft: Draft, member: str, value: Any) -> str:
    if is_strategic(draft):
        return f"{'cannot convert int64 to' if type(value) is int else 'unrecognized type:'} string"
    return no_text(member, value)


def _name_of(obj: Any) -> str:
    meta = obj.get("metadata")
    return str(meta.get("name", "")) if isinstance(meta, dict) else ""


def _of_another_kind(draft: Draft, obj: Any, api_version: str, kind: str) -> status.ApiError:
    resource = draft.resource
    group, _, version = api_version.rpartition("/")
    if "/" in group:
        return unrecognized(draft.call, f"unexpected GroupVersion string: {api_version}")
    if (group, version, kind) in schema_names():
        package = resource.group.partition(".")[0] or "core"
        why = f"converting ({version}.{kind}) to ({package}.{resource.kind}): unknown conversion"
    else:
        scheme = 'in scheme "pkg/runtime/scheme.go:110"'
        why = f'no kind "{kind}" is registered for version "{api_version}" {scheme}'
    if draft.is_patch:
        return bad_patch(draft, obj, why)
    return bad_request(f'{kind} in version "{version}" cannot be handled as a {resource.kind}: {why}')
