"""Where Pods go: affinity, tolerations, topology spread and gates.

Source: Kubernetes API reference, Affinity, Toleration, TopologySpreadConstraint.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from lambent.kube.schema import Problem
from lambent.kubeserver.validation import names
from lambent.kubeserver.validation.errors import duplicate, forbidden, invalid, required, texts, unsupported
from lambent.kubeserver.validation.rules import (
    Members,
    always,
    among,
    each,
    inside,
    items,
    members,
    needed,
    once,
    one_of,
    positive,
)
from lambent.kubeserver.validation.selectors import NO_OPERATOR, label_selector, requirement

_REQUIRED, _PREFERRED = (
    "requiredDuringSchedulingIgnoredDuringExecution",
    "preferredDuringSchedulingIgnoredDuringExecution",
)
_KEY = always(names.qualified)
_KEYS, _NAMES = items(_KEY), items(always(names.subdomain))
_TOPOLOGY = needed(why="can not be empty")
_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_AMOUNT = positive("must be greater than zero")
_SPREAD: Members = {"topologyKey": _TOPOLOGY, "whenUnsatisfiable": one_of("DoNotSchedule", "ScheduleAnyway")}
_HONOR = among("Honor", "Ignore")
_POLICIES: Members = {"nodeAffinityPolicy": _HONOR, "nodeTaintsPolicy": _HONOR}


def affinity(found: Any, at: str) -> Iterator[Problem]:
    yield from members(found or {}, at, _AFFINITY)


def _weight(weight: int | None, at: str) -> Iterator[Problem]:
    if not 0 < (weight or 0) <= 100:
        yield invalid(at, weight or 0, "must be in the range 1-100")


def _preference(term: Any, at: str) -> Iterator[Problem]:
    return _node_term(term or {}, at, judges_values=False)


def _node_term(term: Any, at: str, *, judges_values: bool = True) -> Iterator[Problem]:
    for one, here in each(term.get("matchExpressions"), f"{at}.matchExpressions"):
        yield from requirement(one, here, is_of_nodes=True, judges_values=judges_values)
    for one, here in each(term.get("matchFields"), f"{at}.matchFields"):
        yield from _node_field(one, here)


def _node_field(one: Any, at: str) -> Iterator[Problem]:
    operator, values, key = one.get("operator", ""), one.get("values") or (), one.get("key", "")
    if operator not in ("In", "NotIn"):
        yield invalid(f"{at}.operator", operator, NO_OPERATOR)
    elif len(values) != 1:
        why = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
        yield required(f"{at}.values", why)
    if key != "metadata.name":
        yield invalid(f"{at}.key", key, "not a valid field selector key")
    else:
        yield from _NAMES(values, f"{at}.values")


def _pod_term(found: Any, at: str) -> Iterator[Problem]:
    term = found or {}
    for name in ("labelSelector", "namespaceSelector"):
        yield from label_selector(term.get(name), f"{at}.{name}")
    for name in term.get("namespaces") or ():
        yield from texts(f"{at}.namespace", name, names.dns_label(name))
    yield from _keys(term, at)
    yield from _TOPOLOGY(term.get("topologyKey"), f"{at}.topologyKey")
    yield from _KEY(term.get("topologyKey"), f"{at}.topologyKey")


_TERMS = needed(items(_node_term), "must have at least one node selector term")
_OF_PODS = inside(
    {
        _REQUIRED: items(_pod_term),
        _PREFERRED: items(inside({"weight": _weight, "podAffinityTerm": _pod_term})),
    }
)
_AFFINITY: Members = {
    "nodeAffinity": inside(
        {
            _REQUIRED: inside({"nodeSelectorTerms": _TERMS}),
            _PREFERRED: items(inside({"weight": _weight, "preference": _preference})),
        }
    ),
    "podAffinity": _OF_PODS,
    "podAntiAffinity": _OF_PODS,
}


def _keys(term: Any, at: str) -> Iterator[Problem]:
    """Keys whose values are taken from the Pod itself: they need a selector and must not be in it."""
    same, other = term.get("matchLabelKeys") or (), term.get("mismatchLabelKeys") or ()
    selector = term.get("labelSelector")
    for name, keys in (("matchLabelKeys", same), ("mismatchLabelKeys", other)):
        if keys and selector is None:
            yield forbidden(f"{at}.{name}", "must not be specified when labelSelector is not set")
        else:
            yield from _KEYS(keys, f"{at}.{name}")
    yield from _twice_selected(same, selector or {}, at)
    for key, here in each(same, f"{at}.matchLabelKeys"):
        if key in other:
            yield invalid(here, key, "exists in both matchLabelKeys and mismatchLabelKeys")


def _twice_selected(keys: Sequence[str], selector: Any, at: str) -> Iterator[Problem]:
    """Only what the selector already names is refused; a key that it takes over from the Pod is its own doing."""
    seen = set(selector.get("matchLabels") or ())
    for term in selector.get("matchExpressions") or ():
        if (key := term.get("key", "")) in keys and key in seen:
            yield invalid(f"{at}[{keys.index(key)}]", key, "exists in both matchLabelKeys and labelSelector")
        seen.add(key)


def toleration(found: Any, at: str) -> Iterator[Problem]:
    operator, value, effect = (found.get(name, "") for name in ("operator", "value", "effect"))
    if key := found.get("key", ""):
        yield from _KEY(key, f"{at}.key")
    elif operator != "Exists":
        why = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
        yield invalid(f"{at}.operator", operator, why)
    if found.get("tolerationSeconds") is not None and effect != "NoExecute":
        yield invalid(f"{at}.effect", effect, "effect must be 'NoExecute' when `tolerationSeconds` is set")
    if operator in ("Equal", ""):
        if wrong := names.label_value(value):
            yield invalid(f"{at}.operator", value, ";".join(wrong))
    elif operator == "Exists":
        if value:
            yield invalid(f"{at}.operator", value, "value must be empty when `operator` is 'Exists'")
    else:
        yield unsupported(f"{at}.operator", operator, ["Equal", "Exists"])
    if effect and effect not in _EFFECTS:
        yield unsupported(f"{at}.effect", effect, _EFFECTS)


def spread(constraints: Any, at: str) -> Iterator[Problem]:
    pairs = [(one.get("topologyKey", ""), one.get("whenUnsatisfiable", "")) for one in constraints or ()]
    for index, (one, here) in enumerate(each(constraints, at)):
        key, action = pairs[index]
        yield from _AMOUNT(one.get("maxSkew", 0), f"{here}.maxSkew")
        yield from members(one, here, _SPREAD)
        if pairs[index] in pairs[index + 1 :]:
            yield duplicate(f"{here}.{{topologyKey, whenUnsatisfiable}}", f"{{{key}, {action}}}")
        least = one.get("minDomains")
        yield from _AMOUNT(least, f"{here}.minDomains")
        if least is not None and action != "DoNotSchedule":
            why = f"can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {action}"
            yield invalid(f"{here}.minDomains", least, why)
        yield from members(one, here, _POLICIES)
        yield from _keys(one, here)
        yield from label_selector(one.get("labelSelector"), f"{here}.labelSelector")


def gates(found: Any, at: str) -> Iterator[Problem]:
    seen: set[str] = set()
    for one, here in each(found, at):
        yield from _KEY(one.get("name"), here)
        yield from once(one.get("name", ""), here, seen)
