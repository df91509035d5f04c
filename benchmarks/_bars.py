"""One bar of a benchmark: the measured value, the limit it must keep, and whether it does."""

from typing import Any


def bar(value: float, limit: float, *, at_least: bool = False) -> dict[str, Any]:
    """`limit` is the most the value may be, or the least with `at_least`."""
    is_kept = value >= limit if at_least else value <= limit
    return {"value": round(value, 4), "limit": limit, "ok": is_kept}
