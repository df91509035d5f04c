"""What a request to write must be before its object is looked at: its kind, its names, its manager, its preconditions.

Each refuses in kube-apiserver's words. Not here: whether the object is good (`stages`, `validation`).
"""

from types import NoneType
from typing import Any

import orjson

from lambent.kube.schema import Problem
from lambent.kube.types import KubeObject
from lambent.kubeserver import status
from lambent.kubeserver.builtin.bodies import read_metadata
from lambent.kubeserver.call import Call
from lambent.kubeserver.draft import Draft
from lambent.kubeserver.status import ApiError, bad_request


def inapplicable() -> ApiError:
    return ApiError(422, "the server rejected our request due to an error in our request", details={})


def check_operations(patch: Any) -> None:
    """A JSON patch is a list of objects whose paths are texts."""
    for operation in patch:
        if operation is None:
            raise inapplicable()
        if not isinstance(operation, dict):
            raise bad_request(_unreadable(operation, "value of type handlers.jsonPatchOp"))
        for name in ("op", "path", "from"):
            if not isinstance(operation.get(name), (str, NoneType)):
                raise bad_request(_unreadable(operation[name], f"struct field jsonPatchOp.{name} of type string"))


def _unreadable(value: Any, into: str) -> str:
    kinds = {bool: "bool", int: "number", float: "number", str: "string", list: "array", dict: "object"}
    return f"error decoding patch: json: cannot unmarshal {kinds[type(value)]} into Go {into}"


def check_applied(call: Call, config: Any) -> None:
    """Raises 400 for a body that cannot be applied at all."""
    check_applied_as(call.resource.api_version, call.resource.kind, config)


def check_applied_as(api_version: str, wanted_kind: str, config: Any) -> None:
    """Raises 400 for an apply of what is no object, of another kind, or of managed fields."""
    if not isinstance(config, dict) and config is not None:
        found = {list: "array", str: "string", bool: "bool"}.get(type(config), "number")
        text = f"json: cannot unmarshal {found} into Go value of type map[string]interface {{}}"
        raise bad_request(f"error decoding YAML: error unmarshaling JSON: while decoding JSON: {text}")
    config = config or {}
    given = [config.get(member) for member in ("apiVersion", "kind")]
    version, kind = (value if isinstance(value, str) else "" for value in given)
    if version.count("/") > 1:
        version = kind = ""
    if (version, kind) != (api_version, wanted_kind):
        shown = version if "/" in version else f"/{version}"
        raise bad_request(f"invalid object type: {shown}, Kind={kind}")
    meta = config.get("metadata")
    if isinstance(meta, dict) and _are_entries(meta.get("managedFields")):
        raise bad_request("metadata.managedFields must be nil")


def _are_entries(given: Any) -> bool:
    """Whether this can be read as entries; what cannot is told of with the rest of the body."""
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        return False
    return not read_metadata(orjson.loads(orjson.dumps({"managedFields": given})))[0]


def check_names(call: Call, new: KubeObject) -> None:
    """Namespace, then name: those of the URL, which may leave the name out; the body may leave the namespace out."""
    meta: Any = new["metadata"]
    if not call.resource.namespaced:
        if isinstance(meta.get("namespace"), (str, NoneType)):  # else the metadata cannot be read
            meta.pop("namespace", None)
    elif meta.get("namespace") in (None, ""):
        meta["namespace"] = call.namespace
    elif isinstance(meta["namespace"], str) and meta["namespace"] != call.namespace:
        raise bad_request("the namespace of the provided object does not match the namespace sent on the request")
    name = meta.get("name")
    if not call.name:
        return
    if not name:
        raise nameless(call)
    if name != call.name:
        raise bad_request(f"the name of the object ({name}) does not match the name on the URL ({call.name})")


def nameless(call: Call) -> ApiError:
    return bad_request(f"the name of the object ({call.name} based on URL) was undeterminable: name must be provided")


def check_no_uid(call: Call, new: KubeObject) -> None:
    """An apply that names a uid means an object that is there."""
    if uid := new["metadata"].get("uid"):
        why = f"uid mismatch: the provided object specified uid {uid}, and no existing object was found"
        raise status.conflict(call.resource.group, call.resource.plural, call.name, why)


def check_preconditions(draft: Draft) -> None:
    """The body's resourceVersion and uid, if it has them, are those of the stored object."""
    resource, record = draft.resource, draft.record
    given: Any = draft.new["metadata"]
    version = given.get("resourceVersion")
    if record is None:
        _check_number(version)
        return
    uid = given.get("uid")
    if uid and uid != record.uid and not draft.is_patch:
        why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {record.uid}"
        root = "" if draft.call.is_dry_run else "/registry"
        key = f"{root}/{f'{resource.group}/' if resource.custom else ''}{resource.plural}/{record.path}"
        lead = f"StorageError: invalid object, Code: 4, Key: {key}, ResourceVersion: 0, AdditionalErrorMsg"
        raise status.conflict(resource.group, resource.plural, record.name, f"{lead}: {why}")
    _check_number(version)
    wanted = number_of(version) or 0
    if wanted == 0 and isinstance(version, (str, NoneType)):
        if resource.traits.needs_version_on_update:
            text = "Invalid value: 0: must be specified for an update"
            problem = Problem("metadata.resourceVersion", "FieldValueInvalid", text)
            raise status.invalid(resource.group, resource.plural, record.name, [problem])
    elif isinstance(version, str) and wanted != record.rv:
        raise status.conflict(resource.group, resource.plural, record.name, status.STALE)


_DIGITS = 20  # more are beyond 64 bits whatever they are


def number_of(version: Any) -> int | None:
    """A resourceVersion as Go reads an uint64; None for what is none."""
    if not isinstance(version, str) or not (version.isdecimal() and version.isascii()):
        return None
    digits = version.lstrip("0")  # Python takes no text of thousands of digits for a number
    return None if len(digits) > _DIGITS or (number := int(digits or "0")) >> 64 else number


def _check_number(version: Any) -> None:
    """Of a text; admission says what is wrong with metadata that cannot be read."""
    if not isinstance(version, str) or not version or number_of(version) is not None:
        return
    why = "value out of range" if version.isdecimal() and version.isascii() else "invalid syntax"
    raise ApiError(500, f"strconv.ParseUint: parsing {orjson.dumps(version).decode()}: {why}", reason="")
