"""What the HTTP client asks of its transport, as plain data: one request, and how often it may be tried.

Apart from `transport`, whose HTTP library takes longer to import than all else of the client together.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Full jitter below `first_s` x 2^n; a server that asks for more than `longest_s` is left to the caller."""

    tries: int = 5
    first_s: float = 0.1
    cap_s: float = 5.0
    longest_s: float = 10.0


@dataclass(slots=True)  # not frozen, which would make it thrice as long to build
class HttpRequest:
    """`words` name it in errors: verb, kind, then what makes up the object; `is_repeatable`: twice is harmless."""

    method: str
    path: str
    words: tuple[str, ...]
    query: Mapping[str, str] | None = None
    body: bytes | None = None
    content_type: str = "application/json"
    accept: str = "application/json"
    is_repeatable: bool = False

    @property
    def what(self) -> str:
        """`get Gizmo default/a/status`."""
        return " ".join((*self.words[:2], "/".join(filter(None, self.words[2:])))).rstrip()
