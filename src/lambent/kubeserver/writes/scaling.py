"""The scale subresource: one number of an object, shown as `autoscaling/v1 Scale`. Source: Kubernetes API reference."""

from typing import Any

import orjson

from lambent.http.message import Response
from lambent.kube.patches import PatchError, json_patch, merge_patch
from lambent.kube.schema import Problem
from lambent.kube.types import KubeObject
from lambent.kubeserver import status
from lambent.kubeserver.answers.jsonpath import compile_path, simple_path
from lambent.kubeserver.answers.rendering import answer, load
from lambent.kubeserver.builtin.bodies import check_body
from lambent.kubeserver.call import Call
from lambent.kubeserver.requests.decoding import decode_body, decode_patch
from lambent.kubeserver.resources import Scale
from lambent.kubeserver.status import ApiError, bad_request, no_resource
from lambent.kubeserver.storage.store import Store
from lambent.kubeserver.writes.checks import check_operations, inapplicable
from lambent.kubeserver.writes.writing import Writer


class Scaler:
    def __init__(self, store: Store, writer: Writer) -> None:
        self._store = store
        self._writer = writer

    async def handle(self, call: Call) -> Response:
        paths = call.resource.scale
        if paths is None:
            raise no_resource()
        record = self._store.peek(call.resource.bucket, call.path)
        if record is None:
            raise call.not_found()
        shown = scale_of(load(call.resource, record), paths)
        if call.verb == "get":
            return answer(shown)
        wanted = self._wanted(call, shown)
        if why := check_body("autoscaling", "v1", "Scale", wanted):
            raise status.bad_patch(wanted, why) if call.verb == "patch" else _unreadable(why)
        replicas = (wanted.get("spec") or {}).get("replicas", 0)
        if isinstance(replicas, int) and replicas < 0:
            text = f"Invalid value: {replicas}: should be a non-negative integer"
            where = paths.spec_path if call.resource.custom else "spec.replicas"
            problem = Problem(where, "FieldValueInvalid", text)
            raise status.invalid(call.resource.group, call.resource.kind, call.name, [problem])
        named = (wanted.get("metadata") or {}).get("name")
        if named and named != call.name:
            raise bad_request(f"the name of the object ({named}) does not match the name on the URL ({call.name})")
        obj: Any = load(call.resource, record)
        version = (wanted.get("metadata") or {}).get("resourceVersion")
        if version:
            obj["metadata"]["resourceVersion"] = version
        _put(obj, simple_path(paths.spec_path), replicas)
        changed = await self._writer.change(call, record, obj, is_patch=True)
        return answer(scale_of(load(call.resource, changed), paths))

    def _wanted(self, call: Call, shown: dict[str, Any]) -> dict[str, Any]:
        if call.verb == "update":
            return decode_body(call)
        kind, patch = decode_patch(call)
        if kind == "json":
            check_operations(patch)
        try:
            new: Any = json_patch(shown, patch) if kind == "json" else merge_patch(shown, patch)
        except PatchError:
            raise inapplicable() from None
        if not isinstance(new, dict):
            raise bad_request("the patch leaves no object")
        return new


def _unreadable(why: str) -> ApiError:
    return bad_request(f'Scale in version "v1" cannot be handled as a Scale: {why}')


def scale_of(obj: KubeObject, paths: Scale) -> dict[str, Any]:
    """Raises 500 when a custom object has no value at `specReplicasPath`."""
    meta: Any = obj["metadata"]
    replicas = compile_path(paths.spec_path)(obj)
    if replicas is None:
        why = f'the spec replicas field "{paths.spec_path}" does not exist'
        details = {"causes": [{"message": why}]}
        raise ApiError(500, f"Internal error occurred: {why}", reason="InternalError", details=details)
    found: dict[str, Any] = {"replicas": compile_path(paths.status_path)(obj) or 0}
    if paths.selector_path:
        selector = compile_path(paths.selector_path)(obj)
        if selector is None:
            labels = compile_path(".spec.selector.matchLabels")(obj)
            selector = ",".join(f"{key}={value}" for key, value in (labels or {}).items())
        if selector:
            found["selector"] = selector if isinstance(selector, str) else orjson.dumps(selector).decode()
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {name: meta[name] for name in kept if name in meta},
        "spec": {"replicas": replicas},
        "status": found,
    }


def _put(obj: Any, path: list[str], value: Any) -> None:
    for part in path[:-1]:
        obj = obj.setdefault(part, {})
    obj[path[-1]] = value
