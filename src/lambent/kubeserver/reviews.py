"""Answers that are computed: who am I, may I. RBAC is not enforced: the administrator may do everything.

Other tokens (minted for ServiceAccounts) are told the same of what they may do, because the server lets them. Source:
Kubernetes API reference, authentication.k8s.io and authorization.k8s.io.
"""

from typing import Any

from lambent.http.message import Response
from lambent.kubeserver.builtin.bodies import refuse_body
from lambent.kubeserver.call import Call, User
from lambent.kubeserver.decoding import decode_body
from lambent.kubeserver.rendering import answer
from lambent.kubeserver.tokens import Tokens

_ALLOWED = {"allowed": True, "reason": "authorization is not enforced by this server"}
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
                    return {"authenticated": False, "error": "invalid bearer token", "user": {}}
                return {"authenticated": True, "user": _user_info(user), "audiences": spec.get("audiences") or []}
            case _:
                return _ALLOWED


def _user_info(user: User) -> dict[str, Any]:
    info: dict[str, Any] = {"username": user.name, "groups": list(user.groups)}
    return {**info, "uid": user.uid} if user.uid else info
