"""Where Pods go: affinity, tolerations, topology spread and gates.

Source: Kubernetes API reference, Affinity, Toleration, TopologySpreadConstraint.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from lambent.kube.schema import Problem
from lambent.kubeserver.validation import names
from lambent.kubeserver.validation.errors import (
    duplicate,
    forbidden,
    invalid,
    listed,
    positive,
    required,
    texts,
    unsupported,
)
from lambent.kubeserver.validation.selectors import label_selector

_REQUIRED, _PREFERRED = (
    "requiredDuringSchedulingIgnoredDuringExecution",
    "preferredDuringSchedulingIgnoredDuringExecution",
)
_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_UNKNOWN = "not a valid selector operator"


def affinity(found: Any, at: str) -> Iterator[Problem]:
    if (node := found.get("nodeAffinity")) is not None:
        yield from _of_nodes(node, f"{at}.nodeAffinity")
    for kind in ("podAffinity", "podAntiAffinity"):
        if (pods := found.get(kind)) is not None:
            yield from _of_pods(pods, f"{at}.{kind}")


def _of_nodes(found: Any, at: str) -> Iterator[Problem]:
    if (wanted := found.get(_REQUIRED)) is not None:
        here, terms = f"{at}.{_REQUIRED}.nodeSelectorTerms", wanted.get("nodeSelectorTerms") or ()
        if not terms:
            yield required(here, "must have at least one node selector term")
        for index, term in enumerate(terms):
            yield from _node_term(term, f"{here}[{index}]", judges_values=True)
    for index, one in enumerate(found.get(_PREFERRED) or ()):
        here = f"{at}.{_PREFERRED}[{index}]"
        yield from _weight(one, here)
        yield from _node_term(one.get("preference") or {}, f"{here}.preference", judges_values=False)


def _weight(one: Any, at: str) -> Iterator[Problem]:
    if not 0 < one.get("weight", 0) <= 100:
        yield invalid(f"{at}.weight", one.get("weight", 0), "must be in the range 1-100")


def _node_term(term: Any, at: str, *, judges_values: bool) -> Iterator[Problem]:
    for index, one in enumerate(term.get("matchExpressions") or ()):
        yield from _node_expression(one, f"{at}.matchExpressions[{index}]", judges_values=judges_values)
    for index, one in enumerate(term.get("matchFields") or ()):
        yield from _node_field(one, f"{at}.matchFields[{index}]")


def _node_expression(one: Any, at: str, *, judges_values: bool) -> Iterator[Problem]:
    operator, values = one.get("operator", ""), one.get("values") or ()
    match operator:
        case "In" | "NotIn":
            if not values:
                yield required(f"{at}.values", "must be specified when `operator` is 'In' or 'NotIn'")
        case "Exists" | "DoesNotExist":
            if values:
                text = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
                yield forbidden(f"{at}.values", text)
        case "Gt" | "Lt":
            if len(values) != 1:
                text = "must be specified single value when `operator` is 'Lt' or 'Gt'"
                yield required(f"{at}.values", text)
        case _:
            yield invalid(f"{at}.operator", operator, _UNKNOWN)
    yield from _label_name(one.get("key", ""), f"{at}.key")
    for index, value in enumerate(values if judges_values else ()):
        yield from texts(f"{at}.values[{index}]", value, names.label_value(value))


def _node_field(one: Any, at: str) -> Iterator[Problem]:
    operator, values, key = one.get("operator", ""), one.get("values") or (), one.get("key", "")
    if operator not in ("In", "NotIn"):
        yield invalid(f"{at}.operator", operator, _UNKNOWN)
    elif len(values) != 1:
        text = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
        yield required(f"{at}.values", text)
    if key != "metadata.name":
        yield invalid(f"{at}.key", key, "not a valid field selector key")
        return
    for index, value in enumerate(values):
        yield from texts(f"{at}.values[{index}]", value, names.subdomain(value))


def _label_name(value: str, at: str) -> Iterator[Problem]:
    yield from texts(at, value, names.qualified(value))


def _of_pods(found: Any, at: str) -> Iterator[Problem]:
    for index, term in enumerate(found.get(_REQUIRED) or ()):
        yield from _pod_term(term, f"{at}.{_REQUIRED}[{index}]")
    for index, one in enumerate(found.get(_PREFERRED) or ()):
        here = f"{at}.{_PREFERRED}[{index}]"
        yield from _weight(one, here)
        yield from _pod_term(one.get("podAffinityTerm") or {}, f"{here}.podAffinityTerm")


def _pod_term(term: Any, at: str) -> Iterator[Problem]:
    for name in ("labelSelector", "namespaceSelector"):
        yield from label_selector(term.get(name), f"{at}.{name}")
    for name in term.get("namespaces") or ():
        yield from texts(f"{at}.namespace", name, names.dns_label(name))
    yield from _keys(term, at)
    key = term.get("topologyKey", "")
    if not key:
        yield required(f"{at}.topologyKey", "can not be empty")
    yield from _label_name(key, f"{at}.topologyKey")


def _keys(term: Any, at: str) -> Iterator[Problem]:
    """Keys whose values are taken from the Pod itself: they need a selector and must not be in it."""
    same, other = term.get("matchLabelKeys") or (), term.get("mismatchLabelKeys") or ()
    selector = term.get("labelSelector")
    for name, keys in (("matchLabelKeys", same), ("mismatchLabelKeys", other)):
        if keys and selector is None:
            yield forbidden(f"{at}.{name}", "must not be specified when labelSelector is not set")
            continue
        for index, key in enumerate(keys):
            yield from _label_name(key, f"{at}.{name}[{index}]")
    yield from _twice_selected(same, selector or {}, at)
    for index, key in enumerate(same):
        if key in other:
            text = "exists in both matchLabelKeys and mismatchLabelKeys"
            yield invalid(f"{at}.matchLabelKeys[{index}]", key, text)


def _twice_selected(keys: Sequence[str], selector: Any, at: str) -> Iterator[Problem]:
    """Only what the selector already names is refused; a key that it takes over from the Pod is its own doing."""
    seen = set(selector.get("matchLabels") or ())
    for term in selector.get("matchExpressions") or ():
        if (key := term.get("key", "")) in keys and key in seen:
            yield invalid(f"{at}[{keys.index(key)}]", key, "exists in both matchLabelKeys and labelSelector")
        seen.add(key)


def toleration(found: Any, at: str) -> Iterator[Problem]:
    key, operator, value = found.get("key", ""), found.get("operator", ""), found.get("value", "")
    effect = found.get("effect", "")
    if key:
        yield from _label_name(key, f"{at}.key")
    elif operator != "Exists":
        text = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
        yield invalid(f"{at}.operator", operator, text)
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
    pairs = [(one.get("topologyKey", ""), one.get("whenUnsatisfiable", "")) for one in constraints]
    for index, one in enumerate(constraints):
        here, (key, action) = f"{at}[{index}]", pairs[index]
        yield from positive(f"{here}.maxSkew", one.get("maxSkew", 0), text="must be greater than zero")
        if not key:
            yield required(f"{here}.topologyKey", "can not be empty")
        if action not in ("DoNotSchedule", "ScheduleAnyway"):
            yield unsupported(f"{here}.whenUnsatisfiable", action, ["DoNotSchedule", "ScheduleAnyway"])
        if pairs[index] in pairs[index + 1 :]:
            yield duplicate(f"{here}.{{topologyKey, whenUnsatisfiable}}", f"{{{key}, {action}}}")
        yield from _least_domains(one, action, f"{here}.minDomains")
        for name in ("nodeAffinityPolicy", "nodeTaintsPolicy"):
            yield from listed(f"{here}.{name}", one.get(name), ("Honor", "Ignore"))
        yield from _keys(one, here)
        yield from label_selector(one.get("labelSelector"), f"{here}.labelSelector")


def _least_domains(one: Any, action: str, at: str) -> Iterator[Problem]:
    least = one.get("minDomains")
    yield from positive(at, least, text="must be greater than zero")
    if least is not None and action != "DoNotSchedule":
        yield invalid(at, least, f"can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {action}")


def gates(found: Any, at: str) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, one in enumerate(found):
        name = one.get("name", "")
        yield from _label_name(name, f"{at}[{index}]")
        if name in seen:
            yield duplicate(f"{at}[{index}]", name)
        seen.add(name)
