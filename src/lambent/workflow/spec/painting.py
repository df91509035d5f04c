"""Colour as a parameter: what writes for people marks parts of its text with a style and never knows a terminal.

A `Paint` takes a style and a text. `plain` leaves the text alone; `coloured` wraps it in ANSI codes.
"""

from collections.abc import Callable
from typing import Literal

Style = Literal["good", "bad", "warn", "dim", "strong"]
Paint = Callable[[Style, str], str]

_CODES: dict[str, str] = {"good": "32", "bad": "31", "warn": "33", "dim": "2", "strong": "1"}


def plain(style: Style, text: str) -> str:
    return text


def coloured(style: Style, text: str) -> str:
    return f"\x1b[{_CODES[style]}m{text}\x1b[0m" if text else text
