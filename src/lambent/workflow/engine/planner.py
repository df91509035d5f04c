"""The pure planner: function, inputs and live object in; one write (or none) and an outcome out.

It performs no I/O and reads no clock or environment. Controller, tests and `plan` all use it; there is no second
comparison and no second merge. Two halves, because the object to read is known only after the first:

    address(function, inputs)         preconditions, locals, name and namespace -> what to read
    plan_for(address, live, context)  target, comparison, write -> Plan

Applying a plan with a truthful API and planning again gives `none`, unless the API altered compared fields. The words
of the messages are part of the contract: tests of users match on them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from lambent.workflow.engine.comparison import Difference, as_stored, first_difference, target_fault
from lambent.workflow.engine.expressions import Failed, field_place
from lambent.workflow.engine.functions import ResourceFunction
from lambent.workflow.engine.marks import COMMON_MANAGER, field_manager
from lambent.workflow.engine.outcomes import NotOk, Ok, Outcome, PermFail, Retry, located
from lambent.workflow.engine.patches import (
    applied_by,
    first_path,
    last_applied,
    removed_fields,
    stamped,
    union,
    without_directives,
    writer_for,
)
from lambent.workflow.engine.predicates import check
from lambent.workflow.engine.references import Owner, ResourceRef
from lambent.workflow.engine.targets import (
    WAIT_S,
    Address,
    Context,
    Stopped,
    build_target,
    created,
    standing,
    without_leaves,
)

Action = Literal["none", "create", "patch", "apply", "delete", "wait"]


@dataclass(frozen=True, slots=True)
class Plan:
    """`body` is the object or patch to send; `resource_version` must still be the live one when it is not empty.

    `manager` is the field manager of the write.
    """

    action: Action
    outcome: Outcome
    ref: ResourceRef | None = None
    body: dict[str, Any] | None = None
    diff: Difference | None = None
    resource_version: str = ""
    uid: str = ""
    force: bool = False
    manager: str = COMMON_MANAGER

    @property
    def is_write(self) -> bool:
        return self.action in ("create", "patch", "apply", "delete")


def address(function: ResourceFunction, inputs: Any) -> Address | NotOk:
    """The object that the function manages for these inputs."""
    bindings: dict[str, Any] = {"inputs": inputs}
    stopped = check(function.preconditions, bindings)
    if stopped is not None:
        return stopped
    api = function.api
    try:
        bindings["locals"] = function.locals.evaluate(bindings)
        name = api.name.evaluate(bindings)
        namespace = api.namespace.evaluate(bindings)
    except Failed as failure:
        return PermFail(failure.message, failure.location)
    for label, value in (("name", name), ("namespace", namespace)):
        if (not isinstance(value, str) or not value) and (label == "name" or api.is_namespaced):
            where = field_place(function.document, ("spec", "apiConfig", label))
            return PermFail(f"apiConfig.{label} must yield a non-empty string", where)
    ref = ResourceRef(
        api.api_version, api.kind, name, namespace, api.plural, api.is_readonly, function.identity.name, function.delete
    )
    return Address(function, bindings, ref)


def plan(function: ResourceFunction, inputs: Any, live: Mapping[str, Any] | None, context: Context) -> Plan:
    """Both halves at once, for a live object that is known beforehand."""
    found = address(function, inputs)
    if not isinstance(found, Address):
        return Plan("none", found)
    return plan_for(found, live, context)


def plan_for(found: Address, live: Mapping[str, Any] | None, context: Context) -> Plan:
    """What to do about the live object (None when it is absent)."""
    function, ref = found.function, found.ref
    if function.api.deletes:
        return _finish(found, {}) if live is None else _delete(found, live, f"Deleting {ref}.", WAIT_S)
    if live is None:
        if function.api.is_readonly or not function.create_enabled:
            return Plan("wait", Retry(f"{ref} not found. Waiting...", WAIT_S, found.place), ref)
        return _guarded(found, lambda: _create(found, context))
    if function.api.is_readonly:
        return _finish(found, live)
    if _is_deleting(live):
        return Plan("wait", Retry(f"{ref} is being deleted.", WAIT_S, found.place), ref)
    return _guarded(found, lambda: _update(found, live, context))


def _guarded(found: Address, build: Any) -> Plan:
    """The one place where an expression's failure while building a target becomes an outcome."""
    try:
        result: Plan = build()
    except Failed as failure:
        return Plan("none", PermFail(failure.message, failure.location), found.ref)
    except Stopped as stop:
        return Plan("none", located(stop.outcome, found.place), found.ref)
    return result


def _is_deleting(live: Mapping[str, Any]) -> bool:
    metadata = live.get("metadata")
    return isinstance(metadata, Mapping) and bool(metadata.get("deletionTimestamp"))


def _finish(found: Address, live: Mapping[str, Any]) -> Plan:
    """Postconditions and return, on the live object; only in a pass without a write."""
    bindings = {**found.bindings, "resource": live}
    stopped = check(found.function.postconditions, bindings)
    if stopped is not None:
        return Plan("none", stopped, found.ref)
    if found.function.result is None:
        return Plan("none", Ok(None), found.ref)
    try:
        return Plan("none", Ok(found.function.result.apply({}, bindings)), found.ref)
    except Failed as failure:
        return Plan("none", PermFail(failure.message, failure.location), found.ref)


def _delete(found: Address, live: Mapping[str, Any], message: str, delay_s: float) -> Plan:
    outcome = Retry(message, delay_s, found.place)
    if _is_deleting(live):
        return Plan("wait", outcome, found.ref)
    metadata = live.get("metadata") or {}
    return Plan("delete", outcome, found.ref, resource_version=_version(live), uid=metadata.get("uid", ""))


def _create(found: Address, context: Context) -> Plan:
    function = found.function
    body = _body(created(found, build_target(found, context), context), _writer(found, context))
    owner = _owner_for(found, context)
    if owner is not None:
        given = body["metadata"].get("ownerReferences")
        body["metadata"]["ownerReferences"] = [*(given if isinstance(given, list) else []), owner.reference()]
    outcome = Retry(f"Creating {found.ref}.", function.create_delay_s, found.place)
    return Plan("create", outcome, found.ref, body, manager=_manager(found, context))


def _update(found: Address, live: Mapping[str, Any], context: Context) -> Plan:
    function = found.function
    if function.update == "never":
        return _finish(found, live)
    target = standing(found, build_target(found, context))
    applied = last_applied(live)
    difference = first_difference(target, live, applied)
    gone = {} if applied_by(live) not in ("", _writer(found, context)) else _gone(found, target, applied, live)
    if difference is None and gone:
        difference = Difference(first_path(gone), "no longer wanted")
    owner = _missing_owner(found, live, context)
    if difference is None:
        return _finish(found, live) if owner is None else _adopt(found, live, owner, context)
    if function.update == "recreate":
        _refuse_fault(target)
        message = f"Deleting {found.ref} to recreate due to {difference}."
        return _delete(found, live, message, function.update_delay_s)
    return _write(found, target, gone, live, owner, difference, context)


def _write(
    found: Address,
    target: dict[str, Any],
    gone: dict[str, Any],
    live: Mapping[str, Any],
    owner: Owner | None,
    difference: Difference,
    context: Context,
) -> Plan:
    function, ref = found.function, found.ref
    is_apply = function.update == "apply"
    body = _body(target, _writer(found, context))
    verb = "Applying" if is_apply else "Patching"
    if gone and not is_apply:
        body = union(gone, body)
    version = ""
    references = _references(live)
    if owner is not None:
        body["metadata"]["ownerReferences"] = [*references, owner.reference()]
        version = _version(live)
    elif is_apply and found.function.api.is_owned and references:
        body["metadata"]["ownerReferences"] = references
    elif "ownerReferences" in body["metadata"]:
        # A merge patch would replace the list; references of others are not ours to drop.
        del body["metadata"]["ownerReferences"]
    outcome = Retry(f"{verb} {ref} due to {difference}.", function.update_delay_s, found.place)
    action: Action = "apply" if is_apply else "patch"
    uid = (live.get("metadata") or {}).get("uid", "")
    manager = _manager(found, context)
    return Plan(action, outcome, ref, body, difference, version, uid, function.force_apply, manager)


def _adopt(found: Address, live: Mapping[str, Any], owner: Owner, context: Context) -> Plan:
    """Only the owner reference is missing."""
    body = {"metadata": {"ownerReferences": [*_references(live), owner.reference()]}}
    difference = Difference("metadata.ownerReferences", "missing")
    outcome = Retry(f"Patching {found.ref} due to {difference}.", found.function.update_delay_s, found.place)
    return Plan("patch", outcome, found.ref, body, difference, _version(live), manager=_manager(found, context))


def _version(live: Mapping[str, Any]) -> str:
    return str((live.get("metadata") or {}).get("resourceVersion", ""))


def _references(live: Mapping[str, Any]) -> list[Any]:
    given = (live.get("metadata") or {}).get("ownerReferences")
    return given if isinstance(given, list) else []


def _owner_for(found: Address, context: Context) -> Owner | None:
    owner = context.owner
    if owner is None or not found.function.api.is_owned or found.function.delete == "abandon":
        return None
    return owner if owner.may_own(found.ref) else None


def _missing_owner(found: Address, live: Mapping[str, Any], context: Context) -> Owner | None:
    owner = _owner_for(found, context)
    if owner is None or any(isinstance(ref, Mapping) and ref.get("uid") == owner.uid for ref in _references(live)):
        return None
    return owner


def _gone(found: Address, target: dict[str, Any], applied: dict[str, Any], live: Mapping[str, Any]) -> dict[str, Any]:
    """Nulls for what was applied and is no longer wanted; what only `create.overlay` sets stays."""
    metadata = target["metadata"]
    # Labels and annotations belong to many; only our own keys go, never the whole map.
    wanted = {**target, "metadata": {"labels": {}, "annotations": {}, "ownerReferences": None, **metadata}}
    gone = removed_fields(applied, wanted, live)
    if found.ref.kind == "Secret":
        gone = union(gone, removed_fields(as_stored(applied), as_stored(wanted), as_stored(live)))
    overlay = found.function.create_overlay
    return without_leaves(gone, overlay) if gone and overlay is not None else gone


def _writer(found: Address, context: Context) -> str:
    """The function and its trigger: fields that others set on the same object are not for it to remove."""
    return writer_for(found.place, context.owner)


def _manager(found: Address, context: Context) -> str:
    return field_manager(found.function.identity.name, _writer(found, context))


def _body(target: dict[str, Any], writer: str) -> dict[str, Any]:
    """What is sent: without directives, with our marks."""
    _refuse_fault(target)
    return stamped(without_directives(target), writer)


def _refuse_fault(target: dict[str, Any]) -> None:
    """No write makes an object equal to a target that could not even equal itself."""
    fault = target_fault(target)
    if fault is not None:
        raise Stopped(PermFail(str(fault)))
