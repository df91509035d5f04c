"""Rules of object metadata: names, labels, annotations, finalizers, and what only the server may set.

Source: Kubernetes docs, "Object Names and IDs", "Labels and Selectors"; texts as kube-apiserver 1.34.
"""

import re
import secrets
import uuid
from datetime import datetime
from typing import Any

import orjson

from lambent.clock import rfc3339
from lambent.kube.schema import Problem
from lambent.kube.types import KubeObject
from lambent.kubeserver.resources import Resource
from lambent.kubeserver.validation import errors, names, selectors

_SUFFIX_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"  # no vowels: no words by accident
_LONGEST_PREFIX = names.LABEL_LIMIT - 5
_STANDARD_FINALIZERS = ("orphan", "foregroundDeletion", "kubernetes")


def generate_name(prefix: str) -> str:
    """The prefix and five characters, within the length of a label."""
    return prefix[:_LONGEST_PREFIX] + "".join(secrets.choice(_SUFFIX_ALPHABET) for _ in range(5))


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
    """And takes a null in a list for the empty text or struct, as Go's decoder does."""
    for name, empty in (("finalizers", ""), ("ownerReferences", {})):
        if None in (meta.get(name) or ()):
            meta[name] = [empty if one is None else one for one in meta[name]]
    for name in ("labels", "annotations", "finalizers", "ownerReferences", "generateName"):
        if name in meta and not meta[name]:
            del meta[name]


def as_sent(meta: dict[str, Any], *, is_new: bool) -> dict[str, Any]:
    """The part of a body's metadata that managers answer for; of a new object the server takes no end of life."""
    given = dict(meta)
    drop_empty(given)
    for name in ("deletionTimestamp", "deletionGracePeriodSeconds") if is_new else ():
        given.pop(name, None)
    return given


def drop_broken_times(meta: dict[str, Any]) -> None:
    """Times that are none: in what was applied they are passed over, as its schema says nothing of them."""
    for name in ("creationTimestamp", "deletionTimestamp"):
        if name in meta and not (isinstance(meta[name], str) and _TIME.fullmatch(meta[name])):
            del meta[name]


_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


def unchangeable(meta: Any, kept: Any) -> list[Problem]:
    """What an update may not set itself, told as often as kube-apiserver looks."""
    out: list[Problem] = []
    for name in ("deletionTimestamp", "deletionGracePeriodSeconds"):
        given = meta.get(name)
        if given is not None and given != kept.get(name) and not (name in kept and name == "deletionTimestamp"):
            out += [errors.invalid(f"metadata.{name}", given, errors.IMMUTABLE)] * 2
    return out


_TWICE = (
    ".metadata.ownerReferences contains duplicate entries{0}; API server dedups owner references in 1.20+, and may "
    "reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: {1}"
)


def single_owners(meta: dict[str, Any], *, is_patch: bool) -> str:
    """Drops owners that occur again; the answer is the warning about them, or ""."""
    owners = meta.get("ownerReferences")
    if not isinstance(owners, list) or len(owners) < 2 or not all(isinstance(one, dict) for one in owners):
        return ""
    read = [{name: owner[name] for name in _OWNER_MEMBERS if owner.get(name) is not None} for owner in owners]
    again = {at for at, owner in enumerate(read) if owner in read[:at]}
    if not again:
        return ""
    meta["ownerReferences"] = [owner for at, owner in enumerate(owners) if at not in again]
    twice = [str(owners[at].get("uid", "")) for at in sorted(again)]
    return _TWICE.format(" after mutating admission happens" if is_patch else "", ", ".join(twice))


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
    drop_empty(fresh)


_NAME_RULES: dict[str, names.Rule] = {
    "path": names.path_segment,
    "label": names.dns_label,
    "dns1035": names.dns_1035,
    "subdomain": names.subdomain,
}


def problems_of(obj: KubeObject, resource: Resource) -> list[Problem]:
    """What is wrong with a new object's metadata, by the rule for names of its kind."""
    return _whole(obj["metadata"], _NAME_RULES[resource.traits.name_rule], is_core=not resource.custom)


def problems_of_update(obj: KubeObject, resource: Resource) -> list[Problem]:
    """The same of an update, where kube-apiserver looks several times and tells as often.

    Once as of any object, once as of any update, then as the kind's own rules do.
    """
    meta = obj["metadata"]
    out = [*_whole(meta, names.path_segment, is_core=False), *_changeable(meta)]
    for look in resource.traits.update_looks:
        if look == "whole":
            out += _whole(meta, _NAME_RULES[resource.traits.name_rule])
        else:
            out += _changeable(meta)
            out += [] if resource.custom else _plain_finalizers(meta.get("finalizers") or [])
    return out


def _whole(meta: Any, rule: names.Rule, *, is_core: bool = True) -> list[Problem]:
    """Names, what an update may change, and finalizers."""
    out: list[Problem] = []
    if prefix := meta.get("generateName"):
        out += errors.texts("metadata.generateName", prefix, names.generated(rule)(prefix))
    if not meta.get("name"):
        out.append(errors.required("metadata.name", "name or generateName is required"))
    else:
        out += errors.texts("metadata.name", meta["name"], rule(meta["name"]))
    return out + _changeable(meta) + _finalizer_problems(meta.get("finalizers") or [], is_core=is_core)


def _changeable(meta: Any) -> list[Problem]:
    """Labels, annotations and owners."""
    out = [*selectors.labels(meta.get("labels") or {}, "metadata.labels")]
    out += selectors.annotations(meta.get("annotations") or {}, "metadata.annotations")
    return out + _owner_problems(meta.get("ownerReferences") or [])


def _finalizer_problems(finalizers: list[str], *, is_core: bool) -> list[Problem]:
    """`is_core` is of builtin kinds, where a name without domain has to be one of the standard ones."""
    out: list[Problem] = []
    for name in finalizers:
        out += errors.texts("metadata.finalizers", name, names.qualified(name))
    if {"orphan", "foregroundDeletion"} <= set(finalizers):
        text = "finalizer orphan and foregroundDeletion cannot be both set"
        out.append(errors.invalid("metadata.finalizers", finalizers, text))
    return out + _plain_finalizers(finalizers) if is_core else out


def _plain_finalizers(finalizers: list[str]) -> list[Problem]:
    out: list[Problem] = []
    for index, name in enumerate(finalizers):
        if "/" not in name and name not in _STANDARD_FINALIZERS:
            text = "name is neither a standard finalizer name nor is it fully qualified"
            out.append(errors.invalid(f"metadata.finalizers[{index}]", name, text))
    return out


def doubtful_finalizers(obj: KubeObject, old: KubeObject | None) -> list[str]:
    """Warnings for finalizers that a custom object did not have before and that name no domain."""
    named = obj["metadata"].get("finalizers")
    if not named:
        return []
    text = "prefer a domain-qualified finalizer name to avoid accidental conflicts with other finalizer writers"
    known = {*_STANDARD_FINALIZERS, *((old["metadata"].get("finalizers") or ()) if old else ())}
    return [f'metadata.finalizers: "{name}": {text}' for name in named if "/" not in name and name not in known]


_OWNER_MEMBERS = ("apiVersion", "kind", "name", "uid", "controller", "blockOwnerDeletion")


def _owner_problems(owners: list[dict[str, Any]]) -> list[Problem]:
    out: list[Problem] = []
    first = ""
    for owner in owners:
        for name in ("apiVersion", "kind", "name", "uid"):
            value = owner.get(name) or ""
            if not value or (name == "apiVersion" and (value.endswith("/") or value.count("/") > 1)):
                text = f"{'version ' if name == 'apiVersion' else ''}must not be empty"
                out.append(errors.invalid(f"metadata.ownerReferences.{name}", value, text))
        if (owner.get("apiVersion"), owner.get("kind")) == ("v1", "Event"):
            text = "/v1, Kind=Event is disallowed from being an owner"
            out.append(errors.invalid_shown("metadata.ownerReferences", _shown_owner(owner), text))
        if owner.get("controller"):
            named = f"{owner.get('kind', '')}/{owner.get('name', '')}"
            if first:
                lead = "Only one reference can have Controller set to true."
                text = f'{lead} Found "true" in references for {first} and {named}'
                shown = f"[{','.join(map(_shown_owner, owners))}]"
                out.append(errors.invalid_shown("metadata.ownerReferences", shown, text))
            first = first or named
    return out


def _shown_owner(owner: dict[str, Any]) -> str:
    return orjson.dumps({name: owner[name] for name in _OWNER_MEMBERS if name in owner}).decode()


def new_finalizers(new: KubeObject, old: KubeObject) -> list[str]:
    """Finalizers that an update would add to an object that is being deleted."""
    if "deletionTimestamp" not in old["metadata"]:
        return []
    had = set(old["metadata"].get("finalizers") or ())
    return [name for name in new["metadata"].get("finalizers") or () if name not in had]
