"""Taking over a resource that exists: what the annotations ask for, and what goes into the spec.

`adopt` fills an empty spec from AWS; `adopt-or-create` fills only what the spec leaves open, and creates when there is
nothing to adopt; `read-only` lets the status follow AWS and nothing else. Pure: the patch is sent by `converging`.
Source: ACK documentation, "Resource Adoption".
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from lambent.resources.comparison import VERSION_TAG, pruned
from lambent.resources.declaration import Field, Kind, Observed, Subject
from lambent.resources.planning import same, tag_map
from lambent.resources.subjects import PREFIX

ADOPTED = f"{PREFIX}adopted"
_POLICIES = ("adopt", "adopt-or-create")


@dataclass(frozen=True, slots=True)
class Adoption:
    """What the annotations ask for; `mistake` is Terminal. `policy` is "" once the resource has been adopted."""

    policy: str = ""
    fields: Mapping[str, str] | None = None
    is_read_only: bool = False
    mistake: str = ""


def adoption_of(subject: Subject) -> Adoption:
    given = subject.annotations
    read_only = given.get(f"{PREFIX}read-only") == "true"
    policy = given.get(f"{PREFIX}adoption-policy", "")
    if not policy or given.get(ADOPTED) == "true":
        return Adoption(is_read_only=read_only)
    if policy not in _POLICIES:
        return Adoption(mistake=f"adoption-policy {policy!r} is none of {', '.join(_POLICIES)}")
    fields = _fields(given.get(f"{PREFIX}adoption-fields", ""))
    if fields is None or (policy == "adopt" and not fields):
        return Adoption(mistake="adoption-fields must be a JSON object of strings that names the resource")
    return Adoption(policy, fields, read_only)


def _fields(text: str) -> Mapping[str, str] | None:
    if not text:
        return {}
    try:
        found = json.loads(text)
    except ValueError:
        return None
    is_map = isinstance(found, dict) and all(isinstance(value, str) for value in found.values())
    return found if is_map else None


def identified(kind: Kind, subject: Subject, fields: Mapping[str, str]) -> Subject:
    """The subject with the identity that the adoption fields give; an ARN names the resource too."""
    arn = fields.get("arn", "")
    known = {name: value for name, value in fields.items() if name in kind.spec.members}
    if arn and kind.name_field not in known:
        known[kind.name_field] = arn.replace(":", "/").rpartition("/")[2]
    spec = {**known, **{name: value for name, value in subject.spec.items() if value is not None}}
    return replace(subject, spec=spec, recorded_arn=subject.recorded_arn or arn)


def spec_fill(kind: Kind, subject: Subject, observed: Observed) -> dict[str, Any]:
    """The merge patch of the spec: observed values of the fields that it leaves open; never over one that is set."""
    given = subject.obj.get("spec") or {}
    patch: dict[str, Any] = {}
    for field in kind.fields:
        value = _value(kind, field, subject, observed)
        if (
            value is not None
            and _at(given, field.path) is None
            and field.path.partition(".")[0] not in _refs(kind, given)
        ):
            _place(patch, field.path, value)
    name = subject.value(kind.name_field)
    if name and not given.get(kind.name_field):
        patch[kind.name_field] = name
    empty: dict[str, Any] = {
        key: {} for key, node in kind.spec.members.items() if node.required and node.type == "object"
    }
    return {**{key: value for key, value in empty.items() if key not in given}, **patch}


def _refs(kind: Kind, given: Mapping[str, Any]) -> frozenset[str]:
    """Fields that the spec gives by reference."""
    return frozenset(ref.field.partition(".")[0] for ref in kind.refs if _at(given, ref.ref) is not None)


def _value(kind: Kind, field: Field, subject: Subject, observed: Observed) -> Any:
    value = observed.fields.get(field.path)
    if not field.adopted or not field.source or pruned(value) is None:
        return None
    if field.path == kind.tag_field:
        return _tags_of_user(kind, subject, value)
    return None if field.neutral is not None and same(field, field.neutral, value) else value


def _tags_of_user(kind: Kind, subject: Subject, value: Any) -> Any:
    """Without AWS's tags and those of controllers, in the form of the kind's spec."""
    hidden = {*subject.tags, VERSION_TAG}
    own = {key: text for key, text in tag_map(value).items() if key not in hidden and not key.startswith("aws:")}
    if not own:
        return None
    node = kind.spec.at(kind.tag_field)
    listed = [{"key": key, "value": text} for key, text in own.items()]
    return own if node.type == "map" else listed if node.type == "array" else {"tagSet": listed}


def nested(values: Mapping[str, Any]) -> dict[str, Any]:
    """Dotted paths as a merge patch."""
    patch: dict[str, Any] = {}
    for path, value in values.items():
        _place(patch, path, value)
    return patch


def _place(patch: dict[str, Any], path: str, value: Any) -> None:
    *parents, last = path.split(".")
    for part in parents:
        patch = patch.setdefault(part, {})
    patch[last] = value


def _at(found: Any, path: str) -> Any:
    for part in path.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found
