"""AddPermission, RemovePermission, GetPolicy: the resource policy of a function, version or alias.

A policy sits on the object that its qualifier names and has a RevisionId of its own.
"""

from collections.abc import Callable
from typing import Any

import orjson

from lambent.aws.arn import LATEST, is_version
from lambent.functions import messages
from lambent.functions.aliases import AliasRecord, change_alias, find_alias
from lambent.functions.backend import Backend, Context, Named, Parameters, Result, named
from lambent.functions.policies import statement
from lambent.functions.record import FunctionRecord
from lambent.functions.store import Fields, check_revision
from lambent.functions.versions import find_version, resolve_version

Statements = list[dict[str, Any]]
_API = "GetPolicy"


async def add(backend: Backend, context: Context, parameters: Parameters) -> Result:
    wanted = named(context, parameters)
    if wanted.qualifier == LATEST:
        raise messages.policy_on_latest()
    made = statement(parameters, wanted.shown_arn)

    def edit(statements: Statements) -> Statements:
        if any(known["Sid"] == made["Sid"] for known in statements):
            raise messages.statement_exists(made["Sid"])
        return [*statements, made]

    await _change(backend, wanted, edit, parameters.get("RevisionId"))
    return {"Statement": orjson.dumps(made).decode()}


async def remove(backend: Backend, context: Context, parameters: Parameters) -> Result:
    wanted = named(context, parameters)
    sid = parameters["StatementId"]
    if not await backend.store.exists(wanted.id):
        raise messages.no_policy_for(wanted.id.arn)

    def edit(statements: Statements) -> Statements:
        if not statements:
            raise messages.no_policy()
        left = [known for known in statements if known["Sid"] != sid]
        if len(left) == len(statements):
            raise messages.statement_not_found(sid)
        return left

    await _change(backend, wanted, edit, parameters.get("RevisionId"))
    return {}


async def get_policy(backend: Backend, context: Context, parameters: Parameters) -> Result:
    wanted = named(context, parameters)
    policy = await _stored(backend, wanted)
    if not policy.get("statements"):
        raise messages.resource_not_found()
    return {"Policy": _document(policy["statements"]).decode(), "RevisionId": policy["revisionId"]}


async def _stored(backend: Backend, wanted: Named) -> dict[str, Any]:
    """The policy of what the qualifier names; empty when that does not exist."""
    qualifier = wanted.qualifier
    if qualifier is None or qualifier == LATEST:
        holder: FunctionRecord | AliasRecord | None = await backend.store.find(wanted.id)
    elif is_version(qualifier):
        holder = await find_version(backend.store, wanted.id, qualifier)
    else:
        holder = await find_alias(backend.store, wanted.id, qualifier)
    return dict(holder.spec.get("policy", {})) if holder else {}


def _document(statements: Statements) -> bytes:
    return orjson.dumps({"Version": "2012-10-17", "Id": "default", "Statement": statements})


async def _change(
    backend: Backend, wanted: Named, edit: Callable[[Statements], Statements], revision_id: str | None
) -> None:
    """Applies `edit` to the statements of the object that the qualifier names."""

    def new_spec(record: FunctionRecord | AliasRecord) -> Fields:
        policy = record.spec.get("policy", {})
        statements = edit(list(policy.get("statements", [])))
        check_revision(policy.get("revisionId", ""), revision_id, api=_API)
        if len(_document(statements)) > backend.limits.policy:
            raise messages.policy_too_long(backend.limits.policy)
        return {**record.spec, "policy": {"statements": statements, "revisionId": backend.store.new_id()}}

    store, qualifier = backend.store, wanted.qualifier
    if qualifier is None:
        await store.change_settings(wanted.id, new_spec, keeps_revision=True)
        return
    current = await store.get(wanted.id, shown_arn=wanted.shown_arn)
    if is_version(qualifier):
        version = await resolve_version(store, current, qualifier)
        await store.change_version_settings(version, new_spec)
        return
    alias = await find_alias(store, wanted.id, qualifier)
    if alias is None:
        missing = messages.function_not_found if "$" in qualifier else messages.alias_not_found
        raise missing(wanted.shown_arn)
    await change_alias(store, alias, new_spec, keeps_revision=True)
