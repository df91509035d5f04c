"""Deployments, ReplicaSets, StatefulSets and DaemonSets: replicas, selector, template, strategy.

Source: Kubernetes API reference, apps/v1.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from lambent.kube.schema import Problem
from lambent.kubeserver.validation import names, selectors
from lambent.kubeserver.validation.claims import claim_spec
from lambent.kubeserver.validation.errors import (
    IMMUTABLE,
    forbidden,
    go_struct,
    invalid,
    invalid_shown,
    required,
    texts,
    unsupported_shown,
)
from lambent.kubeserver.validation.pods import template
from lambent.kubeserver.validation.rules import Members, among, each, inside, members, named, not_negative, one_of

_COUNTS: Members = {"replicas": not_negative, "minReadySeconds": not_negative}
_DEPLOYMENT: Members = {
    "minReadySeconds": not_negative,
    "revisionHistoryLimit": not_negative,
    "progressDeadlineSeconds": not_negative,
}


def deployment(obj: Any) -> Iterator[Problem]:
    spec = obj.get("spec") or {}
    yield from not_negative(spec.get("replicas"), "spec.replicas")
    yield from _selected(spec, "deployment")
    yield from _deployment_strategy(spec.get("strategy") or {}, "spec.strategy")
    yield from members(spec, "spec", _DEPLOYMENT)
    deadline = spec.get("progressDeadlineSeconds")
    if deadline is not None and deadline <= (spec.get("minReadySeconds") or 0):
        yield invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds")


def replica_set(obj: Any) -> Iterator[Problem]:
    spec = obj.get("spec") or {}
    yield from members(spec, "spec", _COUNTS)
    yield from _selected(spec, "deployment")  # kube-apiserver says deployment here too


def kept_selector(new: Any, old: Any) -> Iterator[Problem]:
    selector = (new.get("spec") or {}).get("selector")
    if selector != old["spec"].get("selector"):
        shown = "null" if selector is None else selectors.shown(selector)
        yield invalid_shown("spec.selector", shown, IMMUTABLE)


def _selected(spec: Any, kind: str) -> Iterator[Problem]:
    """The selector, whether it selects the template, and the template."""
    yield from _selector(spec.get("selector"), kind)
    selector, found = spec.get("selector"), spec.get("template") or {}
    if selector is not None and not selectors.is_readable(selector):
        text = "" if kind == "statefulset" else "invalid label selector"
        yield invalid_shown("spec.selector", selectors.shown(selector), text)
        return
    shown = (found.get("metadata") or {}).get("labels")
    is_missed = selector is None or not selectors.selects(selector, shown or {})
    if is_missed and (selector is None or not selectors.is_empty(selector)):
        yield invalid("spec.template.metadata.labels", shown, selectors.MISMATCH)
    yield from template(found, "spec.template")
    if kind == "statefulset":
        yield from template_metadata(found)
    yield from _always(found, "StatefulSet" if kind == "statefulset" else "ReplicaSet")


def template_metadata(found: Any) -> Iterator[Problem]:
    """A StatefulSet's template is looked at twice."""
    meta = found.get("metadata") or {}
    yield from selectors.labels(meta.get("labels") or {}, "spec.template.labels")
    yield from selectors.annotations(meta.get("annotations") or {}, "spec.template.annotations")


def _selector(selector: Any, kind: str) -> Iterator[Problem]:
    if selector is None:
        yield required("spec.selector")
        return
    yield from selectors.label_selector(selector, "spec.selector")
    if selectors.is_empty(selector):
        yield invalid("spec.selector", selector, f"empty selector is invalid for {kind}")


_ALWAYS = one_of("Always")


def _always(found: Any, kind: str) -> Iterator[Problem]:
    spec = found.get("spec") or {}
    if found.get("spec") is not None:
        yield from _ALWAYS(spec.get("restartPolicy"), "spec.template.spec.restartPolicy")
    if spec.get("activeDeadlineSeconds") is not None:
        text = f"activeDeadlineSeconds in {kind} is not Supported"
        yield forbidden("spec.template.spec.activeDeadlineSeconds", text)


def _deployment_strategy(strategy: Any, at: str) -> Iterator[Problem]:
    rolling = strategy.get("rollingUpdate")
    match strategy.get("type", ""):
        case "Recreate":
            if rolling is not None:
                text = "may not be specified when strategy `type` is 'Recreate'"
                yield forbidden(f"{at}.rollingUpdate", text)
        case "RollingUpdate":
            yield from _rolling(rolling or {}, f"{at}.rollingUpdate")
        case _:
            yield unsupported_shown(at, _shown(strategy, "MaxUnavailable", "MaxSurge"), ["Recreate", "RollingUpdate"])


def _shown(strategy: Any, *rolling: str) -> str:
    return go_struct({"type": "", **strategy}, "Type", "RollingUpdate", nested={"RollingUpdate": rolling})


def _rolling(rolling: Any, at: str) -> Iterator[Problem]:
    most, surge = rolling.get("maxUnavailable", 0), rolling.get("maxSurge", 0)
    yield from number_or_percent(most, f"{at}.maxUnavailable")
    yield from number_or_percent(surge, f"{at}.maxSurge")
    if _amount(most) == 0 and _amount(surge) == 0:
        yield invalid(f"{at}.maxUnavailable", most, "may not be 0 when `maxSurge` is 0")
    yield from at_most_all(most, f"{at}.maxUnavailable")


def number_or_percent(value: int | str, at: str) -> Iterable[Problem]:
    return texts(at, value, names.percent(value)) if isinstance(value, str) else not_negative(value, at)


def at_most_all(value: int | str, at: str) -> Iterator[Problem]:
    if isinstance(value, str) and not names.percent(value) and int(value[:-1]) > 100:
        yield invalid(at, value, "must not be greater than 100%")


def _amount(value: int | str) -> int:
    if isinstance(value, int):
        return value
    digits = value[:-1] if not names.percent(value) else value
    return int(digits) if digits.isdecimal() else 0


_RETAINED = {"whenDeleted": among("Retain", "Delete"), "whenScaled": among("Retain", "Delete")}
_STATEFUL: Members = {
    "persistentVolumeClaimRetentionPolicy": inside(_RETAINED),
    **_COUNTS,
    "ordinals": inside({"start": not_negative}),
    "serviceName": named(names.dns_label),
}


def stateful_set(obj: Any) -> Iterator[Problem]:
    spec = obj.get("spec") or {}
    policy = spec.get("podManagementPolicy", "")
    if policy not in ("OrderedReady", "Parallel"):
        yield invalid("spec.podManagementPolicy", policy, "must be 'OrderedReady' or 'Parallel'")
    yield from _stateful_strategy(spec.get("updateStrategy") or {}, "spec.updateStrategy")
    yield from members(spec, "spec", _STATEFUL)
    yield from _selected(_with_claims(spec), "statefulset")


def new_stateful_set(obj: Any) -> Iterator[Problem]:
    """The claims, which never change after."""
    for one, here in each((obj.get("spec") or {}).get("volumeClaimTemplates"), "spec.volumeClaimTemplates"):
        yield from claim_spec(one.get("spec") or {}, f"{here}.spec")


def _with_claims(spec: Any) -> Any:
    """The spec whose template has the volumes that its claims will become."""
    claims = {(one.get("metadata") or {}).get("name", ""): None for one in spec.get("volumeClaimTemplates") or ()}
    found = spec.get("template") or {}
    if not claims or not isinstance(found.get("spec"), dict):
        return spec
    own = [one for one in found["spec"].get("volumes") or () if one.get("name") not in claims]
    made = [{"name": name, "persistentVolumeClaim": {"claimName": name}} for name in claims]
    return {**spec, "template": {**found, "spec": {**found["spec"], "volumes": [*made, *own]}}}


def _stateful_strategy(strategy: Any, at: str) -> Iterator[Problem]:
    kind, rolling, here = strategy.get("type", ""), strategy.get("rollingUpdate"), f"{at}.rollingUpdate"
    full = strategy if rolling is None else {**strategy, "rollingUpdate": {"partition": 0, **rolling}}
    if kind == "OnDelete":
        if rolling is not None:
            shown = go_struct(full["rollingUpdate"], *_ROLLING)
            yield invalid_shown(here, shown, "only allowed for updateStrategy 'RollingUpdate'")
    elif kind != "RollingUpdate":
        yield invalid_shown(at, _shown(full, *_ROLLING), "must be 'RollingUpdate' or 'OnDelete'")
    elif rolling is not None:
        yield from not_negative(rolling.get("partition"), f"{here}.partition")
        if (most := rolling.get("maxUnavailable")) is not None:
            yield from number_or_percent(most, f"{here}.maxUnavailable")
            if _amount(most) == 0:
                yield invalid(f"{here}.maxUnavailable", most, "cannot be 0")
            yield from at_most_all(most, f"{here}.maxUnavailable")


_ROLLING = ("Partition", "MaxUnavailable")
_MUTABLE = ("replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit",
            "persistentVolumeClaimRetentionPolicy", "minReadySeconds")  # fmt: skip


def kept_stateful_set(new: Any, old: Any) -> Iterator[Problem]:
    before, after = (
        {key: value for key, value in (obj.get("spec") or {}).items() if key not in _MUTABLE} for obj in (old, new)
    )
    if before != after:
        *first, last = (f"'{name}'" for name in _MUTABLE)
        listed = f"{', '.join(first)} and {last}"
        yield forbidden("spec", f"updates to statefulset spec for fields other than {listed} are forbidden")


def daemon_set(obj: Any) -> Iterator[Problem]:
    spec = obj.get("spec") or {}
    selector, found = spec.get("selector"), spec.get("template") or {}
    yield from selectors.label_selector(selector, "spec.selector")
    shown = (found.get("metadata") or {}).get("labels")
    if selectors.misses(selector, shown):
        yield invalid("spec.template.metadata.labels", shown, selectors.MISMATCH)
    if selector is not None and selectors.is_empty(selector):
        yield invalid("spec.selector", selector, "empty selector is invalid for daemonset")
    yield from template(found, "spec.template")
    yield from _always(found, "DaemonSet")
    yield from not_negative(spec.get("minReadySeconds"), "spec.minReadySeconds")
    yield from _daemon_strategy(spec.get("updateStrategy") or {}, "spec.updateStrategy")
    yield from not_negative(spec.get("revisionHistoryLimit"), "spec.revisionHistoryLimit")


def _daemon_strategy(strategy: Any, at: str) -> Iterator[Problem]:
    kind, rolling = strategy.get("type", ""), strategy.get("rollingUpdate") or {}
    if kind not in ("OnDelete", "RollingUpdate"):
        yield unsupported_shown(at, _shown(strategy, "MaxUnavailable", "MaxSurge"), ["RollingUpdate", "OnDelete"])
    elif kind == "RollingUpdate":
        here = f"{at}.rollingUpdate"
        most, surge = rolling.get("maxUnavailable", 1), rolling.get("maxSurge", 0)
        for rule in (number_or_percent, at_most_all):
            yield from rule(most, f"{here}.maxUnavailable")
            yield from rule(surge, f"{here}.maxSurge")
        if _amount(most) and _amount(surge):
            yield invalid(f"{here}.maxSurge", surge, "may not be set when maxUnavailable is non-zero")
        elif not _amount(most) and not _amount(surge):
            yield required(f"{here}.maxUnavailable", "cannot be 0 when maxSurge is 0")
