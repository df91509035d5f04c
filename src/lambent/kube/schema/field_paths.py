"""A path in a schema as rules (`fieldPath`) and selectable fields write it: `.spec.a['b.c']`.

Source: Kubernetes docs, "Validation rules", "Field paths"; texts as kube-apiserver 1.34.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

_TOKEN = re.compile(r"""'(?:\\.|[^'\\])*'|[.\[\]]|[^.\[\]']+|'""")


class FieldPathError(ValueError):
    """The path names nothing; the text says why."""


def field_at(path: str, schema: Any, *, arrays: bool = True) -> tuple[str, Any]:
    """The path as refusals write it and the schema it leads to; `arrays` allows steps in brackets."""
    out: list[str] = []
    tokens = iter(_TOKEN.findall(path))
    for token in tokens:
        if token == "." and (name := _next(tokens)):
            is_named, schema = _step(name, schema)
        elif token == "[" and arrays:
            name = _quoted(_next(tokens))
            is_named, schema = _step(name, schema)
            if (end := _next(tokens)) != "]":
                raise FieldPathError(f"expected ] but got {end}")
        elif token == "[":
            raise FieldPathError("array notation is not allowed")
        else:
            raise FieldPathError(f"expected [ or . but got: {token}")
        out.append(f".{name}" if is_named else f"[{name}]")
    return "".join(out).removeprefix("."), schema


def _next(tokens: Iterator[str]) -> str:
    found = next(tokens, None)
    if found is None:
        raise FieldPathError("unexpected end of JSON path")
    return found


def _quoted(token: str) -> str:
    if len(token) < 2 or token[0] != "'" or token[-1] != "'":
        raise FieldPathError(f"expected single quoted string but got {token}")
    return token[1:-1].replace("\\'", "'").replace("\\\\", "\\")


def _step(name: str, schema: Any) -> tuple[bool, Any]:
    """Whether the step is a declared member (else a key of a map), and the schema below it."""
    found = schema if isinstance(schema, Mapping) else {}
    if found.get("properties"):
        if name not in found["properties"]:
            raise FieldPathError("does not refer to a valid field")
        return True, found["properties"][name]
    if found.get("additionalProperties") is not None:
        return False, found["additionalProperties"]
    raise FieldPathError("does not refer to a valid field")
