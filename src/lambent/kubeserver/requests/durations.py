"""The durations of Go: what `timeout` in a query may say.

Source: Go's `time.ParseDuration`, with its words.
"""

import re

from lambent.kubeserver.call import quoted
from lambent.kubeserver.status import bad_request

_PART = re.compile(r"(\d+\.?\d*|\.\d+)([^\d.]*)", re.ASCII)
_UNITS = frozenset({"ns", "us", "\u00b5s", "\u03bcs", "ms", "s", "m", "h"})


def check_duration(text: str) -> None:
    """Raises 400 for a timeout that is none."""
    if why := _problem(text):
        raise bad_request(f"invalid timeout specified in the request URL - time: {why}")


def _problem(text: str) -> str:
    rest = text[1:] if text[:1] in ("+", "-") else text
    if rest == "0":
        return ""
    if not rest:
        return f"invalid duration {quoted(text)}"
    while rest:
        part = _PART.match(rest)
        if part is None:
            return f"invalid duration {quoted(text)}"
        if not part[2]:
            return f"missing unit in duration {quoted(text)}"
        if part[2] not in _UNITS:
            return f"unknown unit {quoted(part[2])} in duration {quoted(text)}"
        rest = rest[part.end() :]
    return ""
