"""The parameters of a list or a watch: selectors, versions, and what may not be said together.

Source: Kubernetes API concepts, "Semantics for get and list"; texts as kube-apiserver 1.34.
"""

import re

from lambent.kube.schema import Problem
from lambent.kubeserver import selectors, status
from lambent.kubeserver.call import Call, quoted
from lambent.kubeserver.selectors import Selection
from lambent.kubeserver.status import ApiError, bad_request
from lambent.kubeserver.validation import errors

_UNSIGNED, _LARGEST = re.compile("0*([0-9]+)"), (1 << 64) - 1
_DIGITS = 21  # more are out of range whatever they are
_NOT_WITH_CONTINUE = errors.forbidden(
    "resourceVersionMatch", "resourceVersionMatch is forbidden when continue is provided"
)


def selection(call: Call) -> Selection:
    """Both selectors; raises 400 for what they may not say."""
    return selectors.parse(call.query.get("labelSelector", ""), call.query.get("fieldSelector", ""), call.resource)


def version_of(call: Call) -> int:
    """The resourceVersion parameter; 0 when unset."""
    text = call.query.get("resourceVersion", "")
    if not text:
        return 0
    found = _UNSIGNED.fullmatch(text)
    if found is None or int(found[1][:_DIGITS]) > _LARGEST:
        why = "invalid syntax" if found is None else "value out of range"
        message = f"strconv.ParseUint: parsing {quoted(text)}: {why}"
        text = f"resourceVersion: Invalid value: {quoted(text)}: {message}"
        if call.name or call.verb == "watch":
            raise ApiError(500, text, reason="")
        raise bad_request(f"invalid resource version: {text}")
    return int(found[1])


def check_list(call: Call) -> None:
    """Raises 422 for parameters that do not go together in a list."""
    match, version = call.query.get("resourceVersionMatch", ""), call.query.get("resourceVersion", "")
    found: list[Problem] = []
    if match:
        if not version:
            text = "resourceVersionMatch is forbidden unless resourceVersion is provided"
            found.append(errors.forbidden("resourceVersionMatch", text))
        if call.query.get("continue"):
            found.append(_NOT_WITH_CONTINUE)
        if match not in ("Exact", "NotOlderThan"):
            found.append(errors.unsupported("resourceVersionMatch", match, ["Exact", "NotOlderThan", ""]))
        if match == "Exact" and version == "0":
            text = 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'
            found.append(errors.forbidden("resourceVersionMatch", text))
    if "sendInitialEvents" in call.query:
        found.append(errors.forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"))
    if found:
        raise status.invalid("meta.k8s.io", "ListOptions", "", found)


def wants_initial(call: Call) -> bool | None:
    """sendInitialEvents, or None when unset; it needs resourceVersionMatch=NotOlderThan."""
    is_told, match = "sendInitialEvents" in call.query, call.query.get("resourceVersionMatch", "")
    found = []
    if is_told and match != "NotOlderThan":
        text = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
        found.append(errors.forbidden("resourceVersionMatch", text))
    if match and not is_told:
        text = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
        found.append(errors.forbidden("resourceVersionMatch", text))
    if match not in ("", "NotOlderThan"):
        found.append(errors.unsupported("resourceVersionMatch", match, ["NotOlderThan"]))
    is_legacy = not is_told and call.query.get("resourceVersion", "") in ("", "0")
    if (match or is_legacy) and call.query.get("continue"):
        found.append(_NOT_WITH_CONTINUE)
    if found:
        raise status.invalid("meta.k8s.io", "ListOptions", "", found)
    return call.says("sendInitialEvents") if is_told else None
