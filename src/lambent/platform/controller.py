"""The controllers of workflows and AWS resources: a part of `up`, and the process `lambent controller`.

They know a Kubernetes API by its client Protocol and AWS by an endpoint, and not which of either it is.
"""

from contextlib import AsyncExitStack

from lambent import resources
from lambent.aws.local import Send
from lambent.kube.client import KubeClient
from lambent.kube.fencing import FencedClient
from lambent.kube.informer import InformerHub
from lambent.kube.leader import LeaderElector
from lambent.platform.admin import AdminPort, Health
from lambent.platform.clients import aws_clients, cluster_client
from lambent.platform.controllers import Controllers
from lambent.platform.standby import warm
from lambent.settings import Settings
from lambent.workflow.controller import ControllerSettings, WorkflowController

_LEASE = "lambent-controller"


class ControllerPart:
    """All of them; `startup` after the API servers they speak to answer. `send`: AWS is in this process."""

    def __init__(
        self, kube: KubeClient, hub: InformerHub, settings: Settings, *, aws_endpoint: str, send: Send | None = None
    ) -> None:
        self._kube = kube
        self._hub = hub
        self._settings = settings
        self._aws_endpoint = aws_endpoint
        self._send = send
        self._stack = AsyncExitStack()
        self._controllers: Controllers | None = None

    async def startup(self) -> None:
        settings = self._settings
        # One attempt: a create that is sent twice by a client's own retry would not be ours to see.
        clients = aws_clients(self._aws_endpoint, settings.region, max_attempts=1, send=self._send)
        self._stack.push_async_callback(clients.aclose)
        takeover = settings.controllers.takeover.replace(",", " ").split()
        kinds = await resources.kinds_of_ours(self._kube, resources.TIER_1, takeover=takeover)
        resource_settings = resources.ResourceSettings(
            account_id=settings.account_id, region=settings.region, resync_s=settings.controllers.resync
        )
        workflow_settings = ControllerSettings(takeover="koreo.dev" in takeover)
        self._controllers = Controllers(
            [
                WorkflowController(self._kube, self._hub, settings=workflow_settings),
                *resources.controllers(self._kube, self._hub, clients, resource_settings, kinds=kinds),
            ],
            drain_s=settings.drain_timeout,
        )
        self._controllers.start()
        self._stack.push_async_callback(self._controllers.shutdown)

    async def serve(self) -> None:
        assert self._controllers is not None
        await self._controllers.serve()

    async def shutdown(self) -> None:
        await self._stack.aclose()


class ControllerDaemon:
    """`lambent controller`: on the cluster of a kubeconfig, one leader at a time, the others with warm caches."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._kube = cluster_client(settings.cluster, component="controller")
        self._elector: LeaderElector | None = None
        self._stack = AsyncExitStack()
        self._health = Health()
        self._admin = AdminPort(self._health, port=settings.admin.port)

    async def startup(self) -> None:
        self._stack.push_async_callback(self._kube.close)
        self._hub = await self._stack.enter_async_context(InformerHub(self._kube))
        self._health.add("informers", self._hub.is_ready)
        if self._settings.controllers.leader_election:
            namespace = self._settings.controllers.namespace
            elector = self._elector = LeaderElector(self._kube, name=_LEASE, namespace=namespace)
            self._health.add("leader", lambda: elector.knows_leader)
        await self._admin.startup()
        self._stack.push_async_callback(self._admin.shutdown)

    def announce(self) -> None:
        print(f"lambent controller is up; health and metrics on {self._admin.address}", flush=True)

    async def serve(self) -> None:
        if self._elector is None:
            await self._control(self._kube)
            return
        async with warm(self._hub):
            await self._elector.run(lambda term: self._control(FencedClient(self._kube, term)))

    async def _control(self, kube: KubeClient) -> None:
        """Until cancelled (a signal, or the term's end); the controllers are drained either way."""
        part = ControllerPart(kube, self._hub, self._settings, aws_endpoint=self._settings.aws_endpoint)
        try:
            await part.startup()
            await part.serve()
        finally:
            await part.shutdown()

    async def shutdown(self) -> None:
        await self._stack.aclose()
