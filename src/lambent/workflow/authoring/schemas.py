"""Resources in documents against CRD schemas: `lambent validate --crds DIR`.

Checked are objects of these kinds in the files, what FunctionTests expect to be written (that is what a function
renders), and the static part of functions and templates; in the latter two, fields that expressions fill are left
open, so nothing there counts as missing.
"""

import copy
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from lambent.errors import UsageError
from lambent.kube.schema import Schema, compile_schema
from lambent.workflow.engine.expressions import is_expression
from lambent.workflow.engine.patches import without_directives
from lambent.workflow.spec import Diagnostic, Document, FieldPath, load_paths, nearest
from lambent.workflow.testing import Loaded

Schemas = Mapping[tuple[str, str], Schema]
_SEGMENT = re.compile(r"\.?([^.\[\]]+)|\[(\d+)\]|\[\"?([^\]\"]+)\"?\]")
_OPEN: Any = object()
# A CRD need not describe these; the API server knows them.
_ENVELOPE = {
    "apiVersion": {"type": "string"},
    "kind": {"type": "string"},
    "metadata": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
}


class _Part(NamedTuple):
    """An object, or a part of one, that stands at `path` of a document."""

    value: Any
    api_version: str
    kind: str
    path: FieldPath
    is_whole: bool


def schema_diagnostics(loaded: Loaded, folder: Path) -> list[Diagnostic]:
    """Raises `UsageError` when the folder has no CRDs."""
    schemas = read_schemas(folder)
    return [found for document in loaded.documents for found in _document(document, schemas)]


def read_schemas(folder: Path) -> Schemas:
    """Compiled schemas by apiVersion and kind."""
    if not folder.exists():
        raise UsageError(f"--crds {folder}: no such file or folder")
    schemas = schemas_of(load_paths([folder])[0])
    if not schemas:
        raise UsageError(f"--crds {folder}: no CustomResourceDefinition with a schema there")
    return schemas


def schemas_of(documents: Iterable[Document]) -> Schemas:
    """The schemas of the CRDs among some documents."""
    return {key: compile_schema(source) for document in documents for key, source in _versions(document)}


def _versions(document: Document) -> Iterator[tuple[tuple[str, str], dict[str, Any]]]:
    """What a CRD says of each version: apiVersion and kind, and the schema of a whole object.

    Parts that are no CRD's are passed over: the files may hold anything, and a server will refuse it.
    """
    spec = document.spec
    names, versions = spec.get("names"), spec.get("versions")
    if document.identity.kind != "CustomResourceDefinition" or not isinstance(names, Mapping):
        return
    for version in versions if isinstance(versions, list) else ():
        schema = version.get("schema") if isinstance(version, Mapping) else None
        source = schema.get("openAPIV3Schema") if isinstance(schema, Mapping) else None
        if isinstance(source, Mapping) and source:
            key = (f"{spec.get('group')}/{version.get('name')}", str(names.get("kind", "")))
            yield key, {**source, "properties": {**(source.get("properties") or {}), **_ENVELOPE}}


def defaulted(obj: Mapping[str, Any], documents: Iterable[Document]) -> dict[str, Any]:
    """A copy of an object with the defaults that the CRD of its kind, if it is among the documents, fills in."""
    filled: dict[str, Any] = copy.deepcopy(dict(obj))
    schema = schemas_of(documents).get((str(obj.get("apiVersion")), str(obj.get("kind"))))
    if schema is not None:
        schema.admit(filled, "strict")
    return filled


def _document(document: Document, schemas: Schemas) -> Iterator[Diagnostic]:
    for part in _parts(document):
        schema = schemas.get((part.api_version, part.kind))
        if schema is not None:
            yield from _problems(document, part, schema)


def _parts(document: Document) -> Iterator[_Part]:
    spec, kind = document.spec, document.identity.kind
    if kind == "FunctionTest":
        for index, case in enumerate(spec.get("testCases") or ()):
            wanted = case.get("expectResource") if isinstance(case, Mapping) else None
            if isinstance(wanted, Mapping):
                path: FieldPath = ("spec", "testCases", index, "expectResource")
                names = str(wanted.get("apiVersion")), str(wanted.get("kind"))
                yield _Part(without_directives(wanted), *names, path, True)
    elif kind == "ResourceFunction":
        yield from _function_parts(spec)
    elif kind == "ResourceTemplate" and isinstance(spec.get("template"), Mapping):
        template = spec["template"]
        names = str(template.get("apiVersion")), str(template.get("kind"))
        yield _Part(without_directives(template), *names, ("spec", "template"), False)
    else:
        yield _Part(document.value, str(document.value.get("apiVersion")), kind, (), True)


def _function_parts(spec: Mapping[str, Any]) -> Iterator[_Part]:
    api = spec.get("apiConfig")
    if not isinstance(api, Mapping):
        return
    names = str(api.get("apiVersion")), str(api.get("kind"))
    places: list[tuple[Any, FieldPath]] = [(spec.get("resource"), ("spec", "resource"))]
    for index, stage in enumerate(spec.get("overlays") or ()):
        if isinstance(stage, Mapping):
            places.append((stage.get("overlay"), ("spec", "overlays", index, "overlay")))
    for value, path in places:
        if isinstance(value, Mapping):
            yield _Part(_static(without_directives(value)), *names, path, False)


def _static(value: Any) -> Any:
    """The value without what expressions fill; a list with one anywhere is left open as a whole."""
    if is_expression(value):
        return _OPEN
    if isinstance(value, Mapping):
        members = ((key, _static(item)) for key, item in value.items())
        return {key: item for key, item in members if item is not _OPEN}
    if isinstance(value, list):
        items = [_static(item) for item in value]
        return _OPEN if items != value else items
    return value


def _problems(document: Document, part: _Part, schema: Schema) -> Iterator[Diagnostic]:
    problems = schema.admit(copy.deepcopy(part.value), "strict")
    for unknown in problems.unknown:
        path = (*part.path, *_parsed(unknown))
        parent, _, name = unknown.rpartition(".")
        hint = nearest(name, schema.fields(re.sub(r"\[[^\]]*\]", "", parent)))
        message = f"{part.kind} has no field {unknown}"
        yield document.diagnose("schema-unknown-field", message, path, at_key=True, hint=hint)
    for problem in problems.errors:
        if part.is_whole or "Required" not in problem.reason:
            path = (*part.path, *_parsed(problem.path))
            yield document.diagnose("schema-invalid", f"{part.kind}: {problem}"[:500], path)


def _parsed(path: str) -> FieldPath:
    """`spec.items[0].name` as a path."""
    return tuple(int(index) if index else name or key for name, index, key in _SEGMENT.findall(path))
