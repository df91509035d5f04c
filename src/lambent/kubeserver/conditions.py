"""Conditions of a status that the server itself writes, in the order in which they first came."""

from typing import Any

TERMINATING = "Terminating"


def set_condition(obj: Any, kind: str, status: str, reason: str, message: str, *, now: str) -> None:
    """Changes or adds a condition; its time moves only when its status does. `now` is a stamp of RFC 3339."""
    held = obj.setdefault("status", {})
    conditions = held["conditions"] = list(held.get("conditions") or ())
    said = {"message": message, "reason": reason, "status": status, "type": kind}
    for index, one in enumerate(conditions):
        if one["type"] == kind:
            time = one.get("lastTransitionTime") if one["status"] == status else now
            conditions[index] = {"lastTransitionTime": time or now, **said}
            return
    conditions.append({"lastTransitionTime": now, **said})


def is_true(obj: Any, kind: str) -> bool:
    conditions = (obj.get("status") or {}).get("conditions") or ()
    return any(one["type"] == kind and one["status"] == "True" for one in conditions)
