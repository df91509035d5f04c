"""HorizontalPodAutoscalers: target, metrics and how fast they may scale. Source: Kubernetes API reference,
autoscaling/v2.
"""

from collections.abc import Iterator
from typing import Any

from lambent.kube.schema import Problem
from lambent.kubeserver.validation import names
from lambent.kubeserver.validation.errors import POSITIVE, forbidden, invalid, required
from lambent.kubeserver.validation.quantities import parse
from lambent.kubeserver.validation.resources import container_name
from lambent.kubeserver.validation.rules import (
    Members,
    among,
    each,
    inside,
    items,
    members,
    named,
    needed,
    one_of,
    positive,
    whole,
)

_METRICS = {"Object": "object", "External": "external", "Pods": "pods", "Resource": "resource",
            "ContainerResource": "containerResource"}  # fmt: skip
_LONGEST_WINDOW_S, _LONGEST_PERIOD_S = 3600, 1800


def autoscaler(obj: Any) -> Iterator[Problem]:
    spec = obj.get("spec") or {}
    least, most, metrics = spec.get("minReplicas"), spec.get("maxReplicas", 0), spec.get("metrics")
    yield from _LEAST(least, "spec.minReplicas")
    if most < 1:
        yield invalid("spec.maxReplicas", most, POSITIVE)
    if least is not None and most < least:
        yield invalid("spec.maxReplicas", most, "must be greater than or equal to `minReplicas`")
    yield from _target(spec.get("scaleTargetRef") or {}, "spec.scaleTargetRef")
    if least == 0 and not any(metric.get("type") in ("Object", "External") for metric in metrics or ()):
        text = "must specify at least one Object or External metric to support scaling to zero replicas"
        yield forbidden("spec.metrics", text)
    for metric, here in each(metrics, "spec.metrics"):
        yield from _metric(metric, here)
    yield from members(spec.get("behavior") or {}, "spec.behavior", _BEHAVIOR)


def _target(ref: Any, at: str) -> Iterator[Problem]:
    yield from members(ref, at, _NAMED)
    version = ref.get("apiVersion", "")
    if version.count("/") > 1:
        yield invalid(f"{at}.apiVersion", version, f"unexpected GroupVersion string: {version}")
    elif "/" not in version:
        yield invalid(f"{at}.apiVersion", version, "apiVersion must specify API group")


def _metric(metric: Any, at: str) -> Iterator[Problem]:
    kind = metric.get("type", "")
    yield from _TYPED(kind, f"{at}.type")
    yield from _KIND(kind, f"{at}.type")
    present = [name for name in _METRICS.values() if metric.get(name) is not None]
    if present:
        yield from _source(metric[present[0]], present[0], f"{at}.{present[0]}")
    wanted = _METRICS.get(kind, "")
    yield from _KIND(kind, f"{at}.type")  # said once more where kube-apiserver looks for the source
    if wanted and wanted not in present:
        yield required(f"{at}.{wanted}", "must populate information for the given metric source")
    for name in sorted(present):
        if len(present) > 1 and name != wanted:
            yield forbidden(f"{at}.{name}", "must populate the given metric source only")


def _source(source: Any, kind: str, at: str) -> Iterator[Problem]:
    yield from members(source, at, _SOURCES[kind])
    target, here = source.get("target") or {}, f"{at}.target"
    value, average, used = (target.get(name) for name in ("value", "averageValue", "averageUtilization"))
    if kind in ("resource", "containerResource"):
        if used is None and average is None:
            yield required(f"{here}.averageUtilization", "must set either a target raw value or a target utilization")
        if used is not None and average is not None:
            yield forbidden(f"{here}.averageValue", "may not set both a target raw value and a target utilization")
        return
    if average is None and (kind == "pods" or value is None):
        yield required(f"{here}.averageValue", _MISSING[kind])
    if kind == "external" and average is not None and value is not None:
        yield forbidden(f"{here}.value", "may not set both a target value for metric and a per-pod target")


_MISSING = {
    "object": "must set either a target value or averageValue",
    "external": "must set either a target value for metric or a per-pod target",
    "pods": "must specify a positive target averageValue",
}


def _goal(kind: str | None, at: str) -> Iterator[Problem]:
    if not kind:
        yield required(at, "must specify a metric target type")
    if kind not in ("Utilization", "Value", "AverageValue"):
        yield invalid(at, kind or "", "must be either Utilization, Value, or AverageValue")


def _amount(amount: str | None, at: str) -> Iterator[Problem]:
    if amount is not None and parse(amount)[0] <= 0:
        yield invalid(at, amount, "must be positive")


def _window(seconds: int | None, at: str) -> Iterator[Problem]:
    if seconds is not None and seconds < 0:
        yield invalid(at, seconds, "must be greater than or equal to zero")
    if seconds is not None and seconds > _LONGEST_WINDOW_S:
        yield invalid(at, seconds, f"must be less than or equal to {_LONGEST_WINDOW_S}")


def _policy(policy: Any, at: str) -> Iterator[Problem]:
    yield from _POLICY_TYPE(policy.get("type"), f"{at}.type")
    for name in ("value", "periodSeconds"):
        yield from _ABOVE_ZERO(policy.get(name, 0), f"{at}.{name}")
    if (seconds := policy.get("periodSeconds", 0)) > _LONGEST_PERIOD_S:
        yield invalid(f"{at}.periodSeconds", seconds, f"must be less than or equal to {_LONGEST_PERIOD_S}")


_LEAST = positive("must be greater than or equal to 1")
_ABOVE_ZERO = positive("must be greater than zero")
_NAME = named(names.path_segment)
_NAMED: Members = {"kind": needed(_NAME), "name": needed(_NAME)}
_TYPED, _KIND = needed(why="must specify a metric source type"), one_of(*sorted(_METRICS))
_TARGET: Members = {
    "target": whole({"type": _goal, "averageUtilization": positive(), "value": _amount, "averageValue": _amount})
}
_OF_METRIC: Members = {"metric": whole({"name": needed(_NAME, "must specify a metric name")}), **_TARGET}
_NO_NAME = "must specify a resource name"
_SOURCES: dict[str, Members] = {
    "object": {"describedObject": whole(_NAMED), **_OF_METRIC},
    "external": _OF_METRIC,
    "pods": _OF_METRIC,
    "resource": {"name": needed(why=_NO_NAME), **_TARGET},
    "containerResource": {
        "name": needed(container_name, _NO_NAME),
        "container": needed(named(names.dns_label), "must specify a container"),
        **_TARGET,
    },
}
_POLICY_TYPE = one_of("Percent", "Pods")
_POLICIES = needed(items(_policy), "must specify at least one Policy")
_SCALING = inside(
    {
        "stabilizationWindowSeconds": _window,
        "selectPolicy": among("Disabled", "Max", "Min"),
        "policies": _POLICIES,
    }
)
_BEHAVIOR: Members = {"scaleUp": _SCALING, "scaleDown": _SCALING}
