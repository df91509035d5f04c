"""`lambent test --update`: the expectations of failing cases, rewritten in place to what came.

Only the values that differ are replaced, so comments and the form of the rest stay. The kind of an expectation never
changes: a case that expects a return and meets a Retry still fails, because that is a decision and not a value. A file
whose text would not mean the wanted thing afterwards is not written.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from lambent.workflow.engine.comparison import DIRECTIVES
from lambent.workflow.spec import Document, load_text
from lambent.workflow.spec.positions import find
from lambent.workflow.spec.yaml_nodes import Node, key_text, to_value
from lambent.workflow.testing.expectations import mismatches
from lambent.workflow.testing.results import CaseResult
from lambent.workflow.testing.session import Session


class Edit(NamedTuple):
    """Characters `start` to `end` of a document's text become `text`."""

    start: int
    end: int
    text: str


@dataclass(slots=True)
class Updated:
    """`cases` are those rewritten, `left` those that fail for another reason than a value, as `place: why`."""

    files: list[str] = field(default_factory=list)
    cases: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


def update(session: Session) -> Updated:
    """Rewrites the files of the failing cases."""
    report = Updated()
    by_file: dict[str, list[tuple[Document, CaseResult]]] = {}
    for run, case in session.cases():
        if case.status == "failed" and case.actual and run.document.node is not None:
            by_file.setdefault(run.document.file, []).append((run.document, case))
        elif case.status == "failed":
            report.left.append(f"{case.place}: {case.reason}")
    for file, failing in by_file.items():
        _update_file(Path(file), failing, report)
    return report


def _update_file(file: Path, failing: list[tuple[Document, CaseResult]], report: Updated) -> None:
    text = file.read_text(encoding="utf-8")
    edits: list[Edit] = []
    for document, case in failing:
        found = list(_case_edits(document, case))
        if not found:
            report.left.append(f"{case.place}: {case.reason}")
            continue
        shift = _offset(text, document.first_line)
        edits += [Edit(edit.start + shift, edit.end + shift, edit.text) for edit in found]
        report.cases.append(f"{case.place}: {case.label}")
    written = applied(text, edits)
    if written != text and not load_text(written)[1]:
        file.write_text(written, encoding="utf-8")
        report.files.append(str(file))


def _offset(text: str, line: int) -> int:
    return sum(len(each) for each in text.splitlines(keepends=True)[: line - 1])


def applied(text: str, edits: Iterable[Edit]) -> str:
    """The text after edits that do not overlap."""
    for edit in sorted(set(edits), reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


def _case_edits(document: Document, case: CaseResult) -> Iterator[Edit]:
    """Of each expectation that stands in the document and can be met."""
    if document.node is None:
        return
    for name, actual in case.actual.items():
        path = (*case.path, name)
        node, key = find(document.node, path, document.text)
        if key is not None and key_text(key, document.text) == name:
            yield from edits_of(node, key, actual, document.text)


def edits_of(node: Node, key: Node | None, actual: Any, text: str, *, in_flow: bool = False) -> Iterator[Edit]:
    """What must change so that a node means `actual`; `key` is its key, None for an item of a list.

    `in_flow` says that the node stands inside braces or brackets, where nothing can be laid out as a block.
    """
    if not any(mismatches(to_value(node, text, []), actual)):
        return
    is_block = _is_block(node, text)
    if node.kind == "map" and isinstance(actual, Mapping):
        names = [key_text(each, text) for each in node.keys]
        if is_block and any(name in actual for name in names):
            yield from _map_edits(node, names, actual, text)
            return
        if names and set(names) == set(actual):
            for name, inner, item in zip(names, node.keys, node.items, strict=True):
                yield from edits_of(item, inner, actual[name], text, in_flow=True)
            return
    if node.kind == "list" and isinstance(actual, list) and actual and len(actual) == len(node.items):
        for item, value in zip(node.items, actual, strict=True):
            yield from edits_of(item, None, value, text, in_flow=in_flow or not is_block)
        return
    yield _replaced(node, None if in_flow else key, actual, text)


def _map_edits(node: Node, names: list[str], actual: Mapping[str, Any], text: str) -> Iterator[Edit]:
    last = node.keys[-1]
    for name, key, item in zip(names, node.keys, node.items, strict=True):
        if name in actual:
            yield from edits_of(item, key, actual[name], text)
            last = key
        elif name not in DIRECTIVES:
            yield _removed(key, item, node, text)
    missing = {name: value for name, value in actual.items() if name not in names}
    if missing:
        index = node.keys.index(last)
        end = _line_end(text, _content_end(node.items[index], text) or node.keys[index].end.index)
        yield Edit(end, end, "\n" + _block_text(missing, node.start.column))


def _removed(key: Node, item: Node, node: Node, text: str) -> Edit:
    """The lines of an entry; the first entry of a list item keeps the dash before it."""
    end = _line_end(text, max(_content_end(item, text), key.end.index))
    if key is node.keys[0]:
        follower = node.keys[1].start.index if len(node.keys) > 1 else end
        return Edit(key.start.index, follower, "")
    return Edit(text.rfind("\n", 0, key.start.index), end, "")


def _replaced(node: Node, key: Node | None, actual: Any, text: str) -> Edit:
    end = _content_end(node, text)
    if isinstance(actual, Mapping | list) and actual and key is not None:
        start = text.index(":", key.end.index) + 1
        return Edit(start, max(end, start), "\n" + _block_text(actual, key.start.column + 2))
    if key is not None and not _is_inline(node, text):
        start = text.index(":", key.end.index) + 1
        return Edit(start, max(end, start), " " + _flow_text(actual))
    return Edit(node.start.index, end, _flow_text(actual))


def _is_block(node: Node, text: str) -> bool:
    return node.kind != "scalar" and bool(node.items) and text[node.start.index] not in "{["


def _is_inline(node: Node, text: str) -> bool:
    """Something stands there, behind its key on the same line."""
    return not _is_block(node, text) and node.end.index > node.start.index


def _content_end(node: Node, text: str) -> int:
    """Where the text of a node ends, without the line ends, comments and empty lines after it."""
    if _is_block(node, text):
        return _content_end(node.items[-1], text) or node.keys[-1].end.index
    end = node.end.index
    while end > node.start.index and text[end - 1].isspace():
        end -= 1
    return end


def _line_end(text: str, index: int) -> int:
    found = text.find("\n", index)
    return found if found >= 0 else len(text)


def _block_text(value: Any, column: int) -> str:
    dumped = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=10_000)
    return "\n".join(" " * column + line if line else line for line in dumped.removesuffix("\n").split("\n"))


def _flow_text(value: Any) -> str:
    """On one line, in a form that means the same inside and outside of brackets."""
    dumped: str = yaml.safe_dump([value], default_flow_style=True, sort_keys=False, allow_unicode=True, width=10_000)
    return dumped.removesuffix("\n")[1:-1]
