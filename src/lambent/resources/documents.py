"""Do two IAM policy documents mean the same?

AWS stores and returns documents in another form than they were given: URL-encoded, with single-element lists
unwrapped, principals' account ids turned into root ARNs, statements in any order. A document that differs only in form
must never be sent again. Source: IAM user guide, "IAM JSON policy elements reference". Not here: evaluation of a
policy, or a check that a document is valid.
"""

import json
import re
from typing import Any
from urllib.parse import unquote

_ACCOUNT_ID = re.compile(r"^\d{12}$")
_ROOT_ARN = re.compile(r"^arn:[\w-]+:iam::(\d{12}):root$")
_ACTION_KEYS = frozenset({"Action", "NotAction"})
_PRINCIPAL_KEYS = frozenset({"Principal", "NotPrincipal"})


def decode(document: Any) -> Any:
    """The text of a document that an AWS answer may hold URL-encoded or, through botocore, parsed."""
    if isinstance(document, dict | list):
        return json.dumps(document, separators=(",", ":"))
    if isinstance(document, str) and document.startswith("%"):
        return unquote(document)
    return document


def same_document(left: Any, right: Any) -> bool:
    """True when both documents mean the same; texts that are no JSON object are compared as text."""
    if left == right:
        return True
    first, second = _parse(left), _parse(right)
    if first is None or second is None:
        return str(left or "").strip() == str(right or "").strip()
    return bool(_canonical(first) == _canonical(second))


def same_json(left: Any, right: Any) -> bool:
    """True when both texts hold the same JSON value."""
    if left == right:
        return True
    first, second = _parse(left), _parse(right)
    return first is not None and first == second


def _parse(document: Any) -> dict[str, Any] | None:
    try:
        value = json.loads(decode(document)) if isinstance(document, str) else document
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _canonical(document: dict[str, Any]) -> dict[str, Any]:
    statements = document.get("Statement", [])
    listed = statements if isinstance(statements, list) else [statements]
    rest = {key: value for key, value in document.items() if key != "Statement"}
    return {**rest, "Statement": sorted((_statement(item) for item in listed), key=_order)}


def _statement(statement: Any) -> Any:
    if not isinstance(statement, dict):
        return statement
    return {key: _element(key, value) for key, value in statement.items() if not (key == "Sid" and value == "")}


def _element(key: str, value: Any) -> Any:
    if key in _ACTION_KEYS:
        return _strings(value, str.lower)
    if key in ("Resource", "NotResource"):
        return _strings(value, str)
    if key in _PRINCIPAL_KEYS:
        principal = {"AWS": "*"} if value == "*" else value
        if isinstance(principal, dict):
            return {kind: _strings(who, _principal if kind == "AWS" else str) for kind, who in principal.items()}
        return principal
    if key == "Condition" and isinstance(value, dict):
        return {operator.lower(): _condition(keys) for operator, keys in value.items()}
    return value


def _condition(keys: Any) -> Any:
    if not isinstance(keys, dict):
        return keys
    return {key.lower(): _strings(values, _scalar_text) for key, values in keys.items()}


def _scalar_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _principal(who: str) -> str:
    match = _ROOT_ARN.match(who)
    return match.group(1) if match else who


def _strings(value: Any, convert: Any) -> list[Any]:
    items = value if isinstance(value, list) else [value]
    return sorted({convert(item) if isinstance(item, str | bool | int) else _order(item) for item in items}, key=str)


def _order(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)
