"""Documents: what a file or a cluster gives, with a way back to the place of each field.

`load_text` and `load_paths` never raise for a bad document: it becomes diagnostics, and its neighbours load. Files are
cut at `---` lines before parsing, so that a syntax error costs one document and not the rest of the file.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from lambent.workflow.spec.diagnostics import Diagnostic, Severity, Span
from lambent.workflow.spec.positions import FieldPath, find, offset_of, path_text, span_of, span_within
from lambent.workflow.spec.yaml_nodes import Duplicate, Node, YamlProblem, to_value

if TYPE_CHECKING:
    from pathlib import Path

SUFFIXES = (".yaml", ".yml", ".k", ".koreo")
SOURCE_ANNOTATION = "lambent.dev/source"
SEPARATOR = re.compile(r"^---(?=\s|$)", re.MULTILINE)


class Identity(NamedTuple):
    """What makes a document one and the same: kind, namespace (may be empty), name."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return "/".join(part for part in self if part)


@dataclass(slots=True)
class Document:
    """One object. `value` is the whole object; `node` and `text` are absent for objects read from a cluster."""

    value: dict[str, Any]
    file: str = ""
    text: str = ""
    node: Node | None = None
    first_line: int = 1
    _identity: Identity | None = field(default=None, repr=False)

    @property
    def identity(self) -> Identity:
        if self._identity is None:
            meta = self.value.get("metadata")
            meta = meta if isinstance(meta, Mapping) else {}
            parts = (self.value.get("kind"), meta.get("namespace"), meta.get("name"))
            self._identity = Identity(*(part if isinstance(part, str) else "" for part in parts))
        return self._identity

    @property
    def spec(self) -> dict[str, Any]:
        spec = self.value.get("spec")
        return spec if isinstance(spec, dict) else {}

    def span(self, path: FieldPath, *, at_key: bool = False) -> Span:
        """The place of a field (or the nearest parent that exists) in the file; zeros when no file is known."""
        if self.node is None:
            return Span(0, 0, 0, 0)
        node, key = find(self.node, path, self.text)
        return self._in_file(span_of(key if at_key and key is not None else node))

    def span_in(self, path: FieldPath, *, line: int, col: int, width: int = 1) -> Span:
        """The place of an expression's line and column (from 1, counted after the leading `=`) in the file."""
        if self.node is None:
            return Span(line, col, line, col + width)
        node, _ = find(self.node, path, self.text)
        if node.kind != "scalar" or not isinstance(node.value, str):
            return self._in_file(span_of(node))
        skipped = len(node.value) - len(node.value.lstrip("="))
        offset = skipped + offset_of(node.value[skipped:], line, col)
        return self._in_file(span_within(node, self.text, offset=offset, width=width))

    def _in_file(self, span: Span) -> Span:
        shift = self.first_line - 1
        return Span(span.line + shift, span.col, span.end_line + shift, span.end_col)

    def excerpt(self, line: int) -> str:
        lines = self.text.splitlines() if self.node is not None else []
        index = line - self.first_line
        return lines[index] if 0 <= index < len(lines) else ""

    @property
    def source(self) -> str:
        """Where an object read from a cluster came from, by its annotation; empty when it does not say."""
        meta = self.value.get("metadata")
        annotations = meta.get("annotations") if isinstance(meta, Mapping) else None
        source = annotations.get(SOURCE_ANNOTATION) if isinstance(annotations, Mapping) else None
        return source if isinstance(source, str) and self.node is None else ""

    def place(self, path: FieldPath, span: Span) -> str:
        """`file:line:col`; without a file `Kind/namespace/name:path:line:col`, after the source when that is known."""
        if self.file and self.node is not None:
            return f"{self.file}:{span.line}:{span.col}"
        position = f"{span.line}:{span.col}" if span.line else ""
        return ":".join(part for part in (self.source, str(self.identity), path_text(path), position) if part)

    def diagnose(
        self,
        code: str,
        message: str,
        path: FieldPath = (),
        *,
        severity: Severity = "error",
        hint: str = "",
        at_key: bool = False,
        span: Span | None = None,
    ) -> Diagnostic:
        """A diagnostic at a field of this document."""
        place = span or self.span(path, at_key=at_key)
        return Diagnostic(
            severity,
            code,
            message,
            file=self.file if self.node is not None else "",
            line=place.line,
            col=place.col,
            end_line=place.end_line,
            end_col=place.end_col,
            object=str(self.identity),
            path=path_text(path),
            hint=hint,
            excerpt=self.excerpt(place.line),
            source=self.source,
            keys=tuple(path),
        )


def _chunks(text: str) -> Iterator[tuple[int, str]]:
    """First line (from 1) and text of each document; a `---` line belongs to the document after it."""
    starts = [0, *(match.start() for match in SEPARATOR.finditer(text)), len(text)]
    for begin, end in pairwise(starts):
        if text[begin:end].strip():
            yield text.count("\n", 0, begin) + 1, text[begin:end]


def _repeated(document: Document, duplicate: Duplicate) -> Diagnostic:
    shift = document.first_line
    mark = duplicate.second
    span = Span(mark.line + shift, mark.column + 1, mark.line + shift, mark.column + 1 + len(duplicate.key))
    message = f'key "{duplicate.key}" stands twice, first in line {duplicate.first.line + shift}'
    return document.diagnose("yaml-duplicate-key", message, span=span)


def _load_chunk(text: str, file: str, first_line: int) -> Iterator[Document | Diagnostic]:
    # A controller never reads text; it need not pay for the parser.
    from lambent.workflow.spec.yaml_events import parse_nodes

    try:
        nodes = list(parse_nodes(text))
    except YamlProblem as problem:
        line, col = problem.line + first_line, problem.column + 1
        excerpt = (text.splitlines()[problem.line : problem.line + 1] or [""])[0]
        place = (file, line, col, line, col + 1)
        yield Diagnostic("error", "yaml-syntax", problem.message, *place, hint=problem.hint, excerpt=excerpt.rstrip())
        return
    for node in nodes:
        duplicates: list[Duplicate] = []
        value = to_value(node, text, duplicates)
        if value is None:
            continue
        document = Document(value if isinstance(value, dict) else {}, file, text, node, first_line)
        if not isinstance(value, dict):
            yield document.diagnose("yaml-not-an-object", "a document must be an object with apiVersion and kind")
            continue
        yield from (_repeated(document, duplicate) for duplicate in duplicates)
        yield document


def load_text(text: str, file: str = "") -> tuple[list[Document], list[Diagnostic]]:
    """The documents of one text, and what could not be read."""
    documents: list[Document] = []
    diagnostics: list[Diagnostic] = []
    for first_line, chunk in _chunks(text.removeprefix("\ufeff")):
        for loaded in _load_chunk(chunk, file, first_line):
            if isinstance(loaded, Document):
                documents.append(loaded)
            else:
                diagnostics.append(loaded)
    return documents, diagnostics


def find_files(paths: "Iterable[Path]") -> "list[Path]":
    """The files to read: those named, and those of named folders with one of the suffixes, sorted;
    hidden folders are left out."""
    found: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            found.update(
                dict.fromkeys(sorted(p for p in path.rglob("*") if p.suffix in SUFFIXES and _is_read(p, path)))
            )
        else:
            found[path] = None
    return list(found)


def _is_read(file: "Path", folder: "Path") -> bool:
    """Not what lies in a hidden folder: a virtual environment or a state directory holds YAML of others."""
    return file.is_file() and not any(part.startswith(".") for part in file.relative_to(folder).parts[:-1])


def load_paths(paths: "Iterable[Path]") -> tuple[list[Document], list[Diagnostic]]:
    """The documents of files and folders. A file that cannot be read is a diagnostic."""
    documents: list[Document] = []
    diagnostics: list[Diagnostic] = []
    for path in find_files(paths):
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else "not UTF-8 text"
            diagnostics.append(Diagnostic("error", "file-unreadable", reason, str(path), 1, 1, 1, 1))
            continue
        loaded, problems = load_text(text, str(path))
        documents += loaded
        diagnostics += problems
    return documents, diagnostics
