"""Expressions inside documents: which strings are one, what they may name, and where they stand when they fail.

A string that begins with `=` is an expression; only the text after the signs is parsed. Everything else passes through
as the value it is. A `Template` is a JSON-like value with expressions in it, compiled once: its constant parts are
shared between evaluations and never written to.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from lambent import cel
from lambent.workflow.spec import Diagnostic, Document, FieldPath, Span, nearest

Bindings = Mapping[str, Any]
PROFILE_ANNOTATION = "lambent.dev/cel-profile"
_MAX_MESSAGE = 500
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Failed(Exception):
    """An expression failed while it ran; the message names types and paths, never values.

    It leaves this package only as an outcome.
    """

    def __init__(self, message: str, location: str) -> None:
        super().__init__(message)
        self.message, self.location = message, location


def is_expression(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("=")


@dataclass(slots=True, eq=False)
class Expression:
    """One compiled expression and its place."""

    program: cel.Program
    document: Document
    path: FieldPath
    evaluate_program: Callable[[Bindings], Any] = field(repr=False)

    def evaluate(self, bindings: Bindings) -> Any:
        """The value. Raises `Failed`."""
        try:
            return self.evaluate_program(bindings)
        except cel.CelError as error:
            raise Failed(_clip(error.message), place_of(self.document, self.path, error)) from None

    def members_of(self, root: str) -> set[str]:
        """First members under a bound name that are read; `*` stands for any of them."""
        return {path[1] if len(path) > 1 else cel.WILDCARD for path in self.program.references if path[0] == root}

    def must_have(self, root: str) -> set[str]:
        """First members under a bound name without which the expression fails."""
        return _seconds(self.program.references - self.program.guarded, root)

    def tested(self, root: str) -> set[str]:
        """First members under a bound name whose presence the expression tests for."""
        return _seconds(self.program.guarded, root)


@dataclass(slots=True, eq=False)
class Constant:
    """A value without expressions."""

    value: Any

    def evaluate(self, bindings: Bindings) -> Any:
        return self.value


@dataclass(slots=True, eq=False)
class MapTemplate:
    """A map with at least one expression somewhere below."""

    items: tuple[tuple[str, "Template"], ...]

    def evaluate(self, bindings: Bindings) -> Any:
        return {key: item.evaluate(bindings) for key, item in self.items}


@dataclass(slots=True, eq=False)
class ListTemplate:
    """A list with at least one expression somewhere below."""

    items: tuple["Template", ...]

    def evaluate(self, bindings: Bindings) -> Any:
        return [item.evaluate(bindings) for item in self.items]


Template = Expression | Constant | MapTemplate | ListTemplate


@dataclass(slots=True, eq=False)
class Overlay:
    """Leaves to be set on a copy of a base object; maps between them are walked, everything else replaces."""

    items: tuple[tuple[str, "Overlay | Template"], ...]

    def apply(self, base: Any, bindings: Bindings) -> dict[str, Any]:
        """The base with the leaves set; only maps on written paths are copied."""
        result: dict[str, Any] = dict(base) if isinstance(base, dict) else {}
        for key, item in self.items:
            if isinstance(item, Overlay):
                result[key] = item.apply(result.get(key), bindings)
            else:
                result[key] = item.evaluate(bindings)
        return result


def _seconds(paths: Iterable[tuple[str, ...]], root: str) -> set[str]:
    return {path[1] for path in paths if path[0] == root and len(path) > 1 and path[1] != cel.WILDCARD}


def place_of(document: Document, path: FieldPath, error: cel.CelError) -> str:
    """Where an expression failed; in an object without a file, line and column are those inside the expression."""
    return document.place(path, document.span_in(path, line=error.line or 1, col=error.col or 1))


def field_place(document: Document, path: FieldPath) -> str:
    """Where a field stands, for outcomes that no expression error caused."""
    return document.place(path, document.span(path))


def _clip(message: str) -> str:
    return message if len(message) <= _MAX_MESSAGE else message[: _MAX_MESSAGE - 3] + "..."


def _word_at(source: str, error: cel.CelError) -> int:
    """How many characters of an expression the name at the place of an error has; 1 when there is none."""
    lines = source.split("\n")
    rest = lines[error.line - 1][error.col - 1 :] if 0 < error.line <= len(lines) else ""
    name = _NAME.match(rest)
    return name.end() if name is not None else 1


def koreo_reads_a_number(text: str) -> bool:
    """Whether Koreo, which pastes literal text into source when it reads as a number, changes its type (or fails)."""
    try:
        float(text)
    except ValueError:
        return False
    return True


class Compiler:
    """Compiles the expressions of one document and collects what is wrong with them; it never raises."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.diagnostics: list[Diagnostic] = []
        # Values of a test are data of the test; numbers in quotes are what tests of identifiers consist of.
        self._is_for_clusters = document.identity.kind not in ("FunctionTest", "WorkflowTest")
        meta = document.value.get("metadata")
        annotations = (meta.get("annotations") if isinstance(meta, dict) else None) or {}
        profile = annotations.get(PROFILE_ANNOTATION) if isinstance(annotations, dict) else None
        self._profile: cel.Profile = "strict" if profile == "strict" else "koreo"

    def expression(self, text: str, path: FieldPath, names: Collection[str]) -> Template:
        """A string field: an expression when it begins with `=`, else the text itself."""
        if not text.startswith("="):
            if self._is_for_clusters and koreo_reads_a_number(text):
                message = "this text stays text; Koreo takes it for a number"
                self._warn("koreo-numeric-string", message, path)
            return Constant(text)
        source = text.lstrip("=")
        try:
            program = cel.compile(source, names=tuple(names), profile=self._profile)
        except cel.CelError as error:
            self._refuse(error, source, path, names)
            return Constant(None)
        for lint in program.lints:
            span = self.document.span_in(path, line=lint.line, col=lint.col)
            self._warn(f"cel-{lint.code}", lint.message, path, span)
        return Expression(program, self.document, path, program.evaluate)

    def template(self, value: Any, path: FieldPath, names: Collection[str]) -> Template:
        """Any JSON-like value."""
        if isinstance(value, str):
            return self.expression(value, path, names)
        if isinstance(value, dict):
            items = tuple((key, self.template(item, (*path, key), names)) for key, item in value.items())
            is_constant = all(isinstance(item, Constant) for _, item in items)
            return Constant(value) if is_constant else MapTemplate(items)
        if isinstance(value, list):
            parts = tuple(self.template(item, (*path, index), names) for index, item in enumerate(value))
            return Constant(value) if all(isinstance(part, Constant) for part in parts) else ListTemplate(parts)
        return Constant(value)

    def overlay(self, value: Mapping[str, Any], path: FieldPath, names: Collection[str]) -> Overlay:
        """A map whose leaves replace those of a base object."""
        items: list[tuple[str, Overlay | Template]] = []
        for key, item in value.items():
            below = (*path, key)
            if isinstance(item, dict) and item:
                items.append((key, self.overlay(item, below, names)))
            else:
                items.append((key, self.template(item, below, names)))
        return Overlay(tuple(items))

    def _warn(self, code: str, message: str, path: FieldPath, span: Span | None = None) -> None:
        found = self.document.diagnose(code, _clip(message), path, severity="warning", span=span)
        self.diagnostics.append(found)

    def _refuse(self, error: cel.CelError, source: str, path: FieldPath, names: Collection[str]) -> None:
        message, _, meant = error.message.partition("; did you mean ")
        hint, width = (f"did you mean {meant}" if meant else ""), _word_at(source, error)
        if error.code == "undeclared" and error.names:
            message, width = f'unknown name "{error.names[0]}"', len(error.names[0])
            hint = nearest(error.names[0], names)
        span = self.document.span_in(path, line=error.line or 1, col=error.col or 1, width=width)
        self.diagnostics.append(self.document.diagnose(f"cel-{error.code}", _clip(message), path, span=span, hint=hint))


def expressions_in(template: Template | Overlay) -> Iterator[Expression]:
    """Every expression of a compiled value."""
    if isinstance(template, Expression):
        yield template
    elif isinstance(template, ListTemplate):
        for part in template.items:
            yield from expressions_in(part)
    elif isinstance(template, MapTemplate | Overlay):
        for _, item in template.items:
            yield from expressions_in(item)
