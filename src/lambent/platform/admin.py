"""Health and metrics of a process: /healthz (alive), /readyz (can do its work), /metrics.

Readiness is a set of named checks, asked at each request: the answer names what is not ready. The AWS port serves the
same three under /_lambent/, since a bucket may be called healthz.
"""

from collections.abc import Callable

from lambent.http.message import Request, Response, content_type
from lambent.http.server import HttpServer
from lambent.platform.ports import port_option
from lambent.telemetry import render_metrics

Check = Callable[[], bool]

_PLAIN = content_type(b"text/plain; charset=utf-8")


class Health:
    """Named readiness checks; a process starts unready and says why."""

    def __init__(self) -> None:
        self._checks: dict[str, Check] = {}
        self._lines: list[Callable[[], str]] = []

    def add(self, name: str, check: Check) -> None:
        self._checks[name] = check

    def tell(self, line: Callable[[], str]) -> None:
        """One more line under every answer about health or readiness."""
        self._lines.append(line)

    def unready(self) -> list[str]:
        return [name for name, check in self._checks.items() if not check()]

    def answer(self, path: bytes) -> Response:
        """`path` is health(z), ready, readyz or metrics, without what stands before it."""
        if path in (b"healthz", b"health"):
            return Response(200, _PLAIN, f"ok\n{self._told()}".encode())
        if path in (b"readyz", b"ready"):
            waiting = self.unready()
            text = f"waiting for {', '.join(waiting)}\n" if waiting else "ok\n"
            return Response(503 if waiting else 200, _PLAIN, f"{text}{self._told()}".encode())
        if path == b"metrics":
            return Response(200, content_type(b"text/plain; version=0.0.4; charset=utf-8"), render_metrics())
        return Response(404, _PLAIN, b"there are healthz, readyz and metrics\n")

    def _told(self) -> str:
        return "".join(f"{line()}\n" for line in self._lines)


class AdminPort:
    """The admin listener of server, controller and kubeserver."""

    def __init__(self, health: Health, *, port: int) -> None:
        self._health = health
        self._port = port
        self._server = HttpServer(self._serve)
        self.address = ""

    async def _serve(self, request: Request) -> Response:
        return self._health.answer(request.raw_path.removeprefix(b"/"))

    async def startup(self) -> None:
        with port_option("--admin-port"):
            host, port = await self._server.startup("127.0.0.1", self._port)
        self.address = f"http://{host}:{port}"

    async def shutdown(self) -> None:
        await self._server.shutdown(drain_s=1.0)
