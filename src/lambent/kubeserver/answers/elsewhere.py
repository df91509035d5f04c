"""What is served besides resources: discovery, documents, health and version.

Source: kube-apiserver's non-resource endpoints. Not here: how discovery and the documents are made.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from lambent.http.message import Request, Response
from lambent.kubeserver.answers import discovery
from lambent.kubeserver.answers.negotiation import check_media, check_named
from lambent.kubeserver.answers.openapi import Documents, version_2
from lambent.kubeserver.answers.rendering import answer
from lambent.kubeserver.call import parse_query, split_path
from lambent.kubeserver.resources import Catalog, Table
from lambent.kubeserver.status import ApiError, not_allowed
from lambent.telemetry import render_metrics

EMULATED = ("1", "34", "v1.34.0+lambent")
OPEN_PATHS = frozenset({"/livez", "/readyz", "/healthz", "/version"})
_ROOT_PATHS = ("/api", "/apis", "/healthz", "/livez", "/metrics", "/openapi/v3", "/readyz", "/version")


class Elsewhere:
    """`is_ready` tells whether the store can be written."""

    def __init__(self, catalog: Catalog, is_ready: Callable[[], bool], documents: Documents) -> None:
        self._catalog = catalog
        self._is_ready = is_ready
        self._documents = documents

    def serve(self, request: Request) -> Response:
        """The answer; raises 404 for a path of nothing, 405 and 406 for those of builtin groups."""
        parts = split_path(request.raw_path)
        if request.method != "GET" and _takes_only_get(parts, self._catalog.table):
            raise not_allowed()
        accept = request.header(b"accept").decode("latin-1")
        if parts[:1] in (("api",), ("apis",)):
            found = self._discovery(request, parts)
            check_media(accept, can_aggregate=len(parts) == 1)
            return found
        is_folder = request.raw_path.endswith(b"/")
        match parts:
            case ("version",):
                check_named(accept)
                return answer(_version())
            case () | ("index.html",):
                return answer({"paths": list(_ROOT_PATHS)})
            case ("metrics",) if not is_folder:
                return Response(200, [(b"content-type", b"text/plain; version=0.0.4; charset=utf-8")], render_metrics())
            case ("healthz" | "livez" | "readyz" as kind, *check) if not is_folder:
                return self._health(request, kind, check)
            case ("openapi", "v2") if not is_folder:
                return version_2(request)
            case ("openapi", "v3", *rest):
                return Response(404) if is_folder else self._document(request, rest)
        raise discovery.not_served()

    def _discovery(self, request: Request, parts: tuple[str, ...]) -> Response:
        table = self._catalog.table
        if len(parts) == 1 and discovery.wants_aggregated(request):
            return discovery.aggregated(table, request, core=parts == ("api",))
        match parts:
            case ("api",):
                return answer(discovery.api_versions())
            case ("apis",):
                return answer(discovery.group_list(table))
            case ("api", version):
                return answer(discovery.resource_list(table, "", version))
            case ("apis", group):
                return answer(discovery.one_group(table, group))
            case ("apis", group, version):
                return answer(discovery.resource_list(table, group, version))
        raise discovery.not_served()

    def _document(self, request: Request, rest: list[str]) -> Response:
        table = self._catalog.table
        match rest:
            case []:
                return self._documents.index(table)
            case ["api", version] if version in table.groups[""]:
                return self._documents.one(table, request, "", version)
            case ["apis", group, version] if version in table.groups.get(group, {}):
                return self._documents.one(table, request, group, version)
        return Response(404)

    def _health(self, request: Request, kind: str, check: list[str]) -> Response:
        """All checks, or the one that the path names."""
        checks = {"ping": True, "log": True, "etcd": kind != "readyz" or self._is_ready()}
        if kind == "readyz":
            checks |= {"informer-sync": True, "shutdown": True}
        if check:
            if len(check) > 1 or check[0] not in checks:
                raise discovery.not_served()
            checks = {check[0]: checks[check[0]]}
        left_out = {value for name, value in parse_qsl(request.raw_query.decode("latin-1")) if name == "exclude"}
        if not all(is_good for name, is_good in checks.items() if name not in left_out):
            raise ApiError(500, "the store cannot be written", reason="InternalError")
        text = "ok"
        if "verbose" in parse_query(request.raw_query) and not check:
            lines = [f"[+]{name} {'excluded: ' if name in left_out else ''}ok" for name in checks]
            text = "\n".join([*lines, f"{kind} check passed\n"])
        return Response(200, list(discovery.PLAIN)[: 1 if check else 2], text.encode())


def _takes_only_get(parts: tuple[str, ...], table: Table) -> bool:
    """Paths of builtin groups; what is in front of them does not look at the method."""
    match parts:
        case ("api",) | ("version",):
            return True
        case ("api", version):
            return version in table.groups[""]
        case ("apis", group, version) if version in table.groups.get(group, {}):
            return discovery.is_builtin(table, group)
    return False


def _version() -> dict[str, Any]:
    major, minor, text = EMULATED
    return {
        "major": major,
        "minor": minor,
        "emulationMajor": major,
        "emulationMinor": minor,
        "minCompatibilityMajor": major,
        "minCompatibilityMinor": str(int(minor) - 1),
        "gitVersion": text,
        "gitCommit": "",
        "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "",
        "compiler": "",
        "platform": "linux/amd64",
    }
