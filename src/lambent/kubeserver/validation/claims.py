"""Claims of volumes: as objects, and as templates in Pods and StatefulSets.

Source: Kubernetes API reference, PersistentVolumeClaimSpec.
"""

from collections.abc import Iterator
from typing import Any

from lambent.kube.schema import Problem
from lambent.kubeserver.validation import names
from lambent.kubeserver.validation.errors import IMMUTABLE, forbidden, invalid, invalid_shown, required, unsupported
from lambent.kubeserver.validation.quantities import parse
from lambent.kubeserver.validation.rules import Members, among, members, named, needed
from lambent.kubeserver.validation.selectors import annotations, label_selector, labels

_NAMED: Members = {
    "storageClassName": named(names.subdomain),
    "volumeAttributesClassName": named(names.subdomain),
    "volumeMode": among("Block", "Filesystem"),
}
_REFERENCE: Members = {"name": needed(), "kind": needed()}
_ELSEWHERE: Members = {"apiGroup": named(names.subdomain), "namespace": named(names.dns_label)}
_ACCESS = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")


def claim(obj: Any) -> Iterator[Problem]:
    return claim_spec(obj.get("spec") or {}, "spec")


def claim_template(found: Any, at: str) -> Iterator[Problem]:
    """What a Pod makes a claim of: of its metadata only labels and annotations are taken."""
    meta = found.get("metadata") or {}
    yield from annotations(meta.get("annotations") or {}, f"{at}.metadata.annotations")
    yield from labels(meta.get("labels") or {}, f"{at}.metadata.labels")
    for name, value in meta.items():
        if name not in ("labels", "annotations") and value:
            yield forbidden(f"{at}.metadata.{_GO_NAMES.get(name, name)}", "cannot be set")
    yield from claim_spec(found.get("spec") or {}, f"{at}.spec")


_GO_NAMES = {"uid": "uID"}


def claim_spec(spec: Any, at: str) -> Iterator[Problem]:
    modes = spec.get("accessModes") or ()
    if not modes:
        yield required(f"{at}.accessModes", "at least 1 access mode is required")
    yield from label_selector(spec.get("selector"), f"{at}.selector")
    for mode in modes:
        if mode not in _ACCESS:
            yield unsupported(f"{at}.accessModes", mode, _ACCESS)
    if "ReadWriteOncePod" in modes and len({*modes} & {*_ACCESS}) > 1:
        yield forbidden(f"{at}.accessModes", "may not use ReadWriteOncePod with other access modes")
    yield from _size(((spec.get("resources") or {}).get("requests") or {}).get("storage"), f"{at}.resources[storage]")
    yield from members(spec, at, _NAMED)
    yield from _sources(spec, at)


def _size(size: str | None, at: str) -> Iterator[Problem]:
    if size is None:
        yield required(at)
    elif parse(size)[0] <= 0:
        yield invalid(at, size, "must be greater than zero")


def _sources(spec: Any, at: str) -> Iterator[Problem]:
    old, new = spec.get("dataSource"), spec.get("dataSourceRef")
    for name, source in (("dataSource", old), ("dataSourceRef", new)):
        if source is not None:
            yield from _source(source, f"{at}.{name}")
    if old is None or new is None:
        return
    if new.get("namespace"):
        yield invalid_shown(at, "{}", "may not be specified when dataSourceRef.namespace is specified")
    elif any(old.get(name) != new.get(name) for name in ("apiGroup", "kind", "name")):
        yield invalid_shown(at, "{}", "must match dataSourceRef")


def _source(source: Any, at: str) -> Iterator[Problem]:
    yield from members(source, at, _REFERENCE)
    group, kind = source.get("apiGroup") or "", source.get("kind", "")
    if not group and kind != "PersistentVolumeClaim":
        yield invalid(at, kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup")
    yield from members(source, at, _ELSEWHERE)


def kept_claim(new: Any, old: Any) -> Iterator[Problem]:
    """Of a claim only the size may grow, and only when it is bound; a volume may be named once."""
    before, after = dict(old["spec"]), dict(new.get("spec") or {})
    is_bound = (old.get("status") or {}).get("phase") == "Bound"
    sizes = [parse(((spec.get("resources") or {}).get("requests") or {}).get("storage", "0"))[0]
             for spec in (before, after)]  # fmt: skip
    capacity = ((old.get("status") or {}).get("capacity") or {}).get("storage", "0")
    kept = [_kept(spec, is_bound=is_bound) for spec in (before, after)]
    if not before.get("volumeName"):
        kept[0]["volumeName"] = kept[1].get("volumeName")
    if before.get("storageClassName") is None:
        kept[0]["storageClassName"] = kept[1].get("storageClassName")
    if _without_absent(kept[0]) != _without_absent(kept[1]):
        text = "spec is immutable after creation except resources.requests and volumeAttributesClassName"
        yield forbidden("spec", f"{text} for bound claims")
    if sizes[1] < sizes[0] and sizes[1] <= parse(capacity)[0]:
        yield forbidden("spec.resources.requests.storage", "field can not be less than status.capacity")
    if before.get("volumeMode") != after.get("volumeMode"):
        yield invalid("volumeMode", after.get("volumeMode"), IMMUTABLE)


def _kept(spec: Any, *, is_bound: bool) -> dict[str, Any]:
    if not is_bound:
        return dict(spec)
    wanted = spec.get("resources") or {}
    requests = {name: value for name, value in (wanted.get("requests") or {}).items() if name != "storage"}
    return {**spec, "resources": {**wanted, "requests": requests}, "volumeAttributesClassName": None}


def _without_absent(spec: Any) -> dict[str, Any]:
    return {name: value for name, value in spec.items() if value is not None}
