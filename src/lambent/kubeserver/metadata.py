"""Rules of object metadata: names, labels, annotations, finalizers, and what only the server may set.

Source: Kubernetes docs, "Object Names and IDs", "Labels and Selectors"; texts as kube-apiserver 1.34.
"""

import re
import secrets
import uuid
from datetime import datetime
from typing import Any

from lambent.clock import rfc3339
from lambent.kube.schema import Problem
from lambent.kube.types import KubeObject
from lambent.kubeserver.resources import Resource

_SUBDOMAIN = re.compile(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$")
_LABEL = re.compile(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")
_QUALIFIED = re.compile(r"^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$")
_LABEL_VALUE = re.compile(r"^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$")
_ANNOTATIONS_LIMIT_BYTES = 256 * 1024
_SUFFIX_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"  # no vowels: no words by accident
_LABEL_LIMIT, _NAME_LIMIT = 63, 253

SUBDOMAIN_TEXT = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
LABEL_TEXT = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with "
    "an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
_QUALIFIED_TEXT = (
    "{0} must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
    "character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
_VALUE_TEXT = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)
_STANDARD_FINALIZERS = ("orphan", "foregroundDeletion", "kubernetes")


def bad(path: str, value: Any, text: str) -> Problem:
    shown = f'"{value}"' if isinstance(value, str) else str(value)
    return Problem(path, "FieldValueInvalid", f"Invalid value: {shown}: {text}")


def generate_name(prefix: str) -> str:
    """The prefix and five characters, within the length of a label."""
    return prefix[: _LABEL_LIMIT - 5] + "".join(secrets.choice(_SUFFIX_ALPHABET) for _ in range(5))


def initialise(obj: KubeObject, now: datetime, *, counts_generation: bool) -> None:
    """Sets what the server owns on a new object."""
    meta: Any = obj["metadata"]
    for name in ("deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "resourceVersion", "generation"):
        meta.pop(name, None)
    meta["uid"] = str(uuid.uuid4())
    meta["creationTimestamp"] = rfc3339(now)
    if counts_generation:
        meta["generation"] = 1
    drop_empty(meta)


def drop_empty(meta: dict[str, Any]) -> None:
    for name in ("labels", "annotations", "finalizers", "ownerReferences"):
        if name in meta and not meta[name]:
            del meta[name]


def carry_over(new: KubeObject, old: KubeObject) -> None:
    """On an update, the server's own fields stay as they were."""
    fresh: Any = new["metadata"]
    kept: Any = old["metadata"]
    owned = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation", "namespace")
    for name in owned:
        if name in kept:
            fresh[name] = kept[name]
        else:
            fresh.pop(name, None)
    fresh.pop("selfLink", None)
    fresh["name"] = kept["name"]
    fresh["resourceVersion"] = kept["resourceVersion"]
    if kept.get("generateName"):
        fresh.setdefault("generateName", kept["generateName"])
    drop_empty(fresh)


def problems_of(obj: KubeObject, resource: Resource) -> list[Problem]:
    """What is wrong with names, labels, annotations, finalizers and owners."""
    meta: Any = obj["metadata"]
    out = _name_problems(meta, resource)
    for key, value in (meta.get("labels") or {}).items():
        out += _key_problems(key, "metadata.labels", key)
        if isinstance(value, str) and (len(value) > _LABEL_LIMIT or not _LABEL_VALUE.match(value)):
            text = _VALUE_TEXT if len(value) <= _LABEL_LIMIT else "must be no more than 63 bytes"
            out.append(bad("metadata.labels", value, text))
    annotations: dict[str, str] = meta.get("annotations") or {}
    for key in annotations:
        out += _key_problems(key.lower(), "metadata.annotations", key)
    if sum(len(key) + len(str(value)) for key, value in annotations.items()) > _ANNOTATIONS_LIMIT_BYTES:
        text = f"Too long: may not be more than {_ANNOTATIONS_LIMIT_BYTES} bytes"
        out.append(Problem("metadata.annotations", "FieldValueTooLong", text))
    if not resource.custom:
        out += _finalizer_problems(meta.get("finalizers") or [])
    return out + _owner_problems(meta.get("ownerReferences") or [])


def _name_problems(meta: dict[str, Any], resource: Resource) -> list[Problem]:
    name = meta.get("name")
    if not name:
        return [Problem("metadata.name", "FieldValueRequired", "Required value: name or generateName is required")]
    match resource.traits.name_rule:
        case "path":
            is_good = name not in (".", "..") and not set("/%") & set(name)
            return [] if is_good else [bad("metadata.name", name, "may not contain '/' or '%'")]
        case "label":
            is_good = len(name) <= _LABEL_LIMIT and _LABEL.match(name) is not None
            return [] if is_good else [bad("metadata.name", name, LABEL_TEXT)]
    if len(name) > _NAME_LIMIT:
        return [bad("metadata.name", name, "must be no more than 253 bytes")]
    return [] if _SUBDOMAIN.match(name) else [bad("metadata.name", name, SUBDOMAIN_TEXT)]


def _key_problems(key: str, path: str, shown: str) -> list[Problem]:
    prefix, slash, name = key.rpartition("/")
    if slash and ("/" in prefix):
        text = (
            _QUALIFIED_TEXT.format("a qualified name")
            + " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
        )
        return [bad(path, shown, text)]
    out: list[Problem] = []
    if slash and not prefix:
        out.append(bad(path, shown, "prefix part must be non-empty"))
    elif slash and not _SUBDOMAIN.match(prefix):
        out.append(bad(path, shown, f"prefix part {SUBDOMAIN_TEXT}"))
    if not name:
        out.append(bad(path, shown, "name part must be non-empty"))
    elif len(name) > _LABEL_LIMIT:
        out.append(bad(path, shown, "name part must be no more than 63 bytes"))
    if not _QUALIFIED.match(name):
        out.append(bad(path, shown, _QUALIFIED_TEXT.format("name part")))
    return out


def _finalizer_problems(finalizers: list[Any]) -> list[Problem]:
    out: list[Problem] = []
    for index, name in enumerate(finalizers):
        if "/" not in str(name) and name not in _STANDARD_FINALIZERS:
            out.append(
                bad(
                    f"metadata.finalizers[{index}]",
                    name,
                    "name is neither a standard finalizer name nor is it fully qualified",
                )
            )
    return out


def doubtful_finalizers(obj: KubeObject) -> list[str]:
    """Warnings for finalizers of a custom object that name no domain."""
    text = "prefer a domain-qualified finalizer name to avoid accidental conflicts with other finalizer writers"
    named = obj["metadata"].get("finalizers") or ()
    return [
        f'metadata.finalizers: "{name}": {text}'
        for name in named
        if "/" not in name and name not in _STANDARD_FINALIZERS
    ]


def _owner_problems(owners: list[dict[str, Any]]) -> list[Problem]:
    out: list[Problem] = []
    for index, owner in enumerate(owners):
        for name in ("apiVersion", "kind", "name", "uid"):
            if not owner.get(name):
                path = (
                    f"metadata.ownerReferences[{index}].{name}"
                    if name == "apiVersion"
                    else f"metadata.ownerReferences.{name}"
                )
                out.append(
                    bad(path, owner.get(name, ""), f"{'version' if name == 'apiVersion' else name} must not be empty")
                )
    controllers = [owner for owner in owners if owner.get("controller")]
    if len(controllers) > 1:
        out.append(
            bad("metadata.ownerReferences", len(controllers), "Only one reference can have Controller set to true")
        )
    return out


def new_finalizers(new: KubeObject, old: KubeObject) -> list[str]:
    """Finalizers that an update would add to an object that is being deleted."""
    if "deletionTimestamp" not in old["metadata"]:
        return []
    had = set(old["metadata"].get("finalizers") or ())
    return [name for name in new["metadata"].get("finalizers") or () if name not in had]
