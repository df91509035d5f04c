"""Label and field selectors. Source: Kubernetes docs, "Labels and Selectors" and "Field Selectors"."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lambent.kubeserver.resources import Resource
from lambent.kubeserver.status import ApiError, bad_request
from lambent.kubeserver.storage.records import Record
from lambent.kubeserver.validation import errors, names

Labels = Mapping[str, str]
_Test = Callable[[Labels], bool]
_TOKEN = re.compile(r"\s*(==|!=|[=,()!<>]|[^\s=,()!<>]+)")
_SIGNS = frozenset(("==", "!=", "=", ",", "(", ")", "!", "<", ">"))
_OPERATORS = "in, notin, =, ==, !=, gt, lt"
_LARGEST = 1 << 63


class _Parser:
    """One pass over the tokens of a label selector; refusals in the words of kube-apiserver's parser."""

    def __init__(self, text: str) -> None:
        self._tokens = _TOKEN.findall(text)
        self._at = 0

    def parse(self) -> list[_Test]:
        tests: list[_Test] = []
        while token := self._peek():
            if token in _SIGNS and token != "!":
                raise _unexpected(token, "!, identifier, or 'end of string'")
            try:
                tests.append(self._requirement())
            except _Unparsable as error:
                raise bad_request(f"unable to parse requirement: {error}") from None
            token = self._next()
            if token not in ("", ","):
                raise _unexpected(token, "',' or 'end of string'")
            after = self._peek()
            if token and (not after or (after in _SIGNS and after != "!")):
                raise _unexpected(after, "identifier after ','")
        return tests

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _next(self) -> str:
        token = self._peek()
        self._at += 1
        return token

    def _requirement(self) -> _Test:
        is_absent = self._peek() == "!"
        if is_absent:
            self._next()
        key = self._next()
        if not key or key in _SIGNS:
            raise _Unparsable(f"found '{key}', expected: identifier")
        if wrong := names.qualified(key):
            raise _Unparsable(f"<nil>: Invalid value: {errors.show(key)}: {'; '.join(wrong)}")
        if is_absent:
            return lambda labels: key not in labels
        if self._peek() in ("", ","):
            return lambda labels: key in labels
        return self._comparison(key, self._next())

    def _comparison(self, key: str, operator: str) -> _Test:
        match operator:
            case "=" | "==":
                value = self._value(key)
                return lambda labels: labels.get(key) == value
            case "!=":
                value = self._value(key)
                return lambda labels: labels.get(key) != value
            case "in" | "notin":
                values = self._set(key)
                if operator == "in":
                    return lambda labels: labels.get(key) in values
                return lambda labels: labels.get(key) not in values
            case "<" | ">":
                return self._order(key, operator)
        raise _Unparsable(f"found '{operator}', expected: {_OPERATORS}")

    def _exact(self) -> str:
        if self._peek() in ("", ","):
            return ""
        token = self._next()
        if token in _SIGNS:
            raise _Unparsable(f"found '{token}', expected: identifier")
        return token

    def _value(self, key: str) -> str:
        value = self._exact()
        _check_values(key, [value])
        return value

    def _set(self, key: str) -> frozenset[str]:
        if (opening := self._next()) != "(":
            raise _Unparsable(f"found '{opening}' expected: '('")
        values = self._listed()
        _check_values(key, sorted(values))
        return frozenset(values)

    def _listed(self) -> set[str]:
        """What stands between the brackets; nothing between two commas is the empty value."""
        values: set[str] = set()
        if self._peek() == ")":
            self._next()
            return {""}
        if not self._peek() or (self._peek() in _SIGNS and self._peek() != ","):
            raise _Unparsable(f"found '{self._peek()}', expected: ',', ')' or identifier")
        was_comma = True
        while (token := self._next()) != ")":
            if token == ",":
                values |= {""} if was_comma else set()
            elif not token or token in _SIGNS:
                raise _Unparsable(f"found '{token}', expected: {_LISTED if was_comma else _ENDED}")
            elif not was_comma:
                raise _Unparsable(f"found '{token}', expected: {_ENDED}")
            else:
                values.add(token)
            was_comma = token == ","
        return values | ({""} if was_comma else set())

    def _order(self, key: str, operator: str) -> _Test:
        text = self._exact()
        wrong = _wrong_values(key, [text])
        limit = _whole_number(text)
        if limit is None:
            why = "for 'Gt', 'Lt' operators, the value must be an integer"
            wrong.insert(0, f"values[0]: Invalid value: {errors.show(text)}: {why}")
        _refuse(wrong)

        def test(labels: Labels) -> bool:
            value = _whole_number(labels.get(key, ""))
            if value is None or limit is None:
                return False
            return value > limit if operator == ">" else value < limit

        return test


def _whole_number(text: str) -> int | None:
    """As Go reads an int64; Python would take `1_0` too."""
    if not re.fullmatch(r"[+-]?\d{1,64}", text, re.ASCII):
        return None
    return number if -_LARGEST <= (number := int(text)) < _LARGEST else None


_LISTED, _ENDED = "',', or identifier", "',' or ')'"


class _Unparsable(ValueError):
    """A requirement that makes no sense; the message says why."""


def _unexpected(found: str, expected: str) -> ApiError:
    return bad_request(f"found '{found}', expected: {expected}")


def _check_values(key: str, values: Sequence[str]) -> None:
    _refuse(_wrong_values(key, values))


def _wrong_values(key: str, values: Sequence[str]) -> list[str]:
    return [
        f"values[{index}][{key}]: Invalid value: {errors.show(value)}: {'; '.join(found)}"
        for index, value in enumerate(values)
        if (found := names.label_value(value))
    ]


def _refuse(wrong: Sequence[str]) -> None:
    if wrong:
        raise _Unparsable(wrong[0] if len(wrong) == 1 else f"[{', '.join(wrong)}]")


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


ALL = Selection()


_HELD_AT = {
    "status.successful": "status.succeeded",
    "source": "source.component",
    "reportingController": "reportingComponent",
    **{
        f"regarding.{name}": f"involvedObject.{name}"
        for name in ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
    },
}
"""Field labels that are no paths, and where their values stand."""
_ABSENT = {"spec.hostNetwork": "false", "status.successful": "0"}


def _field(obj: Any, path: str) -> str:
    """The text a field selector compares; an absent field has its zero value."""
    for part in _HELD_AT.get(path, path).split("."):
        obj = obj.get(part) if isinstance(obj, dict) else None
    if obj is None or isinstance(obj, (dict, list)):
        return _ABSENT.get(path, "")
    if isinstance(obj, bool):
        return "true" if obj else "false"
    return str(obj)


def parse_fields(text: str, resource: Resource) -> list[FieldTest]:
    """Terms in the order of their text, as kube-apiserver judges them."""
    parts = [_part(term, text) for term in sorted(_TERMS.findall(text)) if term]
    allowed = {"metadata.name", *resource.traits.selectable}
    if resource.namespaced or not (resource.custom or resource.kind == "Namespace"):
        allowed.add("metadata.namespace")
    for path, _, _ in parts:
        if path not in allowed:
            raise _unsupported(path, resource)
    return [FieldTest(path, value, operator != "!=") for path, operator, value in parts]


_TERMS = re.compile(r"(?:\\.|[^,\\]|\\$)+", re.DOTALL)
_OPERATOR = re.compile("!=|==|=")


def _part(term: str, text: str) -> tuple[str, str, str]:
    """Path, operator and the value without its escapes."""
    found = _OPERATOR.search(term)
    if found is None:
        raise bad_request(f"invalid selector: '{text}'; can't understand '{term}'")
    return term[: found.start()], found[0], _unescaped(term[found.end() :])


def _unescaped(value: str) -> str:
    out, signs = [], iter(value)
    for sign in signs:
        if sign in ",=":
            raise bad_request(f"invalid field selector: unescaped character in value: {ord(sign)}")
        if sign == "\\":
            sign = next(signs, "")
            if sign not in ("\\", ",", "="):
                raise bad_request(f"invalid field selector: invalid escape sequence: \\{sign}")
        out.append(sign)
    return "".join(out)


_OWN_FIELDS = frozenset(("Pod", "Event", "Namespace", "Secret", "Service"))
"""Kinds with field labels of their own."""


def _unsupported(path: str, resource: Resource) -> ApiError:
    if resource.custom or resource.kind in _OWN_FIELDS:
        return bad_request(f"field label not supported: {path}")
    if resource.kind == "Job":
        return bad_request(f'field label "{path}" not supported for Job')
    text = f'{errors.show(path)} is not a known field selector: only "metadata.name", "metadata.namespace"'
    return bad_request(text)


def parse(labels: str, fields: str, resource: Resource) -> Selection:
    """Both texts of a request; raises 400 for what they may not say."""
    if not labels and not fields:
        return ALL
    return Selection(tuple(_Parser(labels).parse()), tuple(parse_fields(fields, resource)))
