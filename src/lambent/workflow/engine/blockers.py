"""Why a resource is not ready, in its own words: read from the conditions of the live object."""

import re
from collections.abc import Mapping
from typing import Any

_MAX_TEXT = 200
_REQUEST_ID = re.compile(
    r",?\s*(?:request\s*id|RequestID|RequestId|HostID|api error request)\s*[:=]\s*[\w\-/+=.]*", re.I
)


def why_waiting(live: Mapping[str, Any] | None) -> str:
    """` <Kind>/<name>: <reason>: <message>` of the first telling condition; empty when nothing tells.

    Telling are ACK.Terminal and ACK.Recoverable when True, and Ready when False with a message.
    """
    condition = _telling(live)
    if live is None or condition is None:
        return ""
    name = (live.get("metadata") or {}).get("name", "")
    reason = condition.get("reason") or condition.get("type")
    message = _REQUEST_ID.sub("", str(condition.get("message") or "")).strip()
    text = f" {live.get('kind', '')}/{name}: {reason}: {message}"
    return text if len(text) <= _MAX_TEXT else text[: _MAX_TEXT - 3] + "..."


def _telling(live: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    status = live.get("status") if live is not None else None
    conditions = status.get("conditions") if isinstance(status, Mapping) else None
    if not isinstance(conditions, list):
        return None
    by_type = {item.get("type"): item for item in conditions if isinstance(item, Mapping)}
    for name in ("ACK.Terminal", "ACK.Recoverable"):
        if by_type.get(name, {}).get("status") == "True":
            return by_type[name]
    ready = by_type.get("Ready", {})
    return ready if ready.get("status") == "False" and ready.get("message") else None
