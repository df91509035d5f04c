"""What every written object passes, in this order, before it is stored.

    identity -> is the metadata kept -> field validation, schema defaults, pruning -> no status yet
             -> kind's own defaults -> server-set metadata -> namespace -> addresses -> metadata rules
             -> what the server adds to its kind -> the kind's own checks, its scale's -> rules (CEL) -> verdict
             -> ownership -> generation -> warnings

Each stage is a function of a `Draft`; up to the kind's own checks they may change the object, from there on they judge
it and note who owns what. `admit` runs them. Not here: reading the body, patches, and the store.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson

from lambent.kube.schema import Problem, Problems
from lambent.kube.types import KubeObject
from lambent.kubeserver import metadata, status
from lambent.kubeserver.builtin.bodies import read_metadata, unreadable, wrong_types
from lambent.kubeserver.builtin.kinds import JUDGED_BY_SCHEMA, defaults_of, judge, settle, warn
from lambent.kubeserver.definitions import embedded
from lambent.kubeserver.draft import Draft
from lambent.kubeserver.resources import ENVELOPE
from lambent.kubeserver.storage.store import Store
from lambent.kubeserver.validation import errors
from lambent.kubeserver.writes.heads import identity
from lambent.kubeserver.writes.nulls import refused_nulls
from lambent.kubeserver.writes.ownership import track
from lambent.kubeserver.writes.scale_values import scale_values
from lambent.kubeserver.writes.undecodable import is_strategic, report, undecodable


class Admission:
    """The stack of stages over one store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._stages: tuple[Callable[[Draft], None], ...] = (
            identity,
            kept,
            fields,
            without_status,
            defaults_of,
            server_metadata,
            self.namespace,
            self.addresses,
            metadata_rules,
            settle,
            judge,
            scale_values,
            rules,
            verdict,
            track,
            generation,
            warn,
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

    def addresses(self, draft: Draft) -> None:
        """A Service gets what it did not ask for; what others have is read off the store."""
        if draft.resource.bucket == "services" and draft.subresource != "status":
            from lambent.kubeserver.builtin.services import allocate  # few servers ever see one

            draft.keep_asked()
            path = f"{draft.new['metadata']['namespace']}/{draft.new['metadata'].get('name', '')}"
            services = self._store.scan("services")
            allocate(draft, [record.load() for record in services if record.path != path])


def kept(draft: Draft) -> None:
    """Notes whether the metadata is the old one to the byte, as in most updates: it was judged when it was stored."""
    if draft.old is None or draft.record is None:
        return
    head = {"apiVersion": draft.record.api_version, "kind": draft.old["kind"], "metadata": draft.new["metadata"]}
    draft.keeps_metadata = draft.record.body.startswith(orjson.dumps(head)[:-1])


def fields(draft: Draft) -> None:
    """Field validation, defaults and pruning: one pass of the compiled schema."""
    resource, call = draft.resource, draft.call
    body: Any = draft.new
    mode = "Ignore" if draft.is_apply else call.validation
    # What follows changes the body in place; a refused patch is told what it made.
    is_patched = draft.is_patch and not draft.is_apply
    is_kept = is_patched and (mode == "Strict" or not resource.custom or resource.embedded is not None)
    shown = orjson.loads(orjson.dumps(body)) if is_kept else body
    if resource.custom:
        rest = {key: value for key, value in body.items() if key not in ENVELOPE}
        nulls = list(refused_nulls(resource.schema.source, rest)) if draft.is_apply else []
        inner = resource.embedded
        if inner is not None and (why := embedded.refusal(inner, rest)) and not draft.is_apply:
            raise undecodable(draft, why, shown)
        found = resource.schema.admit(rest, old=draft.old)
        if draft.subresource == "status":
            found.errors[:] = [told for problem in found.errors if (told := _of_status(problem))]
        found.errors += nulls
        _judge_embedded(draft, rest, found)
        for key in [key for key in body if key not in ENVELOPE and key not in rest]:
            del body[key]
        body.update(rest)
        unknown = found.unknown
        if not draft.keeps_metadata:
            if draft.is_apply:
                metadata.drop_broken_times(body["metadata"])
            as_given = {**body, "metadata": orjson.loads(orjson.dumps(body["metadata"]))} if is_patched else body
            why, lost = read_metadata(body["metadata"])
            if why:
                raise undecodable(draft, why, as_given)
            unknown = [*unknown, *(f"metadata.{path}" for path in lost)]
        draft.problems += found.errors
        draft.stops_rules = found.blocking
    else:
        is_converted = draft.is_apply or is_strategic(draft)
        why = unreadable(resource, body, is_converted=is_converted)
        gives_up = body["metadata"].get("managedFields") == []
        found = resource.schema.admit(body)
        if gives_up:  # the schema omits what is empty, and this emptiness has a meaning
            body["metadata"]["managedFields"] = []
        if why := why or wrong_types(resource, body, found.errors, is_converted=is_converted):
            raise undecodable(draft, _of_map(why) if is_converted else why, shown)
        unknown = found.unknown
        if (resource.group, resource.kind) in JUDGED_BY_SCHEMA:
            draft.problems += [one for one in found.errors if not one.path.startswith("status.")]
    report(draft, mode, unknown, shown)


def _judge_embedded(draft: Draft, rest: Any, found: Problems) -> None:
    """Objects inside; a status need not say what its objects are."""
    inner = draft.resource.embedded
    if inner is not None and draft.subresource == "status":
        found.errors[:] = embedded.without_heads(inner, rest, found.errors)
    elif inner is not None:
        found.errors += embedded.problems(inner, rest, malformed=draft.is_apply)


def without_status(draft: Draft) -> None:
    """A new custom object has no status yet; what its schema fills in comes when it is read."""
    if draft.is_create and draft.resource.custom and draft.resource.has_status:
        draft.new.pop("status", None)


def _of_status(problem: Problem) -> Problem | None:
    """At `/status` the schema of status is asked alone, and tells its own paths in the words of a refusal."""
    if problem.path == "<nil>":  # of anyOf and the like, which name the place in their text
        lead, place, rest = problem.message.partition('"": "status')
        return replace(problem, path="status", message=f'{lead}"": "{rest.removeprefix(".")}') if place else None
    if not problem.path.startswith("status"):
        return None
    own = problem.path.removeprefix("status").removeprefix(".")
    path = f"status.{own}" if own.startswith("[") else problem.path
    return replace(problem, path=path, message=problem.message.replace(f"{problem.path} in body", f"{own} in body"))


def _of_map(why: str) -> str:
    """The same in the words of Go's conversion of a map, which reads bytes in a way of its own."""
    return f"error decoding from json: {why}" if why.startswith("illegal base64") else why


def server_metadata(draft: Draft) -> None:
    """What clients may not set is set, or carried over from the old object."""
    if draft.keeps_metadata:
        return
    meta: Any = draft.new["metadata"]
    if draft.is_create:
        single_owners(draft)
    if draft.sent is None:
        draft.sent = metadata.as_sent(meta, is_new=draft.is_create and not draft.is_apply)
    if draft.is_create and not meta.get("name") and meta.get("generateName"):
        meta["name"] = metadata.generate_name(meta["generateName"])
    if draft.old is None:
        metadata.initialise(draft.new, draft.now, counts_generation=draft.resource.traits.counts_generation)
    else:
        draft.problems += metadata.unchangeable(meta, draft.old["metadata"])
        if draft.is_patch and meta.get("uid") and meta["uid"] != draft.old["metadata"]["uid"]:
            draft.problems += [errors.invalid("metadata.uid", meta["uid"], errors.IMMUTABLE)] * 2
        metadata.carry_over(draft.new, draft.old)


def single_owners(draft: Draft) -> None:
    """Warns of owners that a body names twice, and keeps one of them."""
    meta: Any = draft.new["metadata"]
    if warning := metadata.single_owners(meta, is_patch=draft.is_patch):
        draft.call.warnings.append(warning)


def metadata_rules(draft: Draft) -> None:
    if not draft.keeps_metadata:
        judge_metadata = metadata.problems_of if draft.is_create else metadata.problems_of_update
        draft.problems[:0] = judge_metadata(draft.new, draft.resource)
    if draft.is_create and draft.resource.head is not None:
        found = draft.resource.head(draft.new)
        draft.problems += found.errors
        draft.stops_rules |= found.blocking
    if draft.old is not None and (added := metadata.new_finalizers(draft.new, draft.old)):
        listed = ", ".join(f'"{name}"' for name in added)
        text = (
            "Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers "
            f"[]string{{{listed}}}"
        )
        problem = Problem("metadata.finalizers", "FieldValueForbidden", text)
        draft.problems += [problem] if draft.resource.custom else [problem, problem]


_BLOCKING = frozenset(f"FieldValue{name}" for name in ("Required", "NotSupported", "TooLong", "TooMany", "TypeInvalid"))
"""Reasons after which kube-apiserver runs no rule, wherever in the object they were found."""


def rules(draft: Draft) -> None:
    """The CEL rules of a custom kind; none runs on an object whose shape is wrong."""
    compiled = draft.resource.rules
    if compiled is None:
        return
    if draft.stops_rules or any(problem.reason in _BLOCKING for problem in draft.problems):
        text = (
            "Invalid value: null: some validation rules were not checked because the object was invalid; "
            "correct the existing errors to complete validation"
        )
        draft.problems.append(Problem("<nil>", "FieldValueInvalid", text))
    else:
        kept: list[Problem] = []
        draft.problems += compiled.check(draft.new, draft.old, kept=kept)
        draft.call.warnings += [str(problem) for problem in kept]


def verdict(draft: Draft) -> None:
    if draft.problems:
        name = draft.new["metadata"].get("name", "")
        # Both views of an Event are one kind to kube-apiserver, that of the core group.
        group = "" if draft.resource.kind == "Event" and not draft.resource.custom else draft.resource.group
        raise status.invalid(group, draft.resource.kind, name, draft.problems)
    if draft.resource.custom:
        draft.call.warnings += metadata.doubtful_finalizers(draft.new, draft.old)


def generation(draft: Draft) -> None:
    """+1 for a change outside metadata (and outside status where that is a subresource), or in what of it counts."""
    if draft.old is None or not draft.resource.traits.counts_generation:
        return
    if _changed_outside(draft, draft.old) or _changed_inside(draft, draft.old):
        draft.new["metadata"]["generation"] = draft.old["metadata"].get("generation", 0) + 1


def _changed_inside(draft: Draft, old: KubeObject) -> bool:
    members = () if draft.subresource else draft.resource.traits.counts_metadata
    before: Any = old["metadata"]
    return any((draft.new["metadata"].get(name) or {}) != (before.get(name) or {}) for name in members)


def _changed_outside(draft: Draft, old: KubeObject) -> bool:
    has_status = draft.resource.has_status
    if draft.keeps_metadata and draft.differs:  # so the change is of what this endpoint writes
        return not (has_status and draft.subresource == "status")
    return _outside(draft.new, has_status) != _outside(old, has_status)


def _outside(obj: KubeObject, has_status: bool) -> dict[str, Any]:
    skipped = (*ENVELOPE, "status") if has_status else ENVELOPE
    return {key: value for key, value in obj.items() if key not in skipped}
