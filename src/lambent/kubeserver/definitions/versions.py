"""What stands beside the schema of a version: its deprecation, subresources, columns and selectable fields."""

from collections.abc import Iterator
from typing import Any

from lambent.kube.schema import Problem
from lambent.kube.schema.field_paths import FieldPathError, field_at
from lambent.kubeserver.definitions.internal import Part
from lambent.kubeserver.definitions.refusals import invalid
from lambent.kubeserver.validation.errors import duplicate, required, too_many
from lambent.kubeserver.validation.rules import Members, Rule, items, members, needed

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
    return [] if scale is None else members(scale, f"{part.path}.scale", _SCALE)


def _below(*parents: str) -> Rule:
    """Of a path of members, none of which stands above these."""
    text = parents[0] if len(parents) == 1 else f"either {' or '.join(parents)}"

    def judge(found: str | None, path: str) -> list[Problem]:
        if not found or found.startswith(tuple(f"{parent}." for parent in parents)):
            return []
        return _simple_path(found, path) or [invalid(path, found, f"should be a json path under {text}")]

    return judge


def _simple_path(found: str, path: str) -> list[Problem]:
    return [] if found.startswith(".") else [invalid(path, found, "must be a simple json path starting with .")]


_SCALE: Members = {
    "specReplicasPath": needed(_below(".spec")),
    "statusReplicasPath": needed(_below(".status")),
    "labelSelectorPath": _below(".spec", ".status"),
}


def column_problems(part: Part) -> list[Problem]:
    return list(_COLUMNS(part.value, part.path))


def _column(column: Any, path: str) -> Iterator[Problem]:
    yield from members(column, path, _COLUMN)
    yield from _JSON_PATH(column.get("jsonPath"), f"{path}.JSONPath")


def _listed(*allowed: str) -> Rule:
    """Of a text that may be absent; the answer lists the others in a text of its own."""
    why = f"must be one of {','.join(allowed)}"
    return lambda value, path: [invalid(path, value, why)] if value and value not in allowed else ()


_COLUMNS = items(_column)
_COLUMN: Members = {
    "name": needed(),
    "type": needed(_listed(*_COLUMN_TYPES), f"must be one of {','.join(_COLUMN_TYPES)}"),
    "format": _listed(*_COLUMN_FORMATS),
}
_JSON_PATH = needed(_simple_path)


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
