"""`lambent fmt`: YAML files in one form.

Documents are written by `layout`; what comes out must mean the same as what went in, or the document is left alone.
Also left alone are documents with anchors, aliases or tags, which the layout does not know.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

from lambent.workflow.authoring.layout import laid_out
from lambent.workflow.spec import find_files, load_text
from lambent.workflow.spec.documents import SEPARATOR


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a file, or a document in it, was left as it is; an error when the file is not YAML."""

    reason: str
    is_error: bool = False

    def __str__(self) -> str:
        return self.reason


@dataclass(slots=True)
class FormatReport:
    count: int = 0
    changed: list[str] = field(default_factory=list)
    refused: dict[str, Refusal] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Version 1: {version, files, changed, refused}."""
        refused = {file: str(refusal) for file, refusal in self.refused.items()}
        return {"version": 1, "files": self.count, "changed": self.changed, "refused": refused}


def format_files(paths: Sequence[Path], *, write: bool) -> FormatReport:
    """Formats the files of these paths in place, or only says which would change."""
    report = FormatReport()
    for file in find_files(paths):
        report.count += 1
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is not UTF-8 text"
            report.refused[str(file)] = Refusal(reason, is_error=True)
            continue
        formatted, refusal = format_text(text)
        if refusal is not None:
            report.refused[str(file)] = refusal
        if formatted != text:
            report.changed.append(str(file))
            if write:
                file.write_text(formatted, encoding="utf-8")
    return report


def format_text(text: str) -> tuple[str, Refusal | None]:
    """The text in the one form, and why some of it was left alone."""
    parts, refusal = [], None
    _, problems = load_text(text)
    if any(problem.code in ("yaml-syntax", "yaml-duplicate-key") for problem in problems):
        return text, Refusal(f"line {problems[0].line}: {problems[0].message}", is_error=True)
    for head, chunk in _chunks(text):
        body, refused = _formatted(chunk)
        refusal = refusal or refused
        parts.append(f"{head}\n{body}" if head else body)
    return "".join(parts), refusal


def _chunks(text: str) -> Iterator[tuple[str, str]]:
    """The `---` line (empty for a first document without one) and the text of each document."""
    starts = [0, *(match.start() for match in SEPARATOR.finditer(text)), len(text)]
    for begin, end in pairwise(dict.fromkeys(starts)):
        chunk = text[begin:end]
        if not SEPARATOR.match(chunk):
            if chunk.strip():
                yield "", chunk
            continue
        head, _, rest = chunk.partition("\n")
        if rest.strip():
            yield head.rstrip(), rest


def _formatted(chunk: str) -> tuple[str, Refusal | None]:
    plain = chunk.strip("\n") + "\n"
    try:
        events = list(yaml.parse(plain, Loader=yaml.CSafeLoader))
    except yaml.YAMLError:
        return chunk, Refusal("a document is not YAML", is_error=True)
    for event in events:
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) or getattr(event, "tag", None):
            return plain, Refusal("anchors, aliases and tags are kept as they are")
    formatted = laid_out(plain)
    if formatted is None or not _means_the_same(plain, formatted):
        return plain, Refusal("its form is not one that can be changed safely")
    return formatted, None


def _means_the_same(one: str, other: str) -> bool:
    before, after = (load_text(text) for text in (one, other))
    return [d.value for d in before[0]] == [d.value for d in after[0]] and bool(before[1]) == bool(after[1])
