"""What a Kubernetes API server can refuse, as one tree.

    KubeError
    ├── NotFound 404      ├── Conflict 409        ├── AlreadyExists 409 ├── Forbidden 403    ├── Unauthorized 401
    ├── Invalid 400, 422  ├── Gone 410            ├── Throttled 429     ├── ServerError 5xx  └── Unreachable (no answer)

The class follows the Status' `reason` first and its code second, as clients of the API must (two reasons share 409).
Source: Kubernetes API conventions, "Response Status Kind".
"""

from collections.abc import Mapping
from typing import Any

from lambent.errors import LambentError


class KubeError(LambentError):
    """An answer that is not a success. `causes` are (field path, message) pairs; never the body of an object."""

    reason = "KubernetesError"

    def __init__(
        self,
        message: str,
        *,
        code: int = 0,
        status_reason: str = "",
        what: str = "",
        causes: tuple[tuple[str, str], ...] = (),
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.status_reason = status_reason
        self.what = what
        self.causes = causes
        self.retry_after_s = retry_after_s

    def __str__(self) -> str:
        return f"{self.what}: {self.message}" if self.what else self.message


class NotFound(KubeError):
    http_status = 404
    reason = "NotFound"


class Conflict(KubeError):
    http_status = 409
    reason = "Conflict"


class AlreadyExists(KubeError):
    http_status = 409
    reason = "AlreadyExists"


class Forbidden(KubeError):
    http_status = 403
    reason = "Forbidden"


class Unauthorized(KubeError):
    http_status = 401
    reason = "Unauthorized"


class Invalid(KubeError):
    http_status = 422
    reason = "Invalid"


class Gone(KubeError):
    http_status = 410
    reason = "Expired"


class Throttled(KubeError):
    http_status = 429
    reason = "TooManyRequests"


class ServerError(KubeError):
    reason = "ServerError"


class Unreachable(KubeError):
    """No answer: connection refused, reset or timed out. `what` names verb and object, not the credentials."""

    http_status = 503
    reason = "Unreachable"


_BY_REASON: dict[str, type[KubeError]] = {
    "NotFound": NotFound,
    "Conflict": Conflict,
    "AlreadyExists": AlreadyExists,
    "Forbidden": Forbidden,
    "Unauthorized": Unauthorized,
    "Invalid": Invalid,
    "BadRequest": Invalid,
    "Expired": Gone,
    "Gone": Gone,
    "TooManyRequests": Throttled,
}
_BY_CODE: dict[int, type[KubeError]] = {
    400: Invalid,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: Gone,
    413: Invalid,
    415: Invalid,
    422: Invalid,
    429: Throttled,
}


def from_status(status: Mapping[str, Any], *, what: str = "", retry_after_s: float | None = None) -> KubeError:
    """The error that a `Status` object tells of; `what` is the request ("get Bucket a/b")."""
    code = int(status.get("code") or 0)
    reason = str(status.get("reason") or "")
    details = status.get("details") or {}
    causes = tuple((str(c.get("field", "")), str(c.get("message", ""))) for c in details.get("causes") or ())
    kind = _BY_REASON.get(reason) or _BY_CODE.get(code) or (ServerError if code >= 500 else KubeError)
    message = str(status.get("message") or reason or f"HTTP {code}")
    return kind(message, code=code, status_reason=reason, what=what, causes=causes, retry_after_s=retry_after_s)


# Their texts name the object and its fields, never what stands in them.
_WITHOUT_VALUES = frozenset((401, 403, 404, 409, 410, 429))


def without_values(status: Mapping[str, Any]) -> Mapping[str, Any]:
    """The status of a refused Secret: a server quotes what it refuses; only the names of the members may be seen."""
    if status.get("code") in _WITHOUT_VALUES:
        return status
    causes = (status.get("details") or {}).get("causes") or ()
    fields = ", ".join(str(cause.get("field", "")) for cause in causes)
    message = f"{status.get('reason') or 'refused'}{f' in {fields}' if fields else ''} (a Secret: details withheld)"
    return {"kind": "Status", "code": status.get("code"), "reason": status.get("reason"), "message": message}
