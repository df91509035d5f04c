"""Documents of the workflow kinds: loading with positions, validation, diagnostics."""

from lambent.workflow.spec.diagnostics import Diagnostic, Span, has_errors, in_order, nearest
from lambent.workflow.spec.documents import Document, Identity, find_files, load_paths, load_text
from lambent.workflow.spec.durations import seconds
from lambent.workflow.spec.kinds import KINDS, kind_of
from lambent.workflow.spec.positions import FieldPath, path_text
from lambent.workflow.spec.validation import validate

__all__ = [
    "KINDS",
    "Diagnostic",
    "Document",
    "FieldPath",
    "Identity",
    "Span",
    "find_files",
    "has_errors",
    "in_order",
    "kind_of",
    "load_paths",
    "load_text",
    "nearest",
    "path_text",
    "seconds",
    "validate",
]
