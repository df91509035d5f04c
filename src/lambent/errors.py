"""One tree of the errors that may cross a package boundary.

    LambentError
    ├── UsageError            the caller's command, setting or file is wrong        400
    ├── KubeError             an answer of a Kubernetes API server (kube.errors)
    ├── AwsError              an answer of an AWS API (aws.errors)
    ├── CelError              an expression that cannot be compiled or evaluated (cel)
    └── ServiceError          an answer of ours on the Lambda API (functions, invoke)

Each class knows its HTTP status, its AWS code and the condition reason it turns into, so that no layer above
maps errors by text. A message says what happened, where, and what to do; it never holds the value of a variable
that may be secret. Not here: outcomes of a reconcile (`kube.outcome`) and of a workflow step (`workflow.engine`),
which are results and not errors.
"""

from typing import ClassVar


class LambentError(Exception):
    """Root of every error of ours that a layer above may handle."""

    http_status: ClassVar[int] = 500
    aws_code: ClassVar[str] = "ServiceException"
    reason: ClassVar[str] = "InternalError"


class UsageError(LambentError):
    """A command, setting or file of the user is wrong; the message says which and what to do. CLI exit code 2."""

    http_status = 400
    aws_code = "ValidationException"
    reason = "InvalidInput"
