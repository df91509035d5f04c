"""Roles, their bindings, Leases and the tokens asked for: what authorization and coordination kinds must hold."""

from collections.abc import Iterator
from typing import Any

from lambent.kube.schema import Problem
from lambent.kubeserver.validation import names
from lambent.kubeserver.validation.errors import (
    go_named,
    invalid,
    invalid_shown,
    not_negative,
    positive,
    required,
    texts,
    unsupported,
)
from lambent.kubeserver.validation.selectors import is_readable, label_selector

_RBAC = "rbac.authorization.k8s.io"
_SHORTEST_TOKEN_S, _LONGEST_TOKEN_S = 600, 1 << 32


def role(obj: Any) -> Iterator[Problem]:
    for index, rule in enumerate(obj.get("rules") or ()):
        yield from _policy(rule, f"rules[{index}]", namespaced=True)


def cluster_role(obj: Any) -> Iterator[Problem]:
    for index, rule in enumerate(obj.get("rules") or ()):
        yield from _policy(rule, f"rules[{index}]", namespaced=False)
    aggregated = obj.get("aggregationRule")
    if aggregated is not None:
        selectors = aggregated.get("clusterRoleSelectors") or ()
        if not selectors:
            yield required(
                "aggregationRule.clusterRoleSelectors",
                "at least one clusterRoleSelector required if aggregationRule is non-nil",
            )
        for index, selector in enumerate(selectors):
            here = f"aggregationRule.clusterRoleSelectors[{index}]"
            wrong = [*label_selector(selector, here)]
            yield from wrong
            if wrong and not is_readable(selector):
                yield invalid(here, None, "invalid label selector.")


def _policy(rule: Any, at: str, *, namespaced: bool) -> Iterator[Problem]:
    if not rule.get("verbs"):
        yield required(f"{at}.verbs", "verbs must contain at least one value")
    urls = rule.get("nonResourceURLs") or []
    if urls:
        if namespaced:
            yield invalid(f"{at}.nonResourceURLs", urls, "namespaced rules cannot apply to non-resource URLs")
        if any(rule.get(name) for name in ("apiGroups", "resources", "resourceNames")):
            yield invalid(
                f"{at}.nonResourceURLs", urls, "rules cannot apply to both regular resources and non-resource URLs"
            )
        return
    if not rule.get("apiGroups"):
        yield required(f"{at}.apiGroups", "resource rules must supply at least one api group")
    if not rule.get("resources"):
        yield required(f"{at}.resources", "resource rules must supply at least one resource")


def binding(obj: Any, *, namespaced: bool = True) -> Iterator[Problem]:
    ref = obj.get("roleRef") or {}
    if (group := ref.get("apiGroup", "")) != _RBAC:
        yield unsupported("roleRef.apiGroup", group, [_RBAC])
    kinds = ["Role", "ClusterRole"] if namespaced else ["ClusterRole"]
    if (kind := ref.get("kind", "")) not in kinds:
        yield unsupported("roleRef.kind", kind, kinds)
    if not ref.get("name"):
        yield required("roleRef.name")
    else:
        yield from texts("roleRef.name", ref["name"], names.path_segment(ref["name"]))
    for index, subject in enumerate(obj.get("subjects") or ()):
        yield from _subject(subject, f"subjects[{index}]", namespaced=namespaced)


def cluster_binding(obj: Any) -> Iterator[Problem]:
    return binding(obj, namespaced=False)


def _subject(subject: Any, at: str, *, namespaced: bool) -> Iterator[Problem]:
    name, kind, group = subject.get("name", ""), subject.get("kind", ""), subject.get("apiGroup", "")
    if not name:
        yield required(f"{at}.name")
    if kind == "ServiceAccount":
        if name:
            yield from texts(f"{at}.name", name, names.subdomain(name))
        if group:
            yield unsupported(f"{at}.apiGroup", group, [""])
        if not namespaced and not subject.get("namespace"):
            yield required(f"{at}.namespace")
    elif kind in ("User", "Group"):
        if group != _RBAC:
            yield unsupported(f"{at}.apiGroup", group, [_RBAC])
    else:
        yield unsupported(f"{at}.kind", kind, ["ServiceAccount", "User", "Group"])


def kept_binding(new: Any, old: Any) -> Iterator[Problem]:
    if new.get("roleRef") != old.get("roleRef"):
        ref = new.get("roleRef") or {}
        shown = go_named(ref, {"APIGroup": "apiGroup", "Kind": "kind", "Name": "name"})
        yield invalid_shown("roleRef", shown, "cannot change roleRef")


def lease(obj: Any) -> Iterator[Problem]:
    spec = obj.get("spec") or {}
    yield from positive("spec.leaseDurationSeconds", spec.get("leaseDurationSeconds"))
    yield from not_negative("spec.leaseTransitions", spec.get("leaseTransitions"))


def token_request(spec: Any) -> Iterator[Problem]:
    seconds = spec.get("expirationSeconds", 3600)
    if seconds < _SHORTEST_TOKEN_S:
        yield invalid("spec.expirationSeconds", seconds, "may not specify a duration less than 10 minutes")
    if seconds > _LONGEST_TOKEN_S:
        yield invalid("spec.expirationSeconds", seconds, "may not specify a duration larger than 2^32 seconds")
