"""The AWS side of a process: the port, the Lambda service, the functions' runtimes, the embedded AWS, the registry.

`up` holds one beside the embedded Kubernetes API; `lambent server` is one on any cluster's state. Startup order: the
port first, answering 503 (its address goes into the functions' environment), then what stands behind it; only then is
the service put in. Shutdown is the reverse: nothing new comes in while what runs drains.
"""

import asyncio
import sys
from contextlib import AsyncExitStack
from dataclasses import replace

from lambent import functions, invoke
from lambent.aws.caller import CallerReader
from lambent.aws.clients import AwsClients
from lambent.aws.embedded import Accounts, EmbeddedAws, may_wait
from lambent.aws.local import Send
from lambent.execution.executor import ProcessExecutor
from lambent.execution.settings import ExecutionSettings
from lambent.http.message import Request, Response, content_type
from lambent.http.server import HttpServer
from lambent.http.wsgi import WsgiService
from lambent.kube.client import KubeClient
from lambent.kube.informer import InformerHub
from lambent.platform.admin import AdminPort, Health
from lambent.platform.aws_port import AwsPort, Internal
from lambent.platform.clients import aws_clients, cluster_client, send_to
from lambent.platform.controllers import Controllers
from lambent.platform.discovery import aws_environment
from lambent.platform.function_output import FunctionOutput
from lambent.platform.limits import AWS_LIMITS
from lambent.platform.neighbours import BucketObjects, IamRoles
from lambent.platform.ports import port_option
from lambent.platform.registry import ImageRegistry
from lambent.platform.state import StateDirectory
from lambent.runtime.settings import PoolSettings
from lambent.settings import Settings

# moto answers one request at a time, so more threads than one would only wait for each other.
MOTO_THREADS, MOTO_QUEUE = 1, 256


def _may_wait(request: Request) -> bool:
    return may_wait(request.header(b"authorization"), request.raw_query)


async def _starting(request: Request) -> Response:
    return _not_now(b"lambent is starting\n")


async def _stopping(request: Request) -> Response:
    return _not_now(b"lambent is stopping\n")


def _not_now(text: bytes) -> Response:
    return Response(503, [*content_type(b"text/plain"), (b"retry-after", b"1")], text)


class AwsServer:
    """`url` and `send`, two ways to one port, are known after startup; `serve` ends only when a controller does."""

    def __init__(
        self, kube: KubeClient, hub: InformerHub, settings: Settings, *, state: StateDirectory, output: FunctionOutput
    ) -> None:
        self._kube = kube
        self._hub = hub
        self._settings = settings
        self._state = state
        self._output = output
        self._stack = AsyncExitStack()
        self._controllers: Controllers | None = None
        self.health = Health()
        self.url = ""
        self.send: Send | None = None

    async def startup(self) -> None:
        settings = self._settings
        server = HttpServer(_starting, limits=AWS_LIMITS)
        with port_option("--aws-port", "--aws-listen"):
            host, port = await server.startup(settings.aws.listen, settings.aws.port)
        self.url = f"http://{host}:{port}"
        self.send = send_to(server)
        self._stack.push_async_callback(server.shutdown, settings.drain_timeout)

        saved = None if settings.ephemeral else self._state / "aws"
        embedded = EmbeddedAws(Accounts(settings.account_id, settings.region), directory=saved)
        registry = ImageRegistry(self._state / "images", settings)
        await embedded.startup()
        self._stack.push_async_callback(embedded.shutdown)
        registry.tell_ecr()
        neighbours = WsgiService(embedded, threads=MOTO_THREADS, queue=MOTO_QUEUE, may_wait=_may_wait)
        self._stack.push_async_callback(neighbours.shutdown)

        service, invocations = await self._lambda_service(registry)
        self._port = server.service = AwsPort(
            invoke=invocations,
            lambda_api=functions.LambdaApi(service),
            registry=registry,
            neighbours=neighbours,
            internal=Internal(
                self.health, self._describe, functions.Downloads(service.artifacts, service.download_secret)
            ),
            callers=CallerReader(settings.account_id, settings.region),
        )
        self._stack.push_async_callback(self._stop_controllers)
        self._stack.callback(self._refuse_invocations, server)

    def _refuse_invocations(self, server: HttpServer) -> None:
        """First of the shutdown: what runs may still reach its buckets and queues, but nothing new is started."""
        server.service = replace(self._port, invoke=_stopping, lambda_api=_stopping)

    async def _lambda_service(self, registry: ImageRegistry) -> tuple[functions.Backend, invoke.InvokeService]:
        """The control plane's parts and the hot route, on one store, one executor and one directory."""
        settings = self._settings
        clients = aws_clients(self.url, settings.region, send=self.send)
        self._stack.push_async_callback(clients.aclose)
        store = functions.FunctionStore(
            self._kube, settings.functions.namespace, account=settings.account_id, region=settings.region
        )
        artifacts = functions.ArtifactStore(self._state / "artifacts")
        self._stack.callback(artifacts.close)
        intake = functions.CodeIntake(artifacts, BucketObjects(clients), registry)
        executor = await self._executor(registry)
        directory = await self._stack.enter_async_context(
            functions.FunctionDirectory.opened(self._hub, store, artifacts)
        )
        backend = functions.Backend(store, intake, IamRoles(clients, account_id=settings.account_id))
        queue, invocations = self._invocations(directory, executor, clients)
        reconcilers = functions.controllers(self._hub, store, intake, executor)
        self._controllers = Controllers([*reconcilers, queue], drain_s=settings.drain_timeout)
        self._controllers.start()
        return backend, invocations

    async def _executor(self, registry: ImageRegistry) -> ProcessExecutor:
        settings = self._settings
        pool = PoolSettings(
            max_concurrency=settings.execution.max_concurrency,
            idle_timeout_s=settings.execution.idle_timeout,
            drain_s=settings.drain_timeout,
        )
        executor = ProcessExecutor(
            self._state / "code",
            settings=ExecutionSettings(pool=pool),
            aws_environment=aws_environment(self.url, settings.region),
            images=registry,
            sink=self._output.write,
        )
        await executor.startup()
        self._stack.push_async_callback(executor.shutdown, settings.drain_timeout)
        return executor

    def _invocations(
        self, directory: functions.FunctionDirectory, executor: ProcessExecutor, clients: AwsClients
    ) -> tuple[invoke.AsyncQueue, invoke.InvokeService]:
        settings = self._settings
        limits = invoke.InvokeLimits(queue_wait_s=settings.queue_wait)
        concurrency = invoke.Concurrency(limits.account_concurrency)
        committer = invoke.GroupCommitter(invoke.EventStore(self._state / "async.db"))
        self._stack.push_async_callback(committer.shutdown)
        senders = invoke.aws_senders(clients)
        queue = invoke.AsyncQueue(
            committer, directory, executor, senders=senders, concurrency=concurrency, limits=limits
        )
        callers = CallerReader(settings.account_id, settings.region)
        service = invoke.InvokeService(
            directory, executor, queue=queue, callers=callers, limits=limits, concurrency=concurrency
        )
        return queue, service

    def _describe(self) -> dict[str, object]:
        return {
            "region": self._settings.region,
            "account": self._settings.account_id,
            "url": self.url,
            "tasks": len(asyncio.all_tasks()),
        }

    async def _stop_controllers(self) -> None:
        if self._controllers is not None:
            await self._controllers.shutdown()

    async def serve(self) -> None:
        assert self._controllers is not None
        await self._controllers.serve()

    async def shutdown(self) -> None:
        await self._stack.aclose()


class ServerDaemon:
    """`lambent server`: the AWS side on the cluster of a kubeconfig."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._kube = cluster_client(settings.cluster, component="server")
        self._state = StateDirectory(settings.state)
        self._stack = AsyncExitStack()

    async def startup(self) -> None:
        self._state.acquire()
        self._stack.callback(self._state.release)
        self._stack.push_async_callback(self._kube.close)
        hub = await self._stack.enter_async_context(InformerHub(self._kube))
        output = FunctionOutput(self._state / "logs", echo=sys.stdout)
        self._stack.callback(output.close)
        self._aws = AwsServer(self._kube, hub, self._settings, state=self._state, output=output)
        self._aws.health.add("informers", hub.is_ready)
        self._admin = AdminPort(self._aws.health, port=self._settings.admin.port)
        await self._admin.startup()
        self._stack.push_async_callback(self._admin.shutdown)
        self._stack.push_async_callback(self._aws.shutdown)
        await self._aws.startup()

    @property
    def url(self) -> str:
        """Of the AWS port, after startup."""
        return self._aws.url

    def announce(self) -> None:
        print(f"lambent server is up; health and metrics on {self._admin.address}, AWS on {self._aws.url}", flush=True)

    async def serve(self) -> None:
        await self._aws.serve()

    async def shutdown(self) -> None:
        await self._stack.aclose()
