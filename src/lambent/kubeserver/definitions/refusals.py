"""Refusals of one field; values as kube-apiserver writes them, which is Go's JSON of its types, members in order."""

import re
from collections.abc import Sequence
from typing import Any

import orjson

from lambent.kube.schema import Problem

_LABEL = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LABEL_LIMIT, _SUBDOMAIN_LIMIT = 63, 253
_LABEL_TEXT = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, "
    "and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is "
    "'[a-z]([-a-z0-9]*[a-z0-9])?')"
)
_SUBDOMAIN_TEXT = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
_ESCAPED = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
_TO_ESCAPE = re.compile("[<>&\u2028\u2029]")


def required(path: str, text: str = "") -> Problem:
    return Problem(path, "FieldValueRequired", f"Required value: {text}" if text else "Required value")


def forbidden(path: str, text: str) -> Problem:
    return Problem(path, "FieldValueForbidden", f"Forbidden: {text}")


def invalid(path: str, value: Any, text: str) -> Problem:
    return Problem(path, "FieldValueInvalid", f"Invalid value: {shown(value)}: {text}")


def duplicate(path: str, value: Any) -> Problem:
    return Problem(path, "FieldValueDuplicate", f"Duplicate value: {shown(value)}")


def too_many(path: str, count: int, limit: int) -> Problem:
    return Problem(path, "FieldValueTooMany", f"Too many: {count}: must have at most {limit} items")


def not_supported(path: str, value: str, accepted: Sequence[str]) -> Problem:
    listed = ", ".join(shown(one) for one in accepted)
    text = f"Unsupported value: {shown(value)}: supported values: {listed}"
    return Problem(path, "FieldValueNotSupported", text)


def one_of(path: str, value: Any, accepted: Sequence[str]) -> list[Problem]:
    """Nothing for one of `accepted`; an absent or empty value is required."""
    if not value:
        return [required(path)]
    return [] if value in accepted else [not_supported(path, value, accepted)]


def shown(value: Any) -> str:
    """A text as it is quoted, anything else as Go's JSON, which escapes what HTML would read."""
    written = orjson.dumps(value).decode()
    return written if isinstance(value, str) else _TO_ESCAPE.sub(lambda found: _ESCAPED[found[0]], written)


def label_faults(text: str) -> list[str]:
    """Why a text is no DNS-1035 label."""
    out = [] if len(text) <= _LABEL_LIMIT else [f"must be no more than {_LABEL_LIMIT} characters"]
    return out if _LABEL.fullmatch(text) else [*out, _LABEL_TEXT]


def subdomain_faults(text: str) -> list[str]:
    """Why a text is no RFC 1123 subdomain."""
    out = [] if len(text) <= _SUBDOMAIN_LIMIT else [f"must be no more than {_SUBDOMAIN_LIMIT} characters"]
    return out if _SUBDOMAIN.fullmatch(text) else [*out, _SUBDOMAIN_TEXT]
