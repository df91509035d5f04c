"""The scale subresource: one number of an object, shown as `autoscaling/v1 Scale`. Source: Kubernetes API reference."""

from typing import Any

import orjson

from lambent.http.message import Response
from lambent.kube.patches import PatchError, json_patch, merge_patch
from lambent.kube.schema import Problem
from lambent.kube.types import KubeObject
from lambent.kubeserver import status
from lambent.kubeserver.answers.jsonpath import simple_path, value_at
from lambent.kubeserver.answers.rendering import answer, load
from lambent.kubeserver.builtin.bodies import read_body
from lambent.kubeserver.builtin.orders import quoted
from lambent.kubeserver.call import Call
from lambent.kubeserver.requests.decoding import decode_body, decode_patch, kind_of_patch
from lambent.kubeserver.requests.options import check_options
from lambent.kubeserver.resources import Scale
from lambent.kubeserver.status import ApiError, bad_request, no_resource
from lambent.kubeserver.storage.records import Record
from lambent.kubeserver.storage.store import Store
from lambent.kubeserver.writes.checks import check_applied_as, check_names, check_operations, inapplicable
from lambent.kubeserver.writes.writing import Writer


class Scaler:
    def __init__(self, store: Store, writer: Writer) -> None:
        self._store = store
        self._writer = writer

    async def handle(self, call: Call) -> Response:
        paths = call.resource.scale
        if paths is None:
            raise no_resource()
        if call.verb == "get":
            return answer(shown_scale(load(call.resource, self._record(call)), paths))
        wanted, record = self._wanted(call, paths)
        replicas = (wanted.get("spec") or {}).get("replicas", 0)
        if call.resource.custom and replicas == _UNSET:
            raise bad_request(f'the spec replicas field "{paths.spec_path}" cannot be empty')
        if not call.resource.custom and replicas < 0:
            text = f"Invalid value: {replicas}: should be a non-negative integer"
            problem = Problem("spec.replicas", "FieldValueInvalid", text)
            raise status.invalid(call.resource.group, call.resource.kind, call.name, [problem])
        obj: Any = load(call.resource, record)
        for name in ("resourceVersion", "uid"):
            if wanted["metadata"].get(name):
                obj["metadata"][name] = wanted["metadata"][name]
        _put(obj, simple_path(paths.spec_path), replicas)
        changed = await self._writer.change(call, record, obj, is_patch=call.verb == "patch")
        return answer(scale_of(load(call.resource, changed), paths))

    def _record(self, call: Call) -> Record:
        record = self._store.peek(call.resource.bucket, call.path)
        if record is None:
            raise call.not_found()
        return record

    def _wanted(self, call: Call, paths: Scale) -> tuple[dict[str, Any], Record]:
        """The scale that the request makes of the present one, and the object it is a scale of."""
        if call.verb == "update":
            check_options(call, "UpdateOptions")
            wanted = decode_body(call)
            _check(call, wanted)
            return wanted, self._record(call)
        kind = kind_of_patch(call)
        check_options(call, "PatchOptions", is_apply=kind == "apply")
        record = self._record(call)
        patch = decode_patch(call, kind)
        if kind == "apply" and call.resource.custom:
            raise _unappliable(patch)
        if kind == "json":
            check_operations(patch)
        shown = scale_of(load(call.resource, record), paths)
        if call.resource.custom and value_at(load(call.resource, record), paths.spec_path) is None:
            shown["spec"]["replicas"] = _UNSET
        try:
            new: Any = json_patch(shown, patch) if kind == "json" else merge_patch(shown, patch)
        except PatchError:
            raise inapplicable() from None
        if not isinstance(new, dict):
            raise inapplicable()
        _check(call, new, quoted(new, _SCHEMA, patch))
        return new, record


_UNSET = -(2**31)
"""What kube-apiserver shows patches for a number that a custom object has not."""
_SCHEMA = "io.k8s.api.autoscaling.v1.Scale"
_GROUP, _VERSION, _KIND = "autoscaling", "v1", "Scale"


def _unappliable(patch: Any) -> ApiError:
    """No apply works on the scale of a custom object: kube-apiserver cannot make managers for it."""
    check_applied_as(f"{_GROUP}/{_VERSION}", _KIND, patch)
    live = f"failed to convert live object (/; {_GROUP}/{_VERSION}, Kind={_KIND}) to proper version"
    why = f"request to convert CR to an invalid group/version: {_GROUP}/{_VERSION}"
    return ApiError(500, f"failed to create manager for existing fields: {live}: {why}", reason="")


def _check(call: Call, wanted: dict[str, Any], shown: str = "") -> None:
    """Raises for what is no Scale, or that of another object; warns of members that a Scale has not.

    `shown` is the text in which the refusal of a patch quotes what it made.
    """
    given = (wanted.get("apiVersion") or f"{_GROUP}/{_VERSION}", wanted.get("kind") or _KIND)
    if given != (f"{_GROUP}/{_VERSION}", _KIND):
        why = f'no kind "{given[1]}" is registered for version "{given[0]}" in scheme "pkg/runtime/scheme.go:110"'
        raise _unreadable(call, shown, why)
    why, unknown = read_body(_GROUP, _VERSION, _KIND, wanted)
    if why:
        raise _unreadable(call, shown, why)
    texts = [f'unknown field "{path}"' for path in sorted(unknown)] if call.validation != "Ignore" else []
    if texts and call.validation == "Strict":
        raise _unreadable(call, shown, f"strict decoding error: {', '.join(texts)}")
    call.warnings += texts
    wanted["metadata"] = wanted.get("metadata") or {}
    check_names(call, wanted)  # type: ignore[arg-type]  # a Scale has metadata as any object


def _unreadable(call: Call, shown: Any, why: str) -> ApiError:
    if call.verb == "patch":
        return status.bad_patch(shown, why)
    if call.resource.custom:  # whose scheme does not know of scales, in which a refusal would name the kind
        return bad_request('no kind is registered for the type v1.Scale in scheme "pkg/runtime/scheme.go:110"')
    return bad_request(f'Scale in version "v1" cannot be handled as a Scale: {why}')


def shown_scale(obj: KubeObject, paths: Scale) -> dict[str, Any]:
    """Raises 500 when a custom object has no value at `specReplicasPath`."""
    if value_at(obj, paths.spec_path) is None:
        why = f'the spec replicas field "{paths.spec_path}" does not exist'
        details = {"causes": [{"message": why}]}
        raise ApiError(500, f"Internal error occurred: {why}", reason="InternalError", details=details)
    return scale_of(obj, paths)


def scale_of(obj: KubeObject, paths: Scale) -> dict[str, Any]:
    """No replicas stand for 0, as Go's writer leaves a 0 out."""
    meta: Any = obj["metadata"]
    replicas = value_at(obj, paths.spec_path) or 0
    found: dict[str, Any] = {"replicas": value_at(obj, paths.status_path) or 0}
    if paths.selector_path:
        selector = value_at(obj, paths.selector_path)
        if selector is None:
            labels = value_at(obj, ".spec.selector.matchLabels")
            selector = ",".join(f"{key}={value}" for key, value in (labels or {}).items())
        if selector:
            found["selector"] = selector if isinstance(selector, str) else orjson.dumps(selector).decode()
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {name: meta[name] for name in kept if name in meta},
        "spec": {"replicas": replicas} if replicas else {},
        "status": found,
    }


def _put(obj: Any, path: list[str], value: Any) -> None:
    for at, part in enumerate(path[:-1], 1):
        obj = obj.setdefault(part, {})
        if not isinstance(obj, dict):
            where = "".join(f".{step}" for step in path[:at])
            raise status.ApiError(
                500, f"value cannot be set because {where} is not a map[string]interface{{}}", reason=""
            )
    obj[path[-1]] = value
