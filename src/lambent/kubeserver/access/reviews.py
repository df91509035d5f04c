"""Answers that are computed: who am I, may I. RBAC is not enforced: who is known here may do everything.

Known are the administrator and ServiceAccounts, whose tokens the server takes; anybody else has no way in, and the
answer for them is no. Source: Kubernetes API reference, authentication.k8s.io and authorization.k8s.io.
"""

from collections.abc import Iterator
from typing import Any

from lambent.http.message import Response
from lambent.kube.schema import Problem
from lambent.kubeserver.access.tokens import Tokens
from lambent.kubeserver.answers.rendering import answer
from lambent.kubeserver.builtin.bodies import refuse_body
from lambent.kubeserver.call import ADMIN, Call, User
from lambent.kubeserver.requests.decoding import decode_body
from lambent.kubeserver.status import bad_request, invalid
from lambent.kubeserver.validation import errors

_ALLOWED = {"allowed": True, "reason": "authorization is not enforced by this server"}
_REFUSED = {"allowed": False, "reason": "this server knows no such user"}
_KNOWN_GROUPS = ("system:masters", "system:serviceaccounts")
_ACCOUNT = "system:serviceaccount:"
_ALL_RULES = {
    "resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}],
    "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
    "incomplete": False,
}


class Reviewer:
    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    def handle(self, call: Call) -> Response:
        body = decode_body(call)
        refuse_body(call.resource.group, call.resource.gvk.version, call.resource.kind, body)
        head = {
            "kind": call.resource.kind,
            "apiVersion": call.resource.api_version,
            "metadata": {"creationTimestamp": None},
        }
        spec = body.get("spec") or {}
        _check(call, spec)
        review: dict[str, Any] = {**head, "spec": spec, "status": self._status(call, spec)}
        if call.resource.kind == "SelfSubjectReview":
            del review["spec"]
        return answer(review, 201)

    def _status(self, call: Call, spec: Any) -> dict[str, Any]:
        match call.resource.kind:
            case "SelfSubjectReview":
                return {"userInfo": _user_info(call.user)}
            case "SelfSubjectRulesReview":
                return _ALL_RULES
            case "TokenReview":
                user = self._tokens.user_of(str(spec.get("token", "")))
                if user is None:
                    return {"user": {}, "error": "invalid bearer token"}
                return {"authenticated": True, "user": _user_info(user), "audiences": spec.get("audiences") or []}
            case "SelfSubjectAccessReview":
                return _ALLOWED
            case _:
                return _ALLOWED if _is_known(spec) else _REFUSED


def _is_known(spec: Any) -> bool:
    user, groups = spec.get("user", ""), spec.get("groups") or ()
    return (
        user == ADMIN.name
        or user.startswith(_ACCOUNT)
        or any(group.startswith(known) for group in groups for known in _KNOWN_GROUPS)
    )


def _check(call: Call, spec: Any) -> None:
    """Raises 400 or 422 for a review that asks nothing, or two things at once."""
    match call.resource.kind:
        case "TokenReview" if not spec.get("token"):
            raise bad_request("token is required for TokenReview in authentication")
        case "SelfSubjectRulesReview" if not spec.get("namespace"):
            raise bad_request("no namespace on request")
        case "SubjectAccessReview" | "LocalSubjectAccessReview" | "SelfSubjectAccessReview" as kind:
            found = [*_attributes(spec, is_of_self=kind == "SelfSubjectAccessReview")]
            if kind == "LocalSubjectAccessReview":
                found += _local(call, spec)
            if found:
                raise invalid(call.resource.group, "", "", found)


def _attributes(spec: Any, *, is_of_self: bool) -> Iterator[Problem]:
    resource, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    if resource is not None and path is not None:
        shown = errors.go_struct({"path": "", "verb": "", **path}, "Path", "Verb")
        text = "cannot be specified in combination with resourceAttributes"
        yield errors.invalid_shown("spec.nonResourceAttributes", shown, text)
    if resource is None and path is None:
        text = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        yield errors.invalid("spec.resourceAttributes", None, text)
    if not is_of_self and not spec.get("user") and not spec.get("groups"):
        yield errors.invalid("spec.user", "", "at least one of user or group must be specified")


def _local(call: Call, spec: Any) -> Iterator[Problem]:
    namespace = (spec.get("resourceAttributes") or {}).get("namespace", "")
    if spec.get("resourceAttributes") is not None and namespace != call.namespace:
        raise bad_request(f"spec.resourceAttributes.namespace must match namespace: {call.namespace}")
    if (path := spec.get("nonResourceAttributes")) is not None:
        shown = errors.go_struct({"path": "", "verb": "", **path}, "Path", "Verb")
        yield errors.invalid_shown("spec.nonResourceAttributes", shown, "disallowed on this kind of request")


def _user_info(user: User) -> dict[str, Any]:
    info: dict[str, Any] = {"username": user.name, "groups": list(user.groups)}
    return {**info, "uid": user.uid} if user.uid else info
