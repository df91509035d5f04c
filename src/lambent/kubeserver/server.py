"""The embedded API server as one daemon: store, loops, port, kubeconfig.

    startup:  read the store -> build the tables -> start the loops -> make the namespaces that always exist -> listen
    shutdown: stop listening and end the watches -> stop the loops -> commit what is staged -> close the file

Binds loopback unless told otherwise. The port speaks TLS and plain HTTP (the first byte tells).
"""

import asyncio
import base64
import contextlib
import os
from pathlib import Path

from lambent.clock import WallClock, utc_now
from lambent.errors import UsageError
from lambent.http.limits import Limits, refuse_plainly
from lambent.http.message import Request, Response
from lambent.http.server import HttpServer
from lambent.kubeserver.access.certificates import Certificates, load_or_make
from lambent.kubeserver.access.reviews import Reviewer
from lambent.kubeserver.access.tokens import Tokens
from lambent.kubeserver.answers.openapi import Documents
from lambent.kubeserver.builtin.table import builtin_resources
from lambent.kubeserver.call import ADMIN
from lambent.kubeserver.lifecycle.crds import Definitions
from lambent.kubeserver.lifecycle.deletion import Deleter
from lambent.kubeserver.lifecycle.expiry import Expiry
from lambent.kubeserver.lifecycle.garbage import GarbageCollector
from lambent.kubeserver.lifecycle.namespaces import ALWAYS, Namespaces, namespace
from lambent.kubeserver.local import LocalClient
from lambent.kubeserver.pods import LogSource, Pods
from lambent.kubeserver.reads.reading import Reader
from lambent.kubeserver.reads.watching import Hub
from lambent.kubeserver.resources import Catalog
from lambent.kubeserver.routing import Parts, Router
from lambent.kubeserver.stack import AuditSink, build_inner_stack, build_stack, by_token
from lambent.kubeserver.status import ApiError
from lambent.kubeserver.storage.store import Store
from lambent.kubeserver.writes.scaling import Scaler
from lambent.kubeserver.writes.stages import Admission
from lambent.kubeserver.writes.writing import Writer

CONTEXT_NAME = "lambent"


class KubeServer:
    """`state_dir` None keeps everything in memory. `startup` may be given port 0 for any free one."""

    def __init__(self, *, state_dir: Path | None, audit: AuditSink | None = None, clock: WallClock = utc_now) -> None:
        self._state_dir = state_dir
        self._clock = clock
        if state_dir is not None:
            state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._tokens = Tokens(state_dir / "token" if state_dir else None, clock)
        self._store = Store(state_dir / "kube.db" if state_dir else None)
        self._catalog = Catalog(builtin_resources())
        deleter = Deleter(self._store, clock)
        self._garbage = GarbageCollector(self._store, self._catalog, deleter)
        self._namespaces = Namespaces(self._store, self._catalog, deleter, clock)
        self._hub = Hub(self._store, clock)
        self._definitions = Definitions(self._store, self._catalog, deleter, self._hub, clock=clock)
        self._expiry = Expiry(self._store, self._catalog, deleter)
        self._pods = Pods(self._store, deleter)
        writer = Writer(self._store, Admission(self._store), deleter, clock)
        router = Router(
            Parts(
                store=self._store,
                catalog=self._catalog,
                reader=Reader(self._store, clock),
                writer=writer,
                hub=self._hub,
                scaler=Scaler(self._store, writer),
                reviewer=Reviewer(self._tokens),
                pods=self._pods,
                tokens=self._tokens,
                documents=Documents(),
            )
        )
        self.service = build_stack(router, identify=by_token(self._tokens), audit=audit)
        self._inner = build_inner_stack(router, user=ADMIN, audit=audit)
        self._http: HttpServer | None = None
        self._loops: asyncio.Task[None] | None = None
        self._certificates: Certificates | None = None
        self._address: tuple[str, int] | None = None

    @property
    def token(self) -> str:
        """The administrator's bearer token."""
        return self._tokens.admin

    @property
    def url(self) -> str:
        """The HTTPS address; raises UsageError before `startup`."""
        host, port = self._bound()
        return f"https://{f'[{host}]' if ':' in host else host}:{port}"

    def local_client(self, component: str = "controller") -> LocalClient:
        """A `KubeClient` that calls this server without a socket, as the administrator."""
        return LocalClient(self._inner, component=component)

    def register_logs(self, source: LogSource) -> None:
        """Tells who has the output of Pods' containers."""
        self._pods.register(source)

    async def startup(self, host: str = "127.0.0.1", port: int = 6444) -> int:
        """Reads the store and listens; gives the bound port. Raises UsageError when either cannot be had."""
        await self.open()
        self._certificates = load_or_make(self._state_dir / "tls" if self._state_dir else None)
        limits = Limits(refuse=_refuse)
        self._http = HttpServer(self.service, limits=limits, ssl_context=self._certificates.ssl_context())
        self._address = await self._http.startup(host, port)
        return self._address[1]

    async def open(self) -> None:
        """All of `startup` but the port: enough for `local_client`."""
        self._store.load()
        self._definitions.load()
        self._garbage.load()
        self._namespaces.load()
        self._expiry.load()
        self._loops = asyncio.create_task(self._run(), name="kubeserver")
        for name in ALWAYS:
            if self._store.peek("namespaces", name) is None:
                await self._store.put("namespaces", namespace(name, self._clock))

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._definitions.run(), name="definitions")
            group.create_task(self._garbage.run(), name="garbage")
            group.create_task(self._namespaces.run(), name="namespaces")
            group.create_task(self._expiry.run(), name="expiry")

    async def shutdown(self, drain_s: float = 2.0) -> None:
        self._hub.close()
        if self._http is not None:
            await self._http.shutdown(drain_s)
        if self._loops is not None:
            self._loops.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._loops
        await self._store.close()

    def write_kubeconfig(self, path: Path) -> None:
        """Writes (mode 0600) a kubeconfig with the context `lambent`; raises UsageError before `startup`."""
        url = self.url
        authority = self._certificates.authority if self._certificates else b""
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(kubeconfig(url, self.token, authority))

    def _bound(self) -> tuple[str, int]:
        if self._address is None:
            raise UsageError("the Kubernetes API server is not listening; start it first")
        return self._address


def _refuse(request: Request, code: int) -> Response:
    """What the HTTP layer refuses is a Status too."""
    plain = refuse_plainly(request, code).body
    return ApiError(code, plain.decode().strip() if isinstance(plain, bytes) else "").response()


# Written out, since a YAML library takes longer to import than this server to read its store.
_KUBECONFIG = """\
apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: "{authority}"
    server: "{url}"
  name: {context}
contexts:
- context:
    cluster: {context}
    user: {context}
  name: {context}
current-context: {context}
kind: Config
users:
- name: {context}
  user:
    token: "{token}"
"""


def kubeconfig(url: str, token: str, authority: bytes) -> str:
    """A kubeconfig document with one context; `token` and `url` hold nothing that YAML would have to escape."""
    encoded = base64.b64encode(authority).decode()
    return _KUBECONFIG.format(authority=encoded, url=url, context=CONTEXT_NAME, token=token)
