"""Duration texts ("1m30s", "500ms") as seconds."""

import re

_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)")
_UNIT_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def seconds(text: str) -> float:
    """Seconds of a text that the validator has accepted."""
    return sum(float(number) * _UNIT_S[unit] for number, unit in _PART.findall(text))
