"""From words on a command line to a document: KIND/NAME, KIND/NAMESPACE/NAME, or a workflow's name alone."""

import gc
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
)
from lambent.workflow.spec import Document, load_paths, nearest
from lambent.workflow.testing import Loaded, load


class InvalidDocument(LambentError):
    """A document that a command needs has errors; the text is its diagnostics."""

    reason = "InvalidInput"


def load_existing(paths: Sequence[Path]) -> Loaded:
    """`load`, for paths that must exist. Raises `UsageError`."""
    for path in paths:
        if not path.exists():
            raise UsageError(f"{path}: no such file or folder")
    with _collector_paused():
        return load(paths)


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
        raise InvalidDocument("\n" + "\n".join(d.render() for d in found[0].diagnostics if d.is_error))
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


def read_object(file: Path, what: str) -> dict[str, Any]:
    """The one object of a YAML or JSON file. Raises `UsageError`, which names the option by `what`."""
    found = read_objects([file], what)
    if len(found) != 1:
        raise UsageError(f"{what} {file}: one object is needed, the file holds {len(found)}")
    return found[0].value


def read_objects(paths: Sequence[Path], what: str) -> list[Document]:
    """Every object of files and folders. Raises `UsageError`."""
    for path in paths:
        if not path.exists():
            raise UsageError(f"{what} {path}: no such file or folder")
    documents, diagnostics = load_paths(paths)
    if diagnostics:
        raise UsageError(f"{what}: {diagnostics[0].render()}")
    return documents
