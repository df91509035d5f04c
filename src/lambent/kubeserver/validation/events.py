"""Events of both views. The older view's writers are old, so little is asked of them; the newer one is strict.

Events are kept as core/v1; what is read here are core's names in the older view and the newer names in the other.
Source: Kubernetes API reference, Event v1 and events.k8s.io/v1.
"""

from collections.abc import Iterator
from typing import Any

from lambent.kube.schema import Problem
from lambent.kubeserver.validation import names
from lambent.kubeserver.validation.errors import (
    IMMUTABLE,
    go_named,
    invalid,
    invalid_shown,
    required,
    show,
    texts,
    unchanged,
)

_REASON_LIMIT, _NOTE_LIMIT = 128, 1024
_OLDER = (
    ("deprecatedFirstTimestamp", "firstTimestamp"),
    ("deprecatedLastTimestamp", "lastTimestamp"),
    ("deprecatedCount", "count"),
    ("deprecatedSource", "source"),
)
# kube-apiserver looks at the reason twice, and says so
_KEPT = ("reason", "reason", "type", "action", "reportingController", "reportingInstance")


def legacy(obj: Any) -> Iterator[Problem]:
    """What every Event must be, by either view."""
    is_new = obj.get("kind") == "Event" and str(obj.get("apiVersion", "")).startswith("events.k8s.io/")
    involved = (obj.get("regarding") if is_new else obj.get("involvedObject")) or {}
    own, other = obj["metadata"].get("namespace", ""), involved.get("namespace", "")
    mismatch = invalid("involvedObject.namespace", other, "does not match event.namespace")
    if not obj.get("eventTime"):
        if (not other and own not in ("", "default")) or (other and own != other):
            yield mismatch
        return
    if not other and own not in ("default", "kube-system"):
        yield mismatch
    member = "reportingController" if is_new else "reportingComponent"
    controller = obj.get(member, "")
    if not controller:
        yield required(member)
    yield from texts(member, controller, names.qualified(controller))
    for name in ("reportingInstance", "action", "reason"):
        value = obj.get(name, "")
        if not value:
            yield required(name)
        if len(value.encode()) > _REASON_LIMIT:
            yield invalid(name, "", f"can have at most {_REASON_LIMIT} characters")
    if len(obj.get("note" if is_new else "message", "").encode()) > _NOTE_LIMIT:
        yield invalid("message", "", f"can have at most {_NOTE_LIMIT} characters")


def strict(obj: Any) -> Iterator[Problem]:
    """A new Event by the newer view."""
    yield from legacy(obj)
    yield from _series(obj)
    if not obj.get("eventTime"):
        yield required("eventTime")
    if (kind := obj.get("type", "")) not in ("Normal", "Warning"):
        yield invalid("type", "", f"has invalid value: {kind}")
    for old, name in _OLDER:
        if obj.get(old):
            yield invalid(name, "", "needs to be unset")


def _series(obj: Any) -> Iterator[Problem]:
    series = obj.get("series")
    if series is None:
        return
    if series.get("count", 0) < 2:
        yield invalid("series.count", "", "should be at least 2")
    if not series.get("lastObservedTime"):
        yield required("series.lastObservedTime")


def kept(new: Any, old: Any) -> Iterator[Problem]:
    """By the newer view only an Event's series goes on."""
    yield from legacy(new)
    if new.get("series") != old.get("series"):
        yield from _series(new)
    for member, name in (("regarding", "involvedObject"), ("related", "related")):
        if new.get(member) != old.get(member):
            yield invalid_shown(name, _shown_reference(new.get(member)), IMMUTABLE)
    yield from unchanged("message", new.get("note", ""), old.get("note", ""))
    for member, name in _OLDER:
        yield from unchanged(name, new.get(member), old.get(member))
    for name in _KEPT:
        yield from unchanged(name, new.get(name, ""), old.get(name, ""))
    yield from unchanged("eventTime", new.get("eventTime"), old.get("eventTime"))


_REFERENCE = {"Kind": "kind", "Namespace": "namespace", "Name": "name", "UID": "uid", "APIVersion": "apiVersion",
              "ResourceVersion": "resourceVersion", "FieldPath": "fieldPath"}  # fmt: skip


def _shown_reference(ref: Any) -> str:
    return show(ref) if ref is None else go_named(ref, _REFERENCE)
