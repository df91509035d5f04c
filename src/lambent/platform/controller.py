"""The controllers of workflows and AWS resources: a part of `up`, and the process `lambent controller`.

They know a Kubernetes API by its client Protocol and AWS by an endpoint, and not which of either it is.

With `--shards` each shard that the process leads has a part of its own: caches of definitions, memory of passes, queues
and rate limits of events begin and end with its term, and hold its objects alone, so nothing that one term knew reaches
another. Shared are the watches, the AWS clients and the turns at the event loop. Nothing here is once per cluster: a
definition's status, a trigger and a resource each have a key, hence a shard; only the note of held kinds is written by
all (`workflow.controller.held_kinds` says why that is safe).
"""

from contextlib import AsyncExitStack
from typing import Any

from lambent import resources
from lambent.aws.clients import AwsClients
from lambent.aws.local import Send
from lambent.errors import UsageError
from lambent.kube.client import KubeClient
from lambent.kube.controller import Selects
from lambent.kube.fencing import FencedClient
from lambent.kube.informer import InformerHub
from lambent.kube.leader import LeaseTimes, Term
from lambent.kube.sharding import Election, selects_shard
from lambent.platform.admin import AdminPort, Health
from lambent.platform.clients import aws_clients, cluster_client
from lambent.platform.controllers import Controllers
from lambent.platform.standby import warm
from lambent.resources.port import Clients
from lambent.settings import Settings
from lambent.workflow.controller import ControllerSettings, Pacer, WorkflowController

_LEASE = "lambent-controller"


def controller_clients(settings: Settings, aws_endpoint: str, *, send: Send | None = None) -> AwsClients:
    """For the controllers of a process. `send`: AWS is in this process."""
    # One attempt: a create that is sent twice by a client's own retry would not be ours to see.
    return aws_clients(aws_endpoint, settings.region, max_attempts=1, send=send)


class FencedAws:
    """AWS clients that are handed out, one call at a time, while the term lasts."""

    def __init__(self, clients: Clients, term: Term) -> None:
        self._clients = clients
        self._term = term

    async def client(self, service: str, region: str | None = None) -> Any:
        client = await self._clients.client(service, region)
        self._term.check()
        return client


class ControllerPart:
    """All of them; `startup` after the API servers they speak to answer.

    With a `term` nothing is written after it; `selects` tells the objects of this part, None: all.
    """

    def __init__(
        self,
        kube: KubeClient,
        hub: InformerHub,
        settings: Settings,
        clients: Clients,
        *,
        term: Term | None = None,
        selects: Selects | None = None,
        pacer: Pacer | None = None,
    ) -> None:
        self._kube = FencedClient(kube, term) if term is not None else kube
        self._hub = hub
        self._settings = settings
        self._clients = FencedAws(clients, term) if term is not None else clients
        self._term = term
        self._selects = selects
        self._pacer = pacer
        self._controllers: Controllers | None = None

    async def startup(self) -> None:
        settings = self._settings
        takeover = settings.controllers.takeover.replace(",", " ").split()
        kinds = await resources.kinds_of_ours(self._kube, resources.TIER_1, takeover=takeover)
        resource_settings = resources.ResourceSettings(
            account_id=settings.account_id, region=settings.region, resync_s=settings.controllers.resync
        )
        workflows = WorkflowController(
            self._kube,
            self._hub,
            settings=ControllerSettings(takeover="koreo.dev" in takeover),
            selects=self._selects,
            pacer=self._pacer,
        )
        aws = resources.controllers(
            self._kube, self._hub, self._clients, resource_settings, kinds=kinds, selects=self._selects
        )
        self._controllers = Controllers([workflows, *aws], drain_s=settings.drain_timeout)
        self._controllers.start()

    async def serve(self) -> None:
        assert self._controllers is not None
        await self._controllers.serve()

    async def shutdown(self) -> None:
        """Runs in progress may end in good order only while the term lasts."""
        if self._controllers is not None:
            await self._controllers.shutdown(at_once=self._term is not None and not self._term.is_valid)


class ControllerDaemon:
    """`lambent controller`: on the cluster of a kubeconfig, one leader at a time (of each shard), the others with warm
    caches. Raises UsageError.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        controllers = settings.controllers
        if min(controllers.shards, controllers.lease) < 1:
            raise UsageError("--shards and --controllers-lease are at least 1")
        if controllers.shards > 1 and not controllers.leader_election:
            raise UsageError("--shards divides the work by Leases, so it needs --controllers-leader-election")
        self._kube = cluster_client(settings.cluster, component="controller")
        self._election: Election | None = None
        self._stack = AsyncExitStack()
        self._health = Health()
        self._admin = AdminPort(self._health, port=settings.admin.port)

    async def startup(self) -> None:
        self._stack.push_async_callback(self._kube.close)
        self._clients = controller_clients(self._settings, self._settings.aws_endpoint)
        self._stack.push_async_callback(self._clients.aclose)
        self._pacer = Pacer()
        self._hub = await self._stack.enter_async_context(InformerHub(self._kube))
        self._health.add("informers", self._hub.is_ready)
        if self._settings.controllers.leader_election:
            self._election = self._stand()
        await self._admin.startup()
        self._stack.push_async_callback(self._admin.shutdown)

    def _stand(self) -> Election:
        wanted = self._settings.controllers
        shards, times = wanted.shards, LeaseTimes.lasting(wanted.lease)
        election = Election(self._kube, _LEASE, wanted.namespace, shards=shards, times=times)
        self._health.add("leader", lambda: election.knows_leaders)
        if shards > 1:
            self._health.tell(lambda: f"leads shards: {', '.join(map(str, election.held)) or 'none'} of {shards}")
        return election

    def announce(self) -> None:
        print(f"lambent controller is up; health and metrics on {self._admin.address}", flush=True)

    async def serve(self) -> None:
        if self._election is None:
            await self._control(ControllerPart(self._kube, self._hub, self._settings, self._clients))
            return
        async with warm(self._hub):
            await self._election.run(self._lead)

    async def _lead(self, shard: int, term: Term) -> None:
        selects = None
        if (shards := self._settings.controllers.shards) > 1:
            selects = selects_shard(shard, shards)
        await self._control(
            ControllerPart(
                self._kube, self._hub, self._settings, self._clients, term=term, selects=selects, pacer=self._pacer
            )
        )

    async def _control(self, part: ControllerPart) -> None:
        """Until cancelled (a signal, or the term's end); the controllers are drained either way."""
        try:
            await part.startup()
            await part.serve()
        finally:
            await part.shutdown()

    async def shutdown(self) -> None:
        await self._stack.aclose()
