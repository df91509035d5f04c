"""Which modelled operation a request means: method, path template, literal query parts.

Paths are split before they are percent-decoded, so an encoded slash stays inside its parameter; one trailing slash is
ignored. A route with more literal query parts is tried first (`?find=LayerVersion` before the bare list).
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote

from lambent.aws.errors import ServiceError

Query = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Route:
    """One operation: `segments` holds literals and, for parameters, None; `names` the parameters in order."""

    operation: str
    method: str
    segments: tuple[str | None, ...]
    names: tuple[str, ...]
    literals: frozenset[tuple[str, str]]

    def match(self, parts: tuple[str, ...]) -> bool:
        return all(want is None or want == have for want, have in zip(self.segments, parts, strict=True))

    def path_parameters(self, parts: tuple[str, ...]) -> dict[str, str]:
        values = (part for want, part in zip(self.segments, parts, strict=True) if want is None)
        return {name: unquote(value) for name, value in zip(self.names, values, strict=True)}


@dataclass(frozen=True, slots=True)
class Matched:
    operation: str
    path: dict[str, str]
    query: Query


def _route(operation: str, method: str, uri: str) -> Route:
    path, _, query = uri.partition("?")
    parts = path.strip("/").split("/")
    names = tuple(part[1:-1] for part in parts if part.startswith("{"))
    segments = tuple(None if part.startswith("{") else part for part in parts)
    return Route(operation, method, segments, names, frozenset(parse_qsl(query, keep_blank_values=True)))


class Router:
    """Built from every operation of the model."""

    def __init__(self, model: Any) -> None:
        bindings = ((name, model.operation_model(name).http) for name in model.operation_names)
        routes = [_route(name, http["method"], http["requestUri"]) for name, http in bindings]
        self._by_length: dict[int, list[Route]] = defaultdict(list)
        for route in sorted(routes, key=lambda r: -len(r.literals)):
            self._by_length[len(route.segments)].append(route)

    def match(self, method: str, target: bytes) -> Matched:
        """Raises `ServiceError` 404 for an unknown path, 405 for a known path with another method."""
        raw_path, _, raw_query = target.partition(b"?")
        parts = tuple(raw_path.decode("latin-1").strip("/").split("/"))
        query = _query(raw_query)
        fitting = [route for route in self._by_length[len(parts)] if route.match(parts)]
        for route in fitting:
            if route.method == method and all(value in query.get(key, ()) for key, value in route.literals):
                return Matched(route.operation, route.path_parameters(parts), query)
        raise _refusal(method, fitting)

    def knows(self, target: bytes) -> bool:
        """Whether any operation has this path (how an unsigned request is told to be ours)."""
        parts = tuple(target.partition(b"?")[0].decode("latin-1").strip("/").split("/"))
        return any(route.match(parts) for route in self._by_length.get(len(parts), ()))


def _query(raw: bytes) -> Query:
    query: Query = defaultdict(list)
    for key, value in parse_qsl(raw.decode("latin-1"), keep_blank_values=True):
        query[key].append(value)
    return query


def _refusal(method: str, fitting: Iterable[Route]) -> ServiceError:
    allowed = sorted({route.method for route in fitting})
    if not allowed:
        return ServiceError("UnknownOperationException", "Unknown operation", status=404)
    text = f"Method {method} is not allowed here; allowed: {', '.join(allowed)}"
    return ServiceError("MethodNotAllowedException", text, status=405)
