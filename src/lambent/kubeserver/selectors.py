"""Label and field selectors. Source: Kubernetes docs, "Labels and Selectors" and "Field Selectors"."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lambent.kubeserver.records import Record
from lambent.kubeserver.resources import Resource
from lambent.kubeserver.status import ApiError, bad_request

Labels = Mapping[str, str]
_Test = Callable[[Labels], bool]
_TOKEN = re.compile(r"\s*(==|!=|[=,()!<>]|[^\s=,()!<>]+)")
_QUALIFIED_KEY = re.compile(r"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$")
_VALUE = re.compile(r"^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$")


class _Parser:
    """One pass over the tokens of a label selector."""

    def __init__(self, text: str) -> None:
        self._tokens = _TOKEN.findall(text)
        self._at = 0

    def parse(self) -> list[_Test]:
        tests: list[_Test] = []
        while self._peek():
            tests.append(self._requirement())
            if self._peek() and self._next() != ",":
                raise self._unexpected(self._tokens[self._at - 1], "',' or 'end of string'")
            if self._tokens[self._at - 1] == "," and not self._peek():
                raise self._unexpected("", "identifier after ','")
        return tests

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _next(self) -> str:
        token = self._peek()
        self._at += 1
        return token

    def _unexpected(self, found: str, expected: str) -> ApiError:
        return bad_request(f"found '{found}', expected: {expected}")

    def _requirement(self) -> _Test:
        if self._peek() == "!":
            self._next()
            key = self._key()
            return lambda labels: key not in labels
        key = self._key()
        match self._peek():
            case "" | ",":
                return lambda labels: key in labels
            case "=" | "==":
                value = self._value()
                return lambda labels: labels.get(key) == value
            case "!=":
                value = self._value()
                return lambda labels: labels.get(key) != value
            case "in" | "notin" as operator:
                values = self._set()
                if operator == "in":
                    return lambda labels: labels.get(key) in values
                return lambda labels: labels.get(key) not in values
            case "<" | ">" as operator:
                return self._compare(key, operator)
            case other:
                raise self._unexpected(other, "in, notin, =, ==, !=, gt, lt")

    def _key(self) -> str:
        token = self._next()
        if not _QUALIFIED_KEY.match(token):
            raise self._unexpected(token, "!, identifier, or 'end of string'")
        return token

    def _value(self) -> str:
        self._next()
        if self._peek() in ("", ","):
            return ""
        token = self._next()
        if not _VALUE.match(token):
            raise bad_request(f'invalid label value: "{token}"')
        return token

    def _set(self) -> frozenset[str]:
        self._next()
        if (opening := self._next()) != "(":
            raise self._unexpected(opening, "'('")
        values: set[str] = set()
        while (token := self._next()) != ")":
            if not token:
                raise self._unexpected("", "',' or ')'")
            if token != ",":
                values.add(token)
        return frozenset(values)

    def _compare(self, key: str, operator: str) -> _Test:
        text = self._value()
        try:
            limit = int(text)
        except ValueError:
            raise bad_request(f'for "Gt", "Lt" operators, the value must be an integer: "{text}"') from None

        def test(labels: Labels) -> bool:
            try:
                value = int(labels[key])
            except (KeyError, ValueError):
                return False
            return value > limit if operator == ">" else value < limit

        return test


@dataclass(frozen=True, slots=True)
class FieldTest:
    """`path` (dotted) equals `value`, or not."""

    path: str
    value: str
    equal: bool


@dataclass(frozen=True, slots=True)
class Selection:
    """Both selectors of a list or watch, parsed."""

    labels: tuple[_Test, ...] = ()
    fields: tuple[FieldTest, ...] = ()

    @property
    def is_all(self) -> bool:
        return not self.labels and not self.fields

    def matches(self, record: Record) -> bool:
        if not all(test(record.labels) for test in self.labels):
            return False
        loaded: Any = None
        for test in self.fields:
            if test.path == "metadata.name":
                value = record.name
            elif test.path == "metadata.namespace":
                value = record.namespace
            else:
                loaded = loaded if loaded is not None else record.load()
                value = _field(loaded, test.path)
            if (value == test.value) != test.equal:
                return False
        return True

    @property
    def single_name(self) -> str | None:
        return next((t.value for t in self.fields if t.path == "metadata.name" and t.equal), None)


ALL = Selection()


def _field(obj: Any, path: str) -> str:
    """The text a field selector compares; absent equals ""."""
    for part in path.split("."):
        obj = obj.get(part) if isinstance(obj, dict) else None
    if obj is None:
        return ""
    if isinstance(obj, bool):
        return "true" if obj else "false"
    return str(obj)


def parse_fields(text: str, resource: Resource) -> list[FieldTest]:
    tests: list[FieldTest] = []
    allowed = ("metadata.name", "metadata.namespace", *resource.traits.selectable)
    for term in filter(None, text.split(",")):
        match = re.match(r"^([^=!]+)(==|!=|=)(.*)$", term)
        if match is None:
            raise bad_request(f"invalid selector: '{text}'; can't understand '{term}'")
        path, operator, value = match.groups()
        if path not in allowed:
            raise _unsupported(path, resource, allowed)
        tests.append(FieldTest(path, value, operator != "!="))
    return tests


def _unsupported(path: str, resource: Resource, allowed: Sequence[str]) -> ApiError:
    if resource.custom:
        return bad_request(f"field label not supported: {path}")
    listed = ", ".join(f'"{name}"' for name in allowed)
    return bad_request(f'"{path}" is not a known field selector: only {listed}')


def parse(labels: str, fields: str, resource: Resource) -> Selection:
    """Both texts of a request; raises 400 for what they may not say."""
    if not labels and not fields:
        return ALL
    return Selection(tuple(_Parser(labels).parse()), tuple(parse_fields(fields, resource)))
