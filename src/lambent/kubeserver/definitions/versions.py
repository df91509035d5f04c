"""What stands beside the schema of a version: its deprecation, subresources, columns and selectable fields."""

from typing import Any

from lambent.kube.schema import Problem
from lambent.kube.schema.field_paths import FieldPathError, field_at
from lambent.kubeserver.definitions.internal import Part
from lambent.kubeserver.definitions.refusals import invalid
from lambent.kubeserver.validation.errors import duplicate, required, too_many

_COLUMN_TYPES = ("boolean", "date", "integer", "number", "string")
_COLUMN_FORMATS = ("byte", "date", "date-time", "double", "float", "int32", "int64", "password")
_LONGEST_WARNING = 256
_MOST_SELECTABLE = 8


def deprecation_problems(version: Any, path: str) -> list[Problem]:
    text = version.get("deprecationWarning")
    if text is None:
        return []
    faults: list[str] = []
    if not version.get("deprecated"):
        faults = ["can only be set for deprecated versions"]
    elif not text:
        faults = ["must not be an empty string"]
    else:
        if len(text.encode()) > _LONGEST_WARNING:
            faults.append(f"must be <= {_LONGEST_WARNING} characters long")
        at = next((index for index, sign in enumerate(text) if not sign.isprintable()), None)
        if at is not None:
            where = len(text[:at].encode())
            faults.append(
                f"must only contain printable UTF-8 characters; non-printable character found at index {where}"
            )
    return [invalid(f"{path}.deprecationWarning", text, fault) for fault in faults]


def subresource_problems(part: Part) -> list[Problem]:
    scale = part.value.get("scale")
    if scale is None:
        return []
    path = f"{part.path}.scale"
    out: list[Problem] = []
    for name, parent in (("specReplicasPath", ".spec"), ("statusReplicasPath", ".status")):
        found = scale.get(name)
        if not found:
            out.append(required(f"{path}.{name}"))
        else:
            out += _simple_path(f"{path}.{name}", found) or _below(f"{path}.{name}", found, (parent,))
    selector = scale.get("labelSelectorPath")
    if selector:
        where = f"{path}.labelSelectorPath"
        out += _simple_path(where, selector) or _below(where, selector, (".spec", ".status"))
    return out


def _below(path: str, found: str, parents: tuple[str, ...]) -> list[Problem]:
    if found.startswith(tuple(f"{parent}." for parent in parents)):
        return []
    text = parents[0] if len(parents) == 1 else f"either {' or '.join(parents)}"
    return [invalid(path, found, f"should be a json path under {text}")]


def _simple_path(path: str, found: str) -> list[Problem]:
    return [] if found.startswith(".") else [invalid(path, found, "must be a simple json path starting with .")]


def column_problems(part: Part) -> list[Problem]:
    return [
        problem for index, column in enumerate(part.value) for problem in _one_column(column, f"{part.path}[{index}]")
    ]


def _one_column(column: Any, path: str) -> list[Problem]:
    out = [] if column.get("name") else [required(f"{path}.name")]
    kinds, formats = ",".join(_COLUMN_TYPES), ",".join(_COLUMN_FORMATS)
    if not column.get("type"):
        out.append(required(f"{path}.type", f"must be one of {kinds}"))
    elif column["type"] not in _COLUMN_TYPES:
        out.append(invalid(f"{path}.type", column["type"], f"must be one of {kinds}"))
    if column.get("format") and column["format"] not in _COLUMN_FORMATS:
        out.append(invalid(f"{path}.format", column["format"], f"must be one of {formats}"))
    if not column.get("jsonPath"):
        out.append(required(f"{path}.JSONPath"))
    else:
        out += _simple_path(f"{path}.JSONPath", column["jsonPath"])
    return out


def selectable_problems(part: Part, schema: Any) -> list[Problem]:
    """Each names a text, integer or bool of the schema, once."""
    if schema is None:
        shared, own = "validations.schema is included", "`version.schema.openAPIV3Schema` is not included"
        why = own if part.path.startswith("spec.versions") else shared
        return [invalid(part.path, "", f"may only be set when {why}")]
    out: list[Problem] = []
    seen: set[str] = set()
    for index, field in enumerate(part.value):
        written, path = field.get("jsonPath") or "", f"{part.path}[{index}].jsonPath"
        if not written:
            out.append(required(path))
            continue
        try:
            steps, found = field_at(written, schema, arrays=False)
        except FieldPathError as error:
            out.append(invalid(path, written, f"is an invalid path: {error}"))
            continue
        if steps.split(".")[0] == "metadata":
            out.append(invalid(path, written, "must not point to fields in metadata"))
        if (found or {}).get("type") not in ("string", "boolean", "integer"):
            text = "must point to a field of type string, boolean or integer. Enum string fields and strings with "
            out.append(invalid(path, written, f"{text}formats are allowed."))
        if steps in seen:
            out.append(duplicate(path, written))
        seen.add(steps)
    if len(seen) > _MOST_SELECTABLE:
        out.append(too_many(part.path, len(seen), _MOST_SELECTABLE))
    return out
