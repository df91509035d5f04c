"""Pages that stay right while items come and go: a marker names the last item shown, not a position.

A marker is opaque, and bound to the operation and its filters by a checksum; one that we did not issue is refused.
"""

import base64
import hashlib
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import orjson

from lambent.functions import messages

Item = TypeVar("Item")
DEFAULT_PAGE = 50


def page_of(
    items: Sequence[Item],
    *,
    key: Callable[[Item], Any],
    parameters: dict[str, Any],
    scope: str,
    largest: int = 10_000,
) -> tuple[list[Item], str | None]:
    """The page after `Marker` and the next marker, None on the last page. `items` sorted by `key` (JSON-able)."""
    size = min(parameters.get("MaxItems") or DEFAULT_PAGE, largest)
    marker = parameters.get("Marker")
    last = _read(marker, scope) if marker else None
    rest = [item for item in items if last is None or key(item) > last]
    page = rest[:size]
    return page, _write(key(page[-1]), scope) if len(rest) > size else None


def _seal(scope: str, last: Any) -> str:
    return hashlib.sha256(orjson.dumps([scope, last])).hexdigest()[:16]


def _write(last: Any, scope: str) -> str:
    return base64.urlsafe_b64encode(orjson.dumps([last, _seal(scope, last)])).decode()


def _read(marker: str, scope: str) -> Any:
    try:
        last, seal = orjson.loads(base64.urlsafe_b64decode(marker))
    except (ValueError, TypeError):
        raise messages.bad_marker() from None
    if seal != _seal(scope, last):
        raise messages.bad_marker()
    return last
