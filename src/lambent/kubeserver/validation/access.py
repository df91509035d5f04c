"""Roles, their bindings, Leases and the tokens asked for: what authorization and coordination kinds must hold."""

from collections.abc import Iterator
from typing import Any

from lambent.kube.schema import Problem
from lambent.kubeserver.validation import names
from lambent.kubeserver.validation.errors import go_named, invalid, invalid_shown, required, texts, unsupported
from lambent.kubeserver.validation.rules import Members, each, members, named, needed, not_negative, one_of, positive
from lambent.kubeserver.validation.selectors import label_selector

_RBAC = "rbac.authorization.k8s.io"
_SHORTEST_TOKEN_S, _LONGEST_TOKEN_S = 600, 1 << 32


def role(obj: Any) -> Iterator[Problem]:
    for rule, here in each(obj.get("rules"), "rules"):
        yield from _policy(rule, here, namespaced=True)


def cluster_role(obj: Any) -> Iterator[Problem]:
    for rule, here in each(obj.get("rules"), "rules"):
        yield from _policy(rule, here, namespaced=False)
    aggregated = obj.get("aggregationRule")
    if aggregated is not None:
        at, selectors = "aggregationRule.clusterRoleSelectors", aggregated.get("clusterRoleSelectors")
        if not selectors:
            yield required(at, "at least one clusterRoleSelector required if aggregationRule is non-nil")
        for selector, here in each(selectors, at):
            wrong = [*label_selector(selector, here)]
            yield from wrong
            if wrong:
                yield invalid(here, None, "invalid label selector.")


def _policy(rule: Any, at: str, *, namespaced: bool) -> Iterator[Problem]:
    yield from _VERBS(rule.get("verbs"), f"{at}.verbs")
    urls = rule.get("nonResourceURLs") or []
    if urls:
        if namespaced:
            yield invalid(f"{at}.nonResourceURLs", urls, "namespaced rules cannot apply to non-resource URLs")
        if any(rule.get(name) for name in ("apiGroups", "resources", "resourceNames")):
            text = "rules cannot apply to both regular resources and non-resource URLs"
            yield invalid(f"{at}.nonResourceURLs", urls, text)
        return
    yield from members(rule, at, _RESOURCES)


_VERBS = needed(why="verbs must contain at least one value")
_RESOURCES: Members = {
    "apiGroups": needed(why="resource rules must supply at least one api group"),
    "resources": needed(why="resource rules must supply at least one resource"),
}


def binding(obj: Any, *, namespaced: bool = True) -> Iterator[Problem]:
    yield from members(obj.get("roleRef") or {}, "roleRef", _ROLE if namespaced else _CLUSTER_ROLE)
    for subject, here in each(obj.get("subjects"), "subjects"):
        yield from _subject(subject, here, namespaced=namespaced)


_NAME = needed(named(names.path_segment))
_ROLE: Members = {"apiGroup": one_of(_RBAC), "kind": one_of("Role", "ClusterRole"), "name": _NAME}
_CLUSTER_ROLE: Members = {**_ROLE, "kind": one_of("ClusterRole")}


def cluster_binding(obj: Any) -> Iterator[Problem]:
    return binding(obj, namespaced=False)


def _subject(subject: Any, at: str, *, namespaced: bool) -> Iterator[Problem]:
    name, kind, group = subject.get("name", ""), subject.get("kind", ""), subject.get("apiGroup", "")
    if not name:
        yield required(f"{at}.name")
    elif kind == "ServiceAccount":
        yield from texts(f"{at}.name", name, names.subdomain(name))
    if kind == "ServiceAccount":
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
    yield from members(spec, "spec", {"leaseDurationSeconds": positive(), "leaseTransitions": not_negative})


def token_life(seconds: int, at: str) -> Iterator[Problem]:
    if seconds < _SHORTEST_TOKEN_S:
        yield invalid(at, seconds, "may not specify a duration less than 10 minutes")
    if seconds > _LONGEST_TOKEN_S:
        yield invalid(at, seconds, "may not specify a duration larger than 2^32 seconds")
