"""Labels, annotations and label selectors as members of objects. Source: Kubernetes API reference, LabelSelector."""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from lambent.kube.schema import Problem
from lambent.kubeserver.validation import names
from lambent.kubeserver.validation.errors import forbidden, invalid, required, show, texts, too_long
from lambent.kubeserver.validation.rules import always, each, items

_ANNOTATIONS_LIMIT_BYTES = 256 * 1024

MISMATCH = "`selector` does not match template `labels`"
NO_OPERATOR = "not a valid selector operator"
_KEY, _VALUES = always(names.qualified), items(always(names.label_value))


def labels(values: Mapping[str, str], at: str) -> Iterator[Problem]:
    for key, value in values.items():
        yield from texts(at, key, names.qualified(key))
        yield from texts(at, value, names.label_value(value))


def annotations(values: Mapping[str, str], at: str) -> Iterator[Problem]:
    """Keys in any case; all together within their limit."""
    for key in values:
        yield from texts(at, key, names.qualified(key.lower()))
    if sum(len(key.encode()) + len(value.encode()) for key, value in values.items()) > _ANNOTATIONS_LIMIT_BYTES:
        yield too_long(at, _ANNOTATIONS_LIMIT_BYTES)


def label_selector(selector: Any, at: str) -> Iterator[Problem]:
    if not selector:
        return
    yield from labels(selector.get("matchLabels") or {}, f"{at}.matchLabels")
    for term, here in each(selector.get("matchExpressions"), f"{at}.matchExpressions"):
        yield from requirement(term, here)


def requirement(term: Any, at: str, *, is_of_nodes: bool = False, judges_values: bool = True) -> Iterator[Problem]:
    """One term of a selector; those of nodes compare numbers too."""
    values = term.get("values") or ()
    match term.get("operator", ""):
        case "In" | "NotIn":
            if not values:
                yield required(f"{at}.values", "must be specified when `operator` is 'In' or 'NotIn'")
        case "Exists" | "DoesNotExist":
            if values:
                yield forbidden(f"{at}.values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
        case "Gt" | "Lt" if is_of_nodes:
            if len(values) != 1:
                yield required(f"{at}.values", "must be specified single value when `operator` is 'Lt' or 'Gt'")
        case operator:
            yield invalid(f"{at}.operator", operator, NO_OPERATOR)
    yield from _KEY(term.get("key"), f"{at}.key")
    if judges_values:
        yield from _VALUES(values, f"{at}.values")


def is_empty(selector: Any) -> bool:
    return not (selector or {}).get("matchLabels") and not (selector or {}).get("matchExpressions")


def is_readable(selector: Any) -> bool:
    """Whether a selector can be asked at all."""
    return not any(True for _ in label_selector(selector, ""))


def selects(selector: Any, found: Mapping[str, str]) -> bool:
    if any(found.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    return all(_holds(term, found) for term in selector.get("matchExpressions") or ())


def misses(selector: Any, found: Mapping[str, str] | None) -> bool:
    """Whether a selector is absent, or can be asked and does not select these labels."""
    return selector is None or (is_readable(selector) and not selects(selector, found or {}))


def _holds(term: Any, found: Mapping[str, str]) -> bool:
    value, values = found.get(term["key"]), term.get("values") or ()
    match term["operator"]:
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case _:
            return value is None


def shown(selector: Any) -> str:
    """As a refusal quotes it: in the order of its struct."""
    labels_, terms = selector.get("matchLabels"), selector.get("matchExpressions")
    parts = [f'"matchLabels":{show(labels_)}'] if labels_ else []
    if terms:
        listed = [{name: term.get(name) for name in ("key", "operator", "values")} for term in terms]
        told = [{name: value for name, value in one.items() if value is not None} for one in listed]
        parts.append(f'"matchExpressions":{orjson.dumps(told).decode()}')
    return "{" + ",".join(parts) + "}"
