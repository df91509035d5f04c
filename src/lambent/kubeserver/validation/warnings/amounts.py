"""Amounts of bytes that are not whole."""

from collections.abc import Iterator, Mapping

_PARTS = ("m", "u", "n")


def fractions(amounts: Mapping[str, str] | None, name: str, at: str) -> Iterator[str]:
    """`amounts` are in canonical form, in which only what is not whole has one of these suffixes."""
    value = (amounts or {}).get(name)
    if value and (value.endswith(_PARTS) or "e-" in value):
        yield f'{at}[{name}]: fractional byte value "{value}" is invalid, must be an integer'
