"""Objects inside custom objects (`x-kubernetes-embedded-resource`): each has a kind, a version and metadata of its own.

`refusal` finds what cannot be decoded at all (a 400), `problems` what is decoded and wrong. Source: Kubernetes docs,
"RawExtension"; texts as kube-apiserver 1.34.
"""

import re
from dataclasses import replace
from functools import cache
from typing import Any

import orjson

from lambent.kube.schema import Problem
from lambent.kube.schema.embedded import Embedded
from lambent.kube.types import GVK
from lambent.kubeserver import metadata
from lambent.kubeserver.builtin.table import object_meta
from lambent.kubeserver.definitions import refusals
from lambent.kubeserver.resources import Resource, Traits
from lambent.kubeserver.validation.errors import go_kind

_GO_NAMES = {"integer": "number", "boolean": "bool"}
_MISTYPED = re.compile(r'must be of type (\w+): "(\w+)"$')


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
    """Why the first malformed embedded object cannot be decoded: its place and the reason."""
    return next((why for path, obj in node.objects(value) if (why := _malformed(obj, path))), None)


def problems(node: Embedded, value: Any) -> list[Problem]:
    """What is wrong with embedded objects that were decoded."""
    return [problem for path, obj in node.objects(value) for problem in _wrong(obj, path)]


def _malformed(obj: dict[str, Any], path: str) -> str | None:
    """Why an object cannot be decoded, its place first; members of metadata that say nothing are dropped."""
    for name in ("apiVersion", "kind"):
        if name in obj and not isinstance(obj[name], str):
            return _refused(f"{path}.{name}", obj[name], "must be a string")
    found = obj.get("metadata")
    if found is None:
        obj.pop("metadata", None)
        return None
    if not isinstance(found, dict):
        text = f"json: cannot unmarshal {go_kind(found)} into Go value of type v1.ObjectMeta"
        return _refused(f"{path}.metadata", found, text)
    given = orjson.dumps(found)
    errors = object_meta().admit(orjson.loads(given)).errors
    for error in errors:
        if error.reason == "FieldValueTypeInvalid" and (got := _MISTYPED.search(error.message)):
            member = error.path.partition("[")[0].split(".")[0]
            what = f"json: cannot unmarshal {_GO_NAMES.get(got[2], got[2])} into Go struct field ObjectMeta.{member}"
            return _refused(f"{path}.metadata", found, f"{what} of type {got[1]}")
    for name in [name for name, value in found.items() if value in (None, "", [], {})]:
        del found[name]
    return None


def _refused(path: str, value: Any, text: str) -> str:
    return str(refusals.invalid(path, value, text))


def _wrong(obj: dict[str, Any], path: str) -> list[Problem]:
    """What is wrong with an object that could be decoded; absent kinds and versions are the schema's to miss."""
    out: list[Problem] = []
    version, kind = obj.get("apiVersion"), obj.get("kind")
    if version == "":
        out.append(refusals.invalid(f"{path}.apiVersion", version, "must not be empty"))
    elif version is not None and version.count("/") > 1:
        out.append(refusals.invalid(f"{path}.apiVersion", version, f"unexpected GroupVersion string: {version}"))
    if kind == "":
        out.append(refusals.invalid(f"{path}.kind", kind, "must not be empty"))
    out += refusals.kind(kind, f"{path}.kind")
    if isinstance(meta := obj.get("metadata"), dict):
        whole: Any = {"metadata": {"name": "any", **meta}}
        found = metadata.problems_of(whole, _any_kind())
        out += [replace(one, path=f"{path}.{one.path}") for one in found]
    return out
