"""What every written object passes, in this order, before it is stored.

    identity -> is the metadata kept -> field validation, schema defaults, pruning -> kind's own defaults
             -> server-set metadata -> namespace -> metadata rules -> the kind's own checks -> rules (CEL) -> verdict
             -> ownership -> generation

Each stage is a function of a `Draft`; the first half may change the object, the second half only judges it. `admit`
runs them. Not here: reading the body, patches, and the store.
"""

from collections.abc import Callable
from typing import Any

import orjson

from lambent.kube.schema import Problem
from lambent.kube.schema.formats import FORMATS
from lambent.kube.types import KubeObject
from lambent.kubeserver import embedded, metadata, status
from lambent.kubeserver.builtin.kinds import defaults_of, judge
from lambent.kubeserver.builtin.table import object_meta
from lambent.kubeserver.draft import Draft
from lambent.kubeserver.nulls import refused_nulls
from lambent.kubeserver.ownership import track
from lambent.kubeserver.resources import Resource
from lambent.kubeserver.status import bad_request
from lambent.kubeserver.store import Store

_CR_ENVELOPE = ("apiVersion", "kind", "metadata")


class Admission:
    """The stack of stages over one store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._stages: tuple[Callable[[Draft], None], ...] = (
            identity,
            kept,
            fields,
            defaults_of,
            server_metadata,
            self.namespace,
            metadata_rules,
            judge,
            rules,
            verdict,
            track,
            generation,
        )

    def admit(self, draft: Draft) -> None:
        """Raises `ApiError` when the object is refused."""
        for stage in self._stages:
            stage(draft)

    def namespace(self, draft: Draft) -> None:
        """A new object needs a namespace that is there and not going away."""
        name = draft.new["metadata"].get("namespace", "")
        if not draft.is_create or not draft.resource.namespaced:
            return
        record = self._store.peek("namespaces", name)
        if record is None:
            raise status.not_found("", "namespaces", name)
        if record.deleting:
            why = f"unable to create new content in namespace {name} because it is being terminated"
            cause = {
                "reason": "NamespaceTerminating",
                "message": f"namespace {name} is being terminated",
                "field": "metadata.namespace",
            }
            target = draft.new["metadata"].get("name", "")
            raise status.forbidden(draft.resource.group, draft.resource.plural, target, why, [cause])


def identity(draft: Draft) -> None:
    """Kind, version, name and namespace of the body agree with the URL; what the body leaves out is filled in."""
    resource, call, obj = draft.resource, draft.call, draft.new
    _kind(draft)
    meta: Any = obj.get("metadata")
    if meta is None:
        meta = obj["metadata"] = {}  # type: ignore[typeddict-item]  # the name follows below
    if not isinstance(meta, dict):
        raise bad_request(
            f"{resource.kind} in version {resource.gvk.version!r} cannot be handled: metadata is not an object"
        )
    _names(meta, resource.namespaced, call.namespace)
    if call.name and meta.get("name") != call.name:
        if draft.is_create or meta.get("name"):
            raise bad_request(
                f"the name of the object ({meta.get('name', '')}) does not match the name on the URL ({call.name})"
            )
        raise bad_request("name must be provided")


def _kind(draft: Draft) -> None:
    resource, obj = draft.resource, draft.new
    api_version, kind = obj.get("apiVersion"), obj.get("kind")
    if not api_version and not kind and not resource.custom:
        obj["apiVersion"], obj["kind"] = resource.api_version, resource.kind
        return
    if not kind:
        raise bad_request("Object 'Kind' is missing in '" + orjson.dumps(obj).decode() + "'")
    if api_version != resource.api_version:
        raise bad_request(
            f"the API version in the data ({api_version}) does not match the expected API version "
            f"({resource.api_version})"
        )
    if kind != resource.kind:
        if resource.custom:
            raise bad_request(f"the kind in the data ({kind}) does not match the expected kind ({resource.kind})")
        version = resource.gvk.version
        raise bad_request(
            f'{kind} in version "{version}" cannot be handled as a {resource.kind}: converting ({version}.{kind}) to '
            f"({resource.group.partition('.')[0] or 'core'}.{resource.kind}): unknown conversion"
        )


def _names(meta: dict[str, Any], namespaced: bool, namespace: str) -> None:
    if not namespaced:
        meta.pop("namespace", None)
    elif not meta.get("namespace"):
        meta["namespace"] = namespace
    elif meta["namespace"] != namespace:
        raise bad_request("the namespace of the provided object does not match the namespace sent on the request")


def kept(draft: Draft) -> None:
    """Notes whether the metadata is the old one to the byte, as in most updates: it was judged when it was stored."""
    if draft.old is not None:
        draft.keeps_metadata = orjson.dumps(draft.new["metadata"]) == orjson.dumps(draft.old["metadata"])


def fields(draft: Draft) -> None:
    """Field validation, defaults and pruning: one pass of the compiled schema."""
    resource, call = draft.resource, draft.call
    body: Any = draft.new
    mode = "Ignore" if draft.is_apply else call.validation
    if resource.custom:
        rest = {key: value for key, value in body.items() if key not in _CR_ENVELOPE}
        nulls = list(refused_nulls(resource.schema.source, rest)) if draft.is_apply else []
        inner = resource.embedded
        if inner is not None and (why := embedded.refusal(inner, rest)):
            kind, version = resource.kind, resource.gvk.version
            raise bad_request(f'{kind} in version "{version}" cannot be handled as a {kind}: {why}')
        found = resource.schema.admit(rest)
        found.errors += nulls if inner is None else [*nulls, *embedded.problems(inner, rest)]
        for key in [key for key in body if key not in _CR_ENVELOPE and key not in rest]:
            del body[key]
        body.update(rest)
        unknown = found.unknown
        if not draft.keeps_metadata:
            meta = object_meta().admit(body["metadata"])
            unknown = [*unknown, *(f"metadata.{path}" for path in meta.unknown)]
            refuse_wrong_types(resource, meta.errors, "metadata.")
    else:
        found = resource.schema.admit(body)
        unknown = found.unknown
    if mode != "Ignore":
        _report(draft, mode, unknown)
    if not resource.custom:
        refuse_wrong_types(resource, found.errors)
    # A builtin's status is what its own controller wrote: not every member of it is there from the beginning.
    draft.problems += [one for one in found.errors if resource.custom or not one.path.startswith("status.")]
    draft.stops_rules = found.blocking


def _report(draft: Draft, mode: str, unknown: list[str]) -> None:
    doubled = draft.call.duplicates
    missing = [f'unknown field "{path}"' for path in sorted(unknown)]
    twice = [f'duplicate field "{path}"' for path in doubled]
    texts = [*twice, *missing] if draft.resource.custom else [*missing, *twice]
    if not texts:
        return
    if mode == "Warn":
        draft.call.warnings += texts
        return
    ending = f"strict decoding error: {', '.join(texts)}"
    kind, version = draft.resource.kind, draft.resource.gvk.version
    if draft.is_patch:
        raise status.bad_patch(draft.new, ending)
    raise bad_request(f'{kind} in version "{version}" cannot be handled as a {kind}: {ending}')


_GO_TYPES = {
    "string": "string",
    "integer": "int32",
    "boolean": "bool",
    "object": "map",
    "array": "slice",
    "number": "float64",
}


def refuse_wrong_types(resource: Resource, errors: list[Problem], prefix: str = "") -> None:
    """A builtin kind is decoded into a struct: a wrong type is a 400, before any validation."""
    for problem in errors:
        if problem.reason == "FieldValueTypeInvalid":
            got = problem.message.split('"')[1]
            named = problem.message.partition("must be of type ")[2].partition(":")[0]
            if named in FORMATS:
                continue  # a text in the wrong format is found by validation, not by decoding
            wanted = _GO_TYPES.get(named, "value")
            kind, version = resource.kind, resource.gvk.version
            got = {"integer": "number", "boolean": "bool"}.get(got, got)
            raise bad_request(
                f'{kind} in version "{version}" cannot be handled as a {kind}: json: cannot unmarshal {got} into Go '
                f"struct field {kind}.{prefix}{problem.path} of type {wanted}"
            )


def server_metadata(draft: Draft) -> None:
    """What clients may not set is set, or carried over from the old object."""
    meta = draft.new["metadata"]
    if draft.is_create and not meta.get("name") and meta.get("generateName"):
        meta["name"] = metadata.generate_name(meta["generateName"])
    if draft.old is None:
        metadata.initialise(draft.new, draft.now, counts_generation=draft.resource.traits.counts_generation)
    else:
        stamp = meta.get("deletionTimestamp")
        if stamp and stamp != draft.old["metadata"].get("deletionTimestamp"):
            problem = metadata.bad("metadata.deletionTimestamp", stamp, "field is immutable")
            draft.problems.append(problem)
        metadata.carry_over(draft.new, draft.old)


def metadata_rules(draft: Draft) -> None:
    if not draft.keeps_metadata:
        draft.problems[:0] = metadata.problems_of(draft.new, draft.resource)
    if draft.resource.custom:
        draft.call.warnings += metadata.doubtful_finalizers(draft.new)
    if draft.old is not None and (added := metadata.new_finalizers(draft.new, draft.old)):
        listed = ", ".join(f'"{name}"' for name in added)
        text = (
            "Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers "
            f"[]string{{{listed}}}"
        )
        problem = Problem("metadata.finalizers", "FieldValueForbidden", text)
        draft.problems += [problem] if draft.resource.custom else [problem, problem]


def rules(draft: Draft) -> None:
    """The CEL rules of a custom kind; none runs on an object whose shape is wrong."""
    compiled = draft.resource.rules
    if compiled is None:
        return
    if draft.stops_rules:
        text = (
            "Invalid value: null: some validation rules were not checked because the object was invalid; "
            "correct the existing errors to complete validation"
        )
        draft.problems.append(Problem("<nil>", "FieldValueInvalid", text))
    else:
        draft.problems += compiled.check(draft.new, draft.old)


def verdict(draft: Draft) -> None:
    if draft.problems:
        name = draft.new["metadata"].get("name", "")
        raise status.invalid(draft.resource.group, draft.resource.kind, name, draft.problems)


def generation(draft: Draft) -> None:
    """+1 for a change outside metadata (and outside status where that is a subresource)."""
    if draft.old is None or not draft.resource.traits.counts_generation:
        return
    if _outside(draft.new, draft.resource.has_status) != _outside(draft.old, draft.resource.has_status):
        draft.new["metadata"]["generation"] = draft.old["metadata"].get("generation", 0) + 1


def _outside(obj: KubeObject, has_status: bool) -> dict[str, Any]:
    skipped = ("apiVersion", "kind", "metadata", "status") if has_status else ("apiVersion", "kind", "metadata")
    return {key: value for key, value in obj.items() if key not in skipped}
