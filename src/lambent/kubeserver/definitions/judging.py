"""The whole of a definition: its names, versions and status, and what may not change."""

from typing import Any

from lambent.kube.schema import Problem
from lambent.kubeserver.answers.jsonpath import value_at
from lambent.kubeserver.conditions import is_true
from lambent.kubeserver.definitions.approval import approval_problems
from lambent.kubeserver.definitions.conversion import conversion_problems
from lambent.kubeserver.definitions.formats import unknown_formats
from lambent.kubeserver.definitions.internal import Internal, Part, internal
from lambent.kubeserver.definitions.refusals import given_label, invalid, kind, label
from lambent.kubeserver.definitions.schemas import schema_problems
from lambent.kubeserver.definitions.versions import (
    column_problems,
    deprecation_problems,
    selectable_problems,
    subresource_problems,
)
from lambent.kubeserver.draft import Draft
from lambent.kubeserver.validation.errors import IMMUTABLE, forbidden, required
from lambent.kubeserver.validation.names import subdomain
from lambent.kubeserver.validation.rules import Members, among, items, members, needed

_SCOPE = needed(among("Cluster", "Namespaced"))
_DEFAULTS_NEED = "must be false in order to use defaults in the schema"
_NO_PRESERVING = (
    "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead"
)
_LOST = (
    "missing from spec.versions; {0} was previously a storage version, and must remain in spec.versions until a "
    "storage migration ensures no data remains persisted in {0} and removes {0} from status.storedVersions"
)


def problems(draft: Draft) -> list[Problem]:
    """What is wrong with a definition; its warnings go to the call."""
    new: Any = draft.new
    spec, status = new.get("spec") or {}, new.get("status") or {}
    if draft.subresource == "status":
        return _spelling(status.get("acceptedNames") or {}, "status.acceptedNames")
    old: Any = draft.old and draft.old.get("spec")
    if draft.is_create:
        _judge_name(draft, spec)
    out = _spec_problems(spec, old)
    if old is not None:
        out += _immutable(draft, spec, old)
    out += _spelling(status.get("acceptedNames") or {}, "status.acceptedNames")
    out += _stored_problems(status.get("storedVersions"), spec)
    out += approval_problems(draft)
    preserves = spec.get("preserveUnknownFields")
    if preserves and not (old or {}).get("preserveUnknownFields"):
        out.append(invalid("spec.preserveUnknownFields", True, _NO_PRESERVING))
    known = unknown_formats(old) if old else []
    if out or draft.problems:  # what is refused is not warned of
        return out
    draft.call.warnings += [f'unrecognized format "{name}"' for name in unknown_formats(spec) if name not in known]
    return out


def _judge_name(draft: Draft, spec: Any) -> None:
    """Told behind what else is wrong with the name."""
    name = draft.new["metadata"].get("name")
    wanted = f"{(spec.get('names') or {}).get('plural') or ''}.{spec.get('group') or ''}"
    if name and name != wanted:
        problem = invalid("metadata.name", name, 'must be spec.names.plural+"."+spec.group')
        draft.problems.insert(sum(one.path == "metadata.name" for one in draft.problems), problem)


def _spec_problems(spec: Any, old: Any) -> list[Problem]:
    found = internal(spec)
    group = spec.get("group") or ""
    out: list[Problem] = []
    if not group:
        out.append(required("spec.group"))
    elif faults := subdomain(group):
        out.append(invalid("spec.group", group, ",".join(faults)))
    elif "." not in group:
        out.append(invalid("spec.group", group, "should be a domain with at least one dot"))
    out += _SCOPE(spec.get("scope"), "spec.scope")
    out += _missing_schemas(found)
    if spec.get("preserveUnknownFields") and _has_defaults(spec.get("versions")):
        out.append(invalid("spec.preserveUnknownFields", True, _DEFAULTS_NEED))
    unchanged = internal(old) if old else None
    for index, version in enumerate(found.versions):
        out += _version_problems(found, index, version, unchanged)
    out += _set_of_versions(found)
    names = spec.get("names") or {}
    out += members(names, "spec.names", _NEEDED) + _spelling(names, "spec.names")
    out += _part_problems(found, "spec.", _has_status(spec), unchanged)
    return out + conversion_problems(spec)


def _missing_schemas(found: Internal) -> list[Problem]:
    if (found.shared.get("schema") or {}).get("openAPIV3Schema") is not None:
        return []
    return [
        required(f"spec.versions[{index}].schema.openAPIV3Schema")
        for index, version in enumerate(found.versions)
        if (version.get("schema") or {}).get("openAPIV3Schema") is None
    ]


def _has_defaults(value: Any) -> bool:
    """Whether a schema below declares a default; a property may be called so too."""
    if isinstance(value, list):
        return any(_has_defaults(one) for one in value)
    if not isinstance(value, dict):
        return False
    below = [*(value.get("properties") or {}).values(), *(v for k, v in value.items() if k != "properties")]
    return ("default" in value and ("type" in value or "properties" in value)) or _has_defaults(below)


def _has_status(spec: Any) -> bool:
    return any("status" in (version.get("subresources") or {}) for version in spec.get("versions") or ())


def _version_problems(found: Internal, index: int, version: Any, old: Internal | None) -> list[Problem]:
    path = f"spec.versions[{index}]"
    out = [*label(version.get("name"), f"{path}.name"), *deprecation_problems(version, path)]
    own = version.get("subresources") or {}
    shared = found.shared.get("subresources") or {}
    return out + _part_problems(found, f"{path}.", "status" in own or "status" in shared, old)


def _part_problems(found: Internal, prefix: str, has_status: bool, old: Internal | None) -> list[Problem]:
    """The parts that stand directly below `prefix`: those of one version, or the shared ones."""

    def here(name: str) -> list[Part]:
        return [one for one in found.parts(name) if one.path.startswith(prefix) and "." not in one.path[len(prefix) :]]

    before = [part.value for part in old.parts("schema")] if old else []
    out: list[Problem] = []
    for part in here("schema"):
        if part.value not in before:
            out += schema_problems(part.value.get("openAPIV3Schema"), part.path, has_status=has_status)
    for part in here("subresources"):
        out += subresource_problems(part)
    for part in here("additionalPrinterColumns"):
        out += column_problems(part)
    for part in here("selectableFields"):
        schemas = here("schema")
        out += selectable_problems(part, (schemas[0].value if schemas else {}).get("openAPIV3Schema"))
    return out


def _set_of_versions(found: Internal) -> list[Problem]:
    out: list[Problem] = []
    for name in ("schema", "subresources", "additionalPrinterColumns"):
        has_own = any(version.get(name) for version in found.versions)
        if has_own and found.shared.get(name) is not None:
            out.append(forbidden(f"spec.{name}", f"top-level and per-version {name} are mutually exclusive"))
    names = [version.get("name") for version in found.versions]
    if len(set(names)) < len(names):
        out.append(invalid("spec.versions", found.go_versions(), "must contain unique version names"))
    if sum(bool(version.get("storage")) for version in found.versions) != 1:
        text = "must have exactly one version marked as storage version"
        out.append(invalid("spec.versions", found.go_versions(), text))
    return out + given_label(names[0] if names else None, "spec.version")


_NEEDED: Members = dict.fromkeys(("plural", "singular", "kind", "listKind"), needed())
_SPELLING: Members = {
    "plural": given_label,
    "singular": given_label,
    "kind": kind,
    "listKind": kind,
    "shortNames": items(label),
}
_CATEGORIES: Members = {"categories": items(label)}


def _spelling(names: Any, path: str) -> list[Problem]:
    out = members(names, path, _SPELLING)
    if names.get("kind") and names.get("kind") == names.get("listKind"):
        out.append(invalid(f"{path}.listKind", names["listKind"], "kind and listKind may not be the same"))
    return out + members(names, path, _CATEGORIES)


def _stored_problems(stored: list[str] | None, spec: Any) -> list[Problem]:
    path = "status.storedVersions"
    if not stored:
        return [invalid(path, stored or None, "must have at least one stored version")]
    versions = spec.get("versions") or []
    out = [
        invalid(path, stored, f"must have the storage version {version.get('name')}")
        for version in versions
        if version.get("storage") and version.get("name") not in stored
    ]
    names = {version.get("name") for version in versions}
    return out + [
        invalid(f"{path}[{index}]", name, _LOST.format(name)) for index, name in enumerate(stored) if name not in names
    ]


def _immutable(draft: Draft, spec: Any, old: Any) -> list[Problem]:
    """Group and plural never change; scope and kind do not once the definition was established."""
    is_established = is_true(draft.old, "Established")
    fixed = ("scope", "names.kind", "group", "names.plural") if is_established else ("group", "names.plural")
    return [
        invalid(f"spec.{path}", value_at(spec, path) or "", IMMUTABLE)
        for path in fixed
        if (value_at(spec, path) or "") != (value_at(old, path) or "")
    ]
