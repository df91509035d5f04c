"""What a handler works with: the parts of the service, and the request's context.

Handlers are functions `(backend, context, parameters) -> result`, parameters and result in the model's member names,
already checked against the model. They hold no state.
"""

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from lambent.aws.arn import FunctionId, parse_function_name
from lambent.functions import messages
from lambent.functions.artifacts import ArtifactStore
from lambent.functions.code import CodeIntake
from lambent.functions.limits import Limits
from lambent.functions.roles import AnyRole, RoleChecker
from lambent.functions.store import FunctionStore


@dataclass(frozen=True, slots=True)
class Context:
    """Whose request it is and how it reached us; `base_url` is our own address as the caller wrote it."""

    account: str
    region: str
    request_id: str
    operation: str
    base_url: str = ""


@dataclass(frozen=True, slots=True)
class Backend:
    store: FunctionStore
    intake: CodeIntake
    roles: RoleChecker = field(default_factory=AnyRole)
    limits: Limits = field(default_factory=Limits)
    download_secret: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)

    @property
    def artifacts(self) -> ArtifactStore:
        return self.intake.artifacts


Parameters = dict[str, Any]
Result = dict[str, Any]
Handler = Callable[[Backend, Context, Parameters], Awaitable[Result]]


@dataclass(frozen=True, slots=True)
class Named:
    """A function as an operation's parameters name it; `qualifier` None when they give none."""

    id: FunctionId
    qualifier: str | None

    @property
    def shown_arn(self) -> str:
        """The ARN as AWS prints it in "not found" texts."""
        return self.id.qualified_arn(self.qualifier) if self.qualifier else self.id.arn


def named(context: Context, parameters: Parameters) -> Named:
    """Reads FunctionName and Qualifier; raises for a foreign region or account, or two different qualifiers."""
    text = parameters["FunctionName"]
    parsed = parse_function_name(text)
    if parsed is None:  # a form the model's pattern admits and no function can have
        raise messages.function_not_found(FunctionId(context.account, context.region, text).arn)
    if parsed.region and parsed.region != context.region:
        raise messages.other_region(parsed.region, context.region)
    if parsed.account and parsed.account != context.account:
        raise messages.other_account()
    given = parameters.get("Qualifier") or None
    if given and parsed.qualifier and given != parsed.qualifier:
        raise messages.qualifier_mismatch()
    return Named(FunctionId(context.account, context.region, parsed.name), given or parsed.qualifier)


def unqualified(context: Context, parameters: Parameters) -> FunctionId:
    """For operations on functions only; raises the recorded refusal of a qualifier."""
    found = named(context, parameters)
    if found.qualifier:
        raise messages.functions_only()
    return found.id
