"""Refusals of one field; values as kube-apiserver writes them, which is Go's JSON of its types, members in order."""

import re
from typing import Any

import orjson

from lambent.kube.schema import Problem
from lambent.kubeserver.validation import errors
from lambent.kubeserver.validation.names import dns_1035

_ESCAPED = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
_TO_ESCAPE = re.compile("[<>&\u2028\u2029]")


def invalid(path: str, value: Any, text: str) -> Problem:
    return errors.invalid_shown(path, shown(value), text)


def label(name: str | None, path: str) -> list[Problem]:
    """Of a name that has the form of a label; its faults are told in one text."""
    faults = dns_1035(name or "")
    return [invalid(path, name or "", ",".join(faults))] if faults else []


def given_label(name: str | None, path: str) -> list[Problem]:
    """Of one that may be absent."""
    return label(name, path) if name else []


def kind(name: str | None, path: str) -> list[Problem]:
    """Of the name of a kind, which may be absent."""
    faults = dns_1035(name.lower()) if name else []
    text = f"may have mixed case, but should otherwise match: {','.join(faults)}"
    return [invalid(path, name, text)] if faults else []


def shown(value: Any) -> str:
    """A text as it is quoted, anything else as Go's JSON, which escapes what HTML would read."""
    written = orjson.dumps(value).decode()
    return written if isinstance(value, str) else _TO_ESCAPE.sub(lambda found: _ESCAPED[found[0]], written)
