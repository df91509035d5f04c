"""Statements of a function's resource policy, from AddPermission's parameters.

Source: AWS Lambda API reference, "AddPermission"; recorded statements of AWS.
"""

import re
from typing import Any

from lambent.functions import messages

_ACCOUNT = re.compile(r"\d{12}")
_SERVICE = re.compile(r"[a-z0-9.-]+\.(amazonaws\.com(\.cn)?|amazon\.com)")
_CONDITIONS = (
    ("StringEquals", "AWS:SourceAccount", "SourceAccount"),
    ("StringEquals", "lambda:FunctionUrlAuthType", "FunctionUrlAuthType"),
    ("StringEquals", "lambda:EventSourceToken", "EventSourceToken"),
    ("StringEquals", "aws:PrincipalOrgID", "PrincipalOrgID"),
    ("ArnLike", "AWS:SourceArn", "SourceArn"),
    ("Bool", "lambda:InvokedViaFunctionUrl", "InvokedViaFunctionUrl"),
)


def statement(parameters: dict[str, Any], resource: str) -> dict[str, Any]:
    """Raises InvalidParameterValueException for a principal that is none."""
    made: dict[str, Any] = {
        "Sid": parameters["StatementId"],
        "Effect": "Allow",
        "Principal": _principal(parameters["Principal"], resource),
        "Action": parameters["Action"],
        "Resource": resource,
    }
    conditions: dict[str, dict[str, str]] = {}
    for operator, key, name in _CONDITIONS:
        if parameters.get(name) is not None:
            value = parameters[name]
            conditions.setdefault(operator, {})[key] = str(value).lower() if isinstance(value, bool) else value
    return {**made, "Condition": conditions} if conditions else made


def _principal(text: str, resource: str) -> Any:
    partition = resource.split(":")[1]
    if text == "*":
        return "*"
    if _ACCOUNT.fullmatch(text):
        return {"AWS": f"arn:{partition}:iam::{text}:root"}
    if text.startswith("arn:"):
        return {"AWS": text}
    if _SERVICE.fullmatch(text):
        return {"Service": text}
    raise messages.principal_invalid()
