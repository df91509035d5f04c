"""The shape of a kind's spec and status: a compact text, parsed into a tree.

    name!^:s, tags[]{key:s, value:s}, variables:map<s>, policyRefs[]REF

`s` string, `i` integer, `n` number, `b` boolean, `time`, `bytes` (base64), `[]s` list, `map<s>` map of strings, `x{..}`
object, `x[]{..}` list of objects, `REF` a reference to another object, `!` required, `^` immutable. The tree serves the
CRD (`crds`) and the translation between our field names and AWS's, which are the same but for case (`imageURI` and
`ImageUri`; `type_` and `Type`). Not here: values' meaning (`comparison`) and any AWS call.
"""

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from lambent.clock import rfc3339

_TOKENS = re.compile(r"map<(?:\[\])?s>|map<n>|\[\]|[A-Za-z0-9_]+|[{}:,!^]")
_SCALARS: dict[str, tuple[str, str]] = {
    "s": ("string", ""),
    "i": ("integer", "int64"),
    "n": ("number", ""),
    "b": ("boolean", ""),
    "time": ("string", "date-time"),
    "bytes": ("string", "byte"),
}


@dataclass(frozen=True, slots=True)
class Node:
    """One place of a schema; `type` is OpenAPI's, or "map" for an object with free keys of type `item`."""

    type: str
    format: str = ""
    members: Mapping[str, "Node"] = field(default_factory=dict)
    item: "Node | None" = None
    required: bool = False
    immutable: bool = False

    def at(self, path: str) -> "Node":
        """The node at a dotted path; KeyError when the schema has no such place."""
        node = self
        for part in path.split("."):
            node = node.members[part]
        return node


class _Parser:
    """Recursive descent over the tokens of one text."""

    def __init__(self, text: str) -> None:
        self._tokens = _TOKENS.findall(text)
        self._at = 0

    def members(self) -> dict[str, Node]:
        found: dict[str, Node] = {}
        while self._peek() not in ("", "}"):
            name, node = self._member()
            found[name] = node
            if self._peek() == ",":
                self._next()
        return found

    def at_end(self) -> bool:
        return self._at == len(self._tokens)

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _next(self) -> str:
        token = self._peek()
        self._at += 1
        return token

    def _take(self, token: str) -> bool:
        if self._peek() == token:
            self._at += 1
            return True
        return False

    def _member(self) -> tuple[str, Node]:
        name = self._next()
        required, immutable = self._take("!"), self._take("^")
        return name, replace(self._type(name), required=required, immutable=immutable)

    def _type(self, name: str) -> Node:
        if self._take(":"):
            return self._value()
        if self._take("[]"):
            return Node("array", item=self._object())
        if self._peek() == "{":
            return self._object()
        raise ValueError(f"schema: {name} has no type near {self._peek()!r}")

    def _value(self) -> Node:
        token = self._next()
        if token == "[]":
            return Node("array", item=self._value())
        if token == "REF":
            return REF
        if token.startswith("map<"):
            inner = token[4:-1]
            return Node("map", item=Node("array", item=_scalar("s")) if inner == "[]s" else _scalar(inner))
        return _scalar(token)

    def _object(self) -> Node:
        if not self._take("{"):
            raise ValueError(f"schema: '{{' expected near {self._peek()!r}")
        members = self.members()
        if not self._take("}"):
            raise ValueError("schema: '}' expected at the end")
        return Node("object", members=members)


def _scalar(token: str) -> Node:
    if token not in _SCALARS:
        raise ValueError(f"schema: unknown type {token!r}")
    type_, format_ = _SCALARS[token]
    return Node(type_, format_)


TIME = Node("string", "date-time")
REF = Node("object", members={"from": Node("object", members={"name": Node("string"), "namespace": Node("string")})})


def parse(text: str) -> Node:
    """An object node from the compact text; ValueError names what is wrong."""
    parser = _Parser(text)
    members = parser.members()
    if not parser.at_end():
        raise ValueError("schema: text after the last member")
    return Node("object", members=members)


def aws_key(name: str) -> str:
    """What a member's name is matched by, in our spelling and in AWS's."""
    return name.rstrip("_").lower()


def from_aws(node: Node, value: Any) -> Any:
    """An AWS answer's value in our names and JSON types; members that the schema lacks are left out."""
    if node.type == "object" and isinstance(value, Mapping):
        known = {aws_key(name): member for name, member in value.items() if member is not None}
        pairs = ((name, member, known.get(aws_key(name))) for name, member in node.members.items())
        return {name: from_aws(member, found) for name, member, found in pairs if found is not None}
    if node.type == "array" and node.item and isinstance(value, list | tuple):
        return [from_aws(node.item, item) for item in value]
    if node.type == "map" and node.item and isinstance(value, Mapping):
        return {key: from_aws(node.item, item) for key, item in value.items()}
    return normal(node, value)


def normal(node: Node, value: Any) -> Any:
    """A value of the spec in one spelling: times in UTC seconds, bytes as base64, JSON null left out."""
    if node.type == "object" and isinstance(value, Mapping):
        return {name: normal(node.members.get(name, _ANY), item) for name, item in value.items() if item is not None}
    if node.type == "array" and isinstance(value, list):
        return [normal(node.item or _ANY, item) for item in value]
    if node.format == "date-time":
        return _time_text(value)
    if node.format == "byte" and isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value


_ANY = Node("")


def _time_text(value: Any) -> Any:
    if isinstance(value, datetime):
        return rfc3339(value if value.tzinfo else value.replace(tzinfo=UTC))
    if isinstance(value, str):
        try:
            return rfc3339(datetime.fromisoformat(value.replace("Z", "+00:00")))
        except ValueError:
            return value
    return value


def to_aws(shape: Any, value: Any, *, where: str = "") -> Any:
    """A value in our names as the request of a botocore input shape.

    Source: botocore's service models. ValueError names a member that the shape lacks: a declaration is wrong then.
    """
    kind = shape.type_name
    if kind == "structure" and isinstance(value, Mapping):
        by_key = {aws_key(name): name for name in shape.members}
        request: dict[str, Any] = {}
        for name, item in value.items():
            wire = name if name in shape.members else by_key.get(aws_key(name))
            if wire is None:
                raise ValueError(f"{shape.name} has no member {where}{name}")
            if item is not None:
                request[wire] = to_aws(shape.members[wire], item, where=f"{where}{name}.")
        return request
    if kind == "list" and isinstance(value, list | tuple):
        return [to_aws(shape.member, item, where=where) for item in value]
    if kind == "map" and isinstance(value, Mapping):
        return {key: to_aws(shape.value, item, where=where) for key, item in value.items()}
    if kind == "blob" and isinstance(value, str):
        return base64.b64decode(value)
    return value


def walk(node: Node, visit: Callable[[str, Node], None], path: str) -> None:
    """Calls `visit(path, node)` for the node and all below it; `[]` marks an item of a list."""
    visit(path, node)
    for name, member in node.members.items():
        walk(member, visit, f"{path}.{name}")
    if node.type == "array" and node.item:
        walk(node.item, visit, f"{path}[]")
