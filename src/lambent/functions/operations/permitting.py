"""AddPermission, RemovePermission, GetPolicy: the resource policy of a function, version or alias.

A policy sits on the object that its qualifier names and has a RevisionId of its own.
"""

from collections.abc import Callable
from typing import Any

import orjson

from lambent.aws.arn import LATEST
from lambent.functions import messages
from lambent.functions.backend import Backend, Context, Named, Parameters, Result, named
from lambent.functions.holders import Holder, change_holder, find_holder
from lambent.functions.policies import statement
from lambent.functions.store import Fields, check_revision

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
    holder = await find_holder(backend.store, wanted)
    policy = holder.spec.get("policy", {}) if holder else {}
    if not policy.get("statements"):
        raise messages.resource_not_found()
    return {"Policy": _document(policy["statements"]).decode(), "RevisionId": policy["revisionId"]}


def _document(statements: Statements) -> bytes:
    return orjson.dumps({"Version": "2012-10-17", "Id": "default", "Statement": statements})


async def _change(
    backend: Backend, wanted: Named, edit: Callable[[Statements], Statements], revision_id: str | None
) -> None:
    """Applies `edit` to the statements of the object that the qualifier names."""

    def new_spec(holder: Holder) -> Fields:
        policy = holder.spec.get("policy", {})
        statements = edit(list(policy.get("statements", [])))
        check_revision(policy.get("revisionId", ""), revision_id, api=_API)
        if len(_document(statements)) > backend.limits.policy:
            raise messages.policy_too_long(backend.limits.policy)
        return {**holder.spec, "policy": {"statements": statements, "revisionId": backend.store.new_id()}}

    await change_holder(backend.store, wanted, new_spec)
