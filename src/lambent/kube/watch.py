"""The watch stream as a pure object: bytes in, events out.

A watch is one JSON object per line: `{"type": ..., "object": ...}`. Anything else is an error of the stream and never
skipped, since a skipped event is a cache that lies. The loop around it is `kube.reflector`.
Source: Kubernetes API concepts, "Efficient detection of changes".
"""

from typing import Any, cast

import orjson

from lambent.kube.errors import KubeError, ServerError, from_status
from lambent.kube.types import WatchEvent

_TYPES = frozenset({"ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"})


class WatchDecoder:
    """`feed(bytes)` gives the events that are complete; `resource_version` is where to go on from."""

    def __init__(self, resource_version: str = "") -> None:
        self.resource_version = resource_version
        self._rest = b""

    def feed(self, data: bytes) -> list[WatchEvent]:
        """Raises ServerError for a line that is no event of a known type."""
        *lines, rest = data.split(b"\n")
        if lines:
            lines[0] = self._rest + lines[0]
            self._rest = rest
        else:
            self._rest += rest
        return [self._event(line) for line in lines if line and not line.isspace()]

    def finish(self) -> None:
        """The stream has ended; raises ServerError if it ended inside a line."""
        if self._rest.strip():
            raise ServerError("the watch ended inside an event")

    def _event(self, line: bytes) -> WatchEvent:
        try:
            event: Any = orjson.loads(line)
            type_, obj = event["type"], event["object"]
            if type_ not in _TYPES:
                raise ServerError(f"the watch has an event of unknown type {str(type_)[:40]!r}")
            if type_ != "ERROR":
                self.resource_version = obj["metadata"]["resourceVersion"]
        except (orjson.JSONDecodeError, KeyError, TypeError) as error:
            raise ServerError("the watch has a line that is no event") from error
        return WatchEvent(type_, obj)


def error_of(event: WatchEvent, what: str) -> KubeError:
    """The error that an ERROR event tells of; `Gone` for 410."""
    return from_status(cast(Any, event.object), what=what)
