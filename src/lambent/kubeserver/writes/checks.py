"""What a request to write must be before its object is looked at: its kind, its names, its manager, its preconditions.

Each refuses in kube-apiserver's words. Not here: whether the object is good (`stages`, `validation`).
"""

from typing import Any

import orjson

from lambent.kube.schema import Problem
from lambent.kube.types import KubeObject
from lambent.kubeserver import status
from lambent.kubeserver.call import Call
from lambent.kubeserver.draft import Draft
from lambent.kubeserver.lifecycle.deletion import CRDS_BUCKET
from lambent.kubeserver.status import ApiError, bad_request

_LONGEST_MANAGER = 128


def check_kind(call: Call, new: Any) -> None:
    """A patch may change neither kind nor version of a custom object."""
    resource = call.resource
    if not resource.custom or call.subresource == "scale":
        return
    for member, wanted in (("apiVersion", resource.api_version), ("kind", resource.kind)):
        if new.get(member) != wanted:
            text = f"Invalid value: {orjson.dumps(new.get(member)).decode()}: must be {wanted}"
            problem = Problem(member, "FieldValueInvalid", text)
            raise status.invalid(resource.group, str(new.get("kind")), call.name, [problem])


def inapplicable() -> ApiError:
    return ApiError(422, "the server rejected our request due to an error in our request", details={})


def check_operations(patch: Any) -> None:
    """A JSON patch is a list of objects whose paths are texts."""
    for operation in patch:
        is_good = isinstance(operation, dict) and all(
            isinstance(operation.get(name, ""), str) for name in ("op", "path", "from")
        )
        if not is_good:
            kinds = {bool: "bool", int: "number", float: "number", str: "string", list: "array"}
            found = kinds.get(type(operation), "value")
            raise bad_request(
                f"error decoding patch: json: cannot unmarshal {found} into Go value of type handlers.jsonPatchOp"
            )


def check_manager(manager: str, options: str = "PatchOptions") -> None:
    problem = None
    if len(manager) > _LONGEST_MANAGER:
        problem = Problem(
            "fieldManager", "FieldValueTooLong", f"Too long: may not be more than {_LONGEST_MANAGER} bytes"
        )
    for at, sign in enumerate(manager):
        if not sign.isprintable():
            where = f"invalid character U+{ord(sign):04X} (at position {at})"
            text = f"Invalid value: {orjson.dumps(manager).decode()}: {where}"
            problem = Problem("fieldManager", "FieldValueInvalid", text)
            break
    if problem is not None:
        raise status.invalid("meta.k8s.io", options, "", [problem])


def checked_apply(call: Call, config: Any) -> str:
    """The manager of an apply whose body may be applied at all; raises 400 or 422."""
    manager = call.query.get("fieldManager", "")
    check_manager(manager)
    if not manager:
        problem = Problem("fieldManager", "FieldValueRequired", "Required value: is required for apply patch")
        raise status.invalid("meta.k8s.io", "PatchOptions", "", [problem])
    if not isinstance(config, dict) and config is not None:
        kind = {list: "array", str: "string", bool: "bool"}.get(type(config), "number")
        text = f"json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}"
        raise bad_request(f"error decoding YAML: error unmarshaling JSON: while decoding JSON: {text}")
    config = config or {}
    version, kind = config.get("apiVersion") or "", config.get("kind") or ""
    if (version, kind) != (call.resource.api_version, call.resource.kind):
        shown = version if "/" in str(version) else f"/{version}"
        raise bad_request(f"invalid object type: {shown}, Kind={kind}")
    meta = config.get("metadata")
    if isinstance(meta, dict) and meta.get("managedFields"):
        raise bad_request("metadata.managedFields must be nil")
    if isinstance(meta, dict):
        meta.setdefault("name", call.name)
    return manager


def check_names(call: Call, new: KubeObject) -> None:
    meta: Any = new.setdefault("metadata", {})  # type: ignore[typeddict-item]  # the name follows below
    if not isinstance(meta, dict):
        version = call.resource.gvk.version
        raise bad_request(f"{call.resource.kind} in version {version!r} cannot be handled: metadata is not an object")
    name = meta.get("name")
    if not name and call.request.method == "PUT" and call.resource.custom:
        raise bad_request("name must be provided")
    if name and name != call.name:
        raise bad_request(f"the name of the object ({name}) does not match the name on the URL ({call.name})")
    if not name:
        meta["name"] = call.name


def check_preconditions(draft: Draft) -> None:
    """The body's resourceVersion and uid, if it has them, are those of the stored object."""
    resource, record = draft.resource, draft.record
    given: Any = draft.new["metadata"]
    if record is None:
        return
    uid = given.get("uid")
    if uid and uid != record.uid and not draft.is_patch:
        why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {record.uid}"
        key = f"/registry/{f'{resource.group}/' if resource.custom else ''}{resource.plural}/{record.path}"
        lead = f"StorageError: invalid object, Code: 4, Key: {key}, ResourceVersion: 0, AdditionalErrorMsg"
        raise status.conflict(resource.group, resource.plural, record.name, f"{lead}: {why}")
    version = given.get("resourceVersion")
    if version in (None, "", "0"):
        if resource.traits.needs_version_on_update and not draft.is_patch:
            is_status, is_crd = bool(draft.subresource), resource.bucket == CRDS_BUCKET
            shown = "0" if is_crd or is_status else "0x0" if resource.custom else '""'
            text = f"Invalid value: {shown}: must be specified for an update"
            problem = Problem("metadata.resourceVersion", "FieldValueInvalid", text)
            named = resource.plural if is_crd or is_status else resource.kind
            raise status.invalid(resource.group, named, record.name, [problem])
    elif not isinstance(version, str):
        return  # admission says what is wrong with metadata that cannot be read
    elif not version.isdecimal() or not version.isascii():
        raise ApiError(500, f"strconv.ParseUint: parsing {orjson.dumps(version).decode()}: invalid syntax", reason="")
    elif version != str(record.rv):
        raise status.conflict(resource.group, resource.plural, record.name, status.STALE)
