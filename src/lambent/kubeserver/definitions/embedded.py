"""Objects inside custom objects (`x-kubernetes-embedded-resource`): each has a kind, a version and metadata of its own.

`refusal` finds what cannot be decoded at all (a 400), `problems` what is decoded and wrong. Source: Kubernetes docs,
"RawExtension"; texts as kube-apiserver 1.34.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import orjson

from lambent.kube.schema import Problem
from lambent.kube.schema.embedded import Embedded
from lambent.kube.types import GVK
from lambent.kubeserver import metadata
from lambent.kubeserver.builtin.bodies import no_metadata, read_metadata
from lambent.kubeserver.builtin.table import object_meta
from lambent.kubeserver.definitions import refusals
from lambent.kubeserver.resources import Resource, Traits
from lambent.kubeserver.validation import errors, names


@cache
def _any_kind() -> Resource:
    """What an embedded object may be: its name may be any segment of a path."""
    return Resource(
        gvk=GVK("", "", ""),
        plural="",
        singular="",
        namespaced=False,
        bucket="",
        stored_api_version="",
        schema=object_meta(),
        traits=Traits(name_rule="path"),
        custom=True,
    )


def refusal(node: Embedded, value: Any) -> str | None:
    """Why the first malformed embedded object cannot be decoded: its place and the reason; reads those that can."""
    found = [problem for path, obj in node.objects(value) for problem in _malformed(obj, path)]
    return str(found[0]) if found else None


def problems(node: Embedded, value: Any, *, malformed: bool = False) -> list[Problem]:
    """What is wrong with embedded objects; of `malformed` ones, too, where they were not refused for it."""
    out: list[Problem] = []
    for path, obj in node.objects(value):
        found = list(_malformed(obj, path)) if malformed else []
        out += [*found, *_wrong_kind(obj, path)]
        if not any(problem.path == f"{path}.metadata" for problem in found):
            out += _wrong_metadata(obj, path)
    return out


def without_heads(node: Embedded, value: Any, found: list[Problem]) -> list[Problem]:
    """A status need not say of which kinds and versions its objects are."""
    heads = {f"{path}.{name}" for path, _ in node.objects(value) for name in ("apiVersion", "kind")}
    return [one for one in found if one.reason != "FieldValueRequired" or one.path not in heads]


def _malformed(obj: dict[str, Any], path: str) -> Iterator[Problem]:
    """Why an object cannot be decoded; metadata that can is read as any other."""
    for name in ("apiVersion", "kind"):
        if name in obj and not isinstance(obj[name], str):
            yield refusals.invalid(f"{path}.{name}", obj[name], "must be a string")
    if "metadata" not in obj:
        return
    given = obj["metadata"]
    if given is None:
        obj["metadata"] = {}
    elif not isinstance(given, dict):
        yield refusals.invalid(f"{path}.metadata", given, no_metadata(given))
    else:
        obj["metadata"], why = _read(given)
        if why:
            sorted_as_go = orjson.loads(orjson.dumps(given, option=orjson.OPT_SORT_KEYS))
            yield refusals.invalid(f"{path}.metadata", sorted_as_go, why)


def _read(given: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """The metadata as it is stored, and why it cannot be read; then it stays as it is."""
    for name in ("creationTimestamp", "deletionTimestamp"):
        if given.get(name) == "":
            return given, 'parsing time "" as "2006-01-02T15:04:05Z07:00": cannot parse "" as "2006"'
    read = orjson.loads(orjson.dumps(given))
    why, unknown = read_metadata(read)
    if why:
        return given, why
    # The schema tells of unknown members.
    return read | {name: given[name] for name in unknown if name in given}, ""


def _wrong_kind(obj: dict[str, Any], path: str) -> Iterator[Problem]:
    """Absent kinds and versions are the schema's to miss."""
    version, kind = obj.get("apiVersion"), obj.get("kind")
    if version == "":
        yield refusals.invalid(f"{path}.apiVersion", version, "must not be empty")
    elif isinstance(version, str) and version.count("/") > 1:
        yield refusals.invalid(f"{path}.apiVersion", version, f"unexpected GroupVersion string: {version}")
    if kind == "":
        yield refusals.invalid(f"{path}.kind", kind, "must not be empty")
    elif isinstance(kind, str):
        yield from refusals.kind(kind, f"{path}.kind")


def _wrong_metadata(obj: dict[str, Any], path: str) -> Iterator[Problem]:
    meta = obj.get("metadata")
    if not isinstance(meta, dict):
        return
    whole: Any = {"metadata": {"name": "any", **meta}}
    found = metadata.problems_of(whole, _any_kind())
    if namespace := meta.get("namespace"):
        found += errors.texts("metadata.namespace", namespace, names.dns_label(namespace))
    for index, entry in enumerate(meta.get("managedFields") or ()):
        found += _wrong_entry(entry, f"metadata.managedFields[{index}]")
    yield from (replace(one, path=f"{path}.{one.path}") for one in found)


def _wrong_entry(entry: dict[str, Any], path: str) -> Iterator[Problem]:
    operation, kind = entry.get("operation", ""), entry.get("fieldsType", "")
    if operation not in ("Apply", "Update"):
        yield errors.invalid(f"{path}.operation", operation, "must be `Apply` or `Update`")
    if kind not in ("", "FieldsV1"):
        yield errors.invalid(f"{path}.fieldsType", kind, "must be `FieldsV1`")
