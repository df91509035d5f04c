"""Refusals of one field; values as kube-apiserver writes them, which is Go's JSON of its types, members in order."""

import re
from typing import Any

import orjson

from lambent.kube.schema import Problem
from lambent.kubeserver.validation import errors

_ESCAPED = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
_TO_ESCAPE = re.compile("[<>&\u2028\u2029]")


def invalid(path: str, value: Any, text: str) -> Problem:
    return errors.invalid_shown(path, shown(value), text)


def shown(value: Any) -> str:
    """A text as it is quoted, anything else as Go's JSON, which escapes what HTML would read."""
    written = orjson.dumps(value).decode()
    return written if isinstance(value, str) else _TO_ESCAPE.sub(lambda found: _ESCAPED[found[0]], written)
