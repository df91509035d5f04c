"""Events have two faces: core/v1, in which they are stored, and events.k8s.io/v1. Source: Kubernetes API reference."""

from typing import Any

GROUP = "events.k8s.io"
_RENAMED = {
    "involvedObject": "regarding",
    "message": "note",
    "reportingComponent": "reportingController",
    "firstTimestamp": "deprecatedFirstTimestamp",
    "lastTimestamp": "deprecatedLastTimestamp",
    "count": "deprecatedCount",
    "source": "deprecatedSource",
}
_OMITTED_EMPTY = ("reportingController", "reportingInstance")
"""Of these two the older face writes the empty text, the newer one nothing."""
_BACK = {new: old for old, new in _RENAMED.items()}


def as_events_v1(obj: dict[str, Any]) -> dict[str, Any]:
    """The newer face of a stored event."""
    out = {_RENAMED.get(name, name): value for name, value in obj.items()}
    for name in _OMITTED_EMPTY:
        if out.get(name) == "":
            del out[name]
    return {**out, "apiVersion": f"{GROUP}/v1"}


def as_core_v1(obj: dict[str, Any]) -> dict[str, Any]:
    """What is stored of an event in its newer face."""
    out = {_BACK.get(name, name): value for name, value in obj.items()}
    return {**out, "apiVersion": "v1"}
