"""Refusals: every error of the server is a `Status` object in kube-apiserver's wording.

Clients branch on `reason`, scripts match the text, so both are here, once, as constructors. Source: Kubernetes API
conventions, "Response Status Kind"; texts as kube-apiserver 1.34.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from lambent.errors import LambentError
from lambent.http.message import Headers, Response
from lambent.kube.schema import Problem

REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    406: "NotAcceptable",
    409: "Conflict",
    410: "Expired",
    413: "RequestEntityTooLarge",
    415: "UnsupportedMediaType",
    422: "Invalid",
    429: "TooManyRequests",
    504: "Timeout",
}


class ApiError(LambentError):
    """A request that is refused; turned into a `Status` answer at the edge."""

    def __init__(
        self,
        code: int,
        message: str,
        *,
        reason: str | None = None,
        details: dict[str, Any] | None = None,
        headers: Headers | None = None,
        continue_: str = "",
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status_reason = REASONS.get(code, "") if reason is None else reason
        self.details = details
        self.headers = headers or []
        self.continue_ = continue_

    def body(self) -> dict[str, Any]:
        status: dict[str, Any] = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {"continue": self.continue_} if self.continue_ else {},
            "status": "Failure",
            "message": self.message,
        }
        if self.status_reason:
            status["reason"] = self.status_reason
        if self.details is not None:
            status["details"] = self.details
        return status | {"code": self.code}

    def response(self) -> Response:
        headers = [(b"content-type", b"application/json"), *self.headers]
        return Response(self.code, headers, orjson.dumps(self.body()))


def qualified(name: str, group: str) -> str:
    return f"{name}.{group}" if group else name


def _details(group: str, kind: str, name: str = "", causes: Sequence[dict[str, str]] = ()) -> dict[str, Any]:
    out: dict[str, Any] = {}
    if name:
        out["name"] = name
    if group:
        out["group"] = group
    if kind:
        out["kind"] = kind
    if causes:
        out["causes"] = list(causes)
    return out


def not_found(group: str, plural: str, name: str) -> ApiError:
    return ApiError(404, f'{qualified(plural, group)} "{name}" not found', details=_details(group, plural, name))


def no_resource() -> ApiError:
    return ApiError(404, "the server could not find the requested resource", details={})


def already_exists(group: str, plural: str, name: str, *, deleting: bool = False) -> ApiError:
    lead = "object is being deleted: " if deleting else ""
    text = f'{lead}{qualified(plural, group)} "{name}" already exists'
    return ApiError(409, text, reason="AlreadyExists", details=_details(group, plural, name))


def conflict(group: str, plural: str, name: str, why: str) -> ApiError:
    text = f'Operation cannot be fulfilled on {qualified(plural, group)} "{name}": {why}'
    return ApiError(409, text, details=_details(group, plural, name))


STALE = "the object has been modified; please apply your changes to the latest version and try again"


def bad_request(message: str) -> ApiError:
    return ApiError(400, message)


def forbidden(group: str, plural: str, name: str, why: str, causes: Sequence[dict[str, str]] = ()) -> ApiError:
    text = f'{qualified(plural, group)} "{name}" is forbidden: {why}'
    return ApiError(403, text, details=_details(group, plural, name, causes))


def not_allowed() -> ApiError:
    return ApiError(405, "the server does not allow this method on the requested resource", details={})


def unsupported_media(accepted: Iterable[str]) -> ApiError:
    listed = ", ".join(accepted)
    text = f"the body of the request was in an unknown format - accepted media types include: {listed}"
    return ApiError(415, text)


def not_acceptable(accepted: Iterable[str]) -> ApiError:
    return ApiError(406, f"only the following media types are accepted: {', '.join(accepted)}")


def bad_patch(obj: Any, why: str) -> ApiError:
    """What a patch makes, as an object or a text, cannot be decoded; kube-apiserver names neither kind nor object."""
    text = obj if isinstance(obj, str) else orjson.dumps(obj, option=orjson.OPT_SORT_KEYS).decode()
    problem = Problem("patch", "FieldValueInvalid", f"Invalid value: {orjson.dumps(text).decode()}: {why}")
    return invalid("", "", "", [problem])


def invalid(group: str, kind: str, name: str, problems: Sequence[Problem]) -> ApiError:
    """422 with one cause per problem; several are listed in brackets."""
    texts = list(dict.fromkeys(str(problem) for problem in problems))
    listed = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    causes = [{"reason": p.reason, "message": p.message, "field": p.path} for p in problems]
    message = f'{qualified(kind, group)} "{name}" is invalid: {listed}'
    return ApiError(422, message, details=_details(group, kind, name, causes))


def success(group: str, plural: str, name: str, uid: str) -> dict[str, Any]:
    """What a finished DELETE answers."""
    details = _details(group, plural, name) | {"uid": uid}
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}
