"""The few things of WSGI that the embedded AWS needs: a request's parts, calling an app, answering.

Not here: serving (`lambent.http` runs the app in its threads; this kit does not know it).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
App = Callable[[Environ, StartResponse], Iterable[bytes]]


@dataclass(slots=True)
class Answer:
    """A whole answer: "404 Not Found", headers, body."""

    status: str
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def code(self) -> int:
        return int(self.status[:3])

    def give(self, start_response: StartResponse) -> list[bytes]:
        headers = [pair for pair in self.headers if pair[0].lower() != "content-length"]
        start_response(self.status, [*headers, ("Content-Length", str(len(self.body)))])
        return [self.body]


def ask(app: App, environ: Environ) -> Answer:
    """Calls the app and collects its answer."""
    answer = Answer("", [], b"")

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Callable[[bytes], None]:
        answer.status, answer.headers = status, list(headers)
        return lambda data: None

    chunks = app(environ, start_response)
    try:
        answer.body = b"".join(chunks)
    finally:
        close = getattr(chunks, "close", None)
        if close is not None:
            close()
    return answer


def raw_target(environ: Environ) -> tuple[str, str]:
    """Raw path and query, percent-encoding untouched when the server hands it on."""
    path, _, query = str(environ.get("RAW_URI") or environ.get("PATH_INFO", "/")).partition("?")
    return path, query or str(environ.get("QUERY_STRING", ""))
