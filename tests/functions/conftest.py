"""A whole Lambda service on a fake cluster and a fake back end, and boto3 in a thread as its client."""

import asyncio
import contextlib
import io
import zipfile
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import botocore.config
import botocore.exceptions
import pytest

from lambent.functions import (
    ArtifactStore,
    Backend,
    CodeIntake,
    FunctionDirectory,
    FunctionStore,
    LambdaApi,
    controllers,
    crds,
)
from lambent.functions.fake import FakeExecutor
from lambent.http.message import Request, Response
from lambent.http.server import HttpServer
from lambent.invoke import EventStore, GroupCommitter, InvokeService, is_invoke_path
from lambent.invoke.asynchronous import AsyncQueue
from lambent.kube.client import KubeClient
from lambent.kube.fake import FakeKube
from lambent.kube.informer import InformerHub
from lambent.kubeserver import KubeServer

ROLE = "arn:aws:iam::123456789012:role/r"


def zip_of(text: str = "def handler(event, context): return event") -> bytes:
    """The bytes of an archive with one module; the same text gives the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo("index.py"), text)
    return buffer.getvalue()


@dataclass
class Service:
    """`call("create_function", ...)` is boto3's answer without its metadata; `failure(...)` the error it raises."""

    kube: KubeClient
    executor: FakeExecutor
    backend: Backend
    client: Any
    client_of: Callable[..., Any]
    handle: Any = field(repr=False, default=None)

    async def call(self, operation: str, *, client: Any = None, **parameters: Any) -> dict[str, Any]:
        answer = await asyncio.to_thread(getattr(client or self.client, operation), **parameters)
        return dict(answer)

    async def failure(self, operation: str, **parameters: Any) -> tuple[int, str, str]:
        try:
            await self.call(operation, **parameters)
        except botocore.exceptions.ClientError as error:
            response = error.response
            return (
                response["ResponseMetadata"]["HTTPStatusCode"],
                response["Error"]["Code"],
                response["Error"]["Message"],
            )
        raise AssertionError(f"{operation} succeeded")

    async def create(self, name: str = "fn", **parameters: Any) -> dict[str, Any]:
        return await self.call("create_function", **{**function(name), **parameters})

    async def wait(self, waiter: str, **parameters: Any) -> None:
        await asyncio.to_thread(
            self.client.get_waiter(waiter).wait, **parameters, WaiterConfig={"Delay": 0.01, "MaxAttempts": 300}
        )

    async def active(self, name: str = "fn", **parameters: Any) -> dict[str, Any]:
        """Creates a function and waits until it is Active."""
        created = await self.create(name, **parameters)
        await self.wait("function_active_v2", FunctionName=name)
        return created


def function(name: str = "fn") -> dict[str, Any]:
    """The least that CreateFunction takes."""
    return {
        "FunctionName": name,
        "Role": ROLE,
        "Runtime": "python3.12",
        "Handler": "index.handler",
        "Code": {"ZipFile": zip_of()},
    }


def boto_client(url: str, *, region: str = "us-east-1", key: str = "test") -> Any:
    config = botocore.config.Config(
        retries={"mode": "standard", "total_max_attempts": 1},
        parameter_validation=False,
        read_timeout=10,
        connect_timeout=5,
    )
    return boto3.client(
        "lambda",
        endpoint_url=url,
        region_name=region,
        aws_access_key_id=key,
        aws_secret_access_key="test",
        config=config,
    )


@contextlib.asynccontextmanager
async def api_server() -> AsyncIterator[KubeClient]:
    """The embedded API server in memory, with our definitions applied."""
    server = KubeServer(state_dir=None)
    await server.startup(port=0)
    client = server.local_client()
    try:
        for definition in crds():
            await client.create(definition)
        yield client
    finally:
        await client.close()
        await server.shutdown()


@contextlib.asynccontextmanager
async def running(tmp_path: Path, kube: KubeClient) -> AsyncIterator[Service]:
    executor = FakeExecutor()
    artifacts = ArtifactStore(tmp_path / "artifacts")
    intake = CodeIntake(artifacts)
    store = FunctionStore(kube)
    backend = Backend(store, intake)
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(artifacts.close)
        hub = await stack.enter_async_context(InformerHub(kube, guard=True))
        group = await stack.enter_async_context(asyncio.TaskGroup())
        tasks = [group.create_task(one.run()) for one in controllers(hub, store, intake, executor)]
        stack.callback(lambda: [task.cancel() for task in tasks])
        directory = await stack.enter_async_context(FunctionDirectory.opened(hub, store, artifacts))
        runner = GroupCommitter(EventStore(tmp_path / "async.db"))
        stack.push_async_callback(runner.shutdown)
        queue = AsyncQueue(runner, directory, executor, retry_base_s=0.01)
        tasks.append(group.create_task(queue.run()))
        api, invoke = LambdaApi(backend), InvokeService(directory, executor, queue=queue)

        async def route(request: Request) -> Response:
            return await (invoke(request) if is_invoke_path(request.raw_path) else api(request))

        server = HttpServer(route)
        host, port = await server.startup("127.0.0.1", 0)
        stack.push_async_callback(server.shutdown, 1.0)
        url = f"http://{host}:{port}"
        clients: list[Any] = []

        def client_of(**options: Any) -> Any:
            clients.append(boto_client(url, **options))
            return clients[-1]

        stack.callback(lambda: [client.close() for client in clients])
        yield Service(kube, executor, backend, client_of(), client_of, route)
        for task in tasks:
            task.cancel()


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    async with running(tmp_path, FakeKube(crds=crds())) as made:
        yield made


@pytest.fixture
async def embedded(tmp_path: Path) -> AsyncIterator[Service]:
    """The same service on the embedded API server."""
    async with api_server() as kube, running(tmp_path, kube) as made:
        yield made
