"""From words on a command line to a document: KIND/NAME, KIND/NAMESPACE/NAME, or a workflow's name alone."""

import gc
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lambent.errors import LambentError, UsageError
from lambent.workflow.engine import (
    Catalog,
    Prepared,
    PreparedTemplate,
    ResourceFunction,
    Unready,
    ValueFunction,
    Workflow,
    check_one,
)
from lambent.workflow.spec import (
    Diagnostic,
    Document,
    Identity,
    has_errors,
    in_order,
    load_paths,
    load_text,
    nearest,
    path_text,
)
from lambent.workflow.spec.workflow_test_rules import object_problems
from lambent.workflow.testing import Loaded, prepare


class InvalidDocument(LambentError):
    """A document that a command needs has errors; the text is its diagnostics."""

    reason = "InvalidInput"


def invalid(identity: Identity, diagnostics: Iterable[Diagnostic]) -> InvalidDocument:
    """The error that tells what is wrong with a document."""
    errors = [diagnostic.render() for diagnostic in in_order(diagnostics) if diagnostic.is_error]
    return InvalidDocument("\n".join([f"{identity} is not valid", *errors]))


def load_existing(paths: Sequence[Path]) -> Loaded:
    """`load`, for paths that must exist; `-` is standard input. Raises `UsageError`."""
    with _collector_paused():
        return prepare(*_read(paths))


def _read(paths: Sequence[Path], what: str = "") -> tuple[list[Document], list[Diagnostic]]:
    """`load_paths`, with `-` as standard input; `what` names the option in a `UsageError`."""
    documents: list[Document] = []
    diagnostics: list[Diagnostic] = []
    for path in paths:
        if str(path) == "-":
            found = load_text(sys.stdin.read(), "<stdin>")
        elif path.exists():
            found = load_paths([path])
        else:
            raise UsageError(f"{what} {path}: no such file or folder".lstrip())
        documents += found[0]
        diagnostics += found[1]
    return documents, diagnostics


@contextmanager
def _collector_paused() -> Iterator[None]:
    """What loading makes stays; the collector would walk all of it again and again, for half of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def require_complete(workflow: Workflow, catalog: Catalog) -> None:
    """Refuses a workflow that names what is not there, or runs in a circle. Raises `InvalidDocument`."""
    found = check_one(workflow, catalog)
    if has_errors(found):
        raise invalid(workflow.identity, found)


def workflow_of(catalog: Catalog, words: str) -> Workflow:
    """A workflow by name, NAMESPACE/NAME or Workflow/NAMESPACE/NAME. Raises `UsageError`, `InvalidDocument`."""
    found = _find(catalog, words if words.startswith("Workflow/") else f"Workflow/{words}")
    if not isinstance(found, Workflow):
        raise UsageError(f"{words} is not a workflow")
    return found


def function_of(catalog: Catalog, words: str) -> ResourceFunction | ValueFunction:
    """A function by KIND/NAME or KIND/NAMESPACE/NAME. Raises `UsageError`, `InvalidDocument`."""
    found = _find(catalog, words)
    if isinstance(found, Workflow | PreparedTemplate):
        hint = "; `lambent plan` runs workflows" if isinstance(found, Workflow) else ""
        raise UsageError(f"{words} is not a function{hint}")
    return found


def _find(catalog: Catalog, words: str) -> Workflow | ResourceFunction | ValueFunction | PreparedTemplate:
    kind, _, rest = words.partition("/")
    namespace, _, name = rest.rpartition("/")
    if not name:
        raise UsageError(f"{words!r} does not name a document; write KIND/NAME or KIND/NAMESPACE/NAME")
    same_kind = [prepared for prepared in catalog.all() if prepared.identity.kind.lower() == kind.lower()]
    found = [p for p in same_kind if p.identity.name == name and namespace in ("", p.identity.namespace)]
    if not found:
        raise UsageError(f"{words}: no such document{_hint(catalog.all(), same_kind, kind=kind, name=name)}")
    if len(found) > 1:
        places = ", ".join(sorted(str(prepared.identity) for prepared in found))
        raise UsageError(f"{words} means several documents: {places}")
    if isinstance(found[0], Unready):
        raise invalid(found[0].identity, found[0].diagnostics)
    return found[0]


def _hint(everything: Iterable[Prepared], same_kind: list[Prepared], *, kind: str, name: str) -> str:
    near = nearest(name, [prepared.identity.name for prepared in same_kind])
    if near:
        return f"; {near}"
    if same_kind:
        return f"; there are {', '.join(sorted({p.identity.name for p in same_kind})[:8])}"
    kinds = sorted({prepared.identity.kind for prepared in everything})
    near = nearest(kind, kinds)
    held = ", ".join(kinds) or "no functions or workflows"
    return f"; {near}" if near else f"; the files hold {held} (-f names other files)"


def read_object(file: Path, what: str, *, is_whole: bool = True) -> dict[str, Any]:
    """The one object of a YAML or JSON file, or of standard input (`-`).

    `is_whole` asks for what every object of a cluster has: apiVersion, kind and a name. Raises `UsageError`, which
    names the option by `what`.
    """
    found = read_objects([file], what)
    if len(found) != 1:
        raise UsageError(f"{what} {file}: one object is needed, there are {len(found)}")
    obj = found[0].value
    for path, message in object_problems(obj) if is_whole else ():
        raise UsageError(f"{what} {file} is not an object of a cluster: {path_text(path)} {message}")
    return obj


def read_objects(paths: Sequence[Path], what: str) -> list[Document]:
    """Every object of files and folders. Raises `UsageError`."""
    documents, diagnostics = _read(paths, what)
    if diagnostics:
        first = diagnostics[0]
        if first.code == "yaml-not-an-object":
            raise UsageError(f"{what} {first.place}: a map is needed, like `name: value`")
        raise UsageError(f"{what} {first.render()}")
    return documents
