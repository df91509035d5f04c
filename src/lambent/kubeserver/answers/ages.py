"""Times as `kubectl get` shows them: how long ago. Source: what kube-apiserver 1.34 puts into its Tables."""

from datetime import datetime
from typing import Any

from lambent.clock import parse_rfc3339


def age(stamp: str | None, now: datetime) -> str:
    """Relative time as kubectl prints it: 5s, 3m20s, 4h10m, 2d3h, 400d."""
    if not stamp:
        return "<unknown>"
    try:
        seconds = int((now - parse_rfc3339(stamp)).total_seconds())
    except ValueError:
        return "<invalid>"
    if seconds < 0:  # a clock may be a second ahead
        return "0s" if seconds == -1 else "<invalid>"
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if seconds < 120:
        return f"{seconds}s"
    if minutes < 10:
        return f"{minutes}m{seconds % 60}s" if seconds % 60 else f"{minutes}m"
    if hours < 3:
        return f"{minutes}m"
    if hours < 8:
        return f"{hours}h{minutes % 60}m" if minutes % 60 else f"{hours}h"
    if hours < 48:
        return f"{hours}h"
    if days < 8:
        return f"{days}d{hours % 24}h" if hours % 24 else f"{days}d"
    years = days // 365
    if years < 2:
        return f"{days}d"
    return f"{years}y{days % 365}d" if days % 365 and years < 8 else f"{years}y"


def created(obj: Any, now: datetime) -> str:
    """How long an object is there."""
    return age(obj["metadata"].get("creationTimestamp"), now)
