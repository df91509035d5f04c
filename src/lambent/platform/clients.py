"""Clients of a process: a Kubernetes API by kubeconfig, AWS by endpoint or, in the same process, without a socket."""

import os

from lambent.aws.answers import WireHeaders
from lambent.aws.clients import AwsClients, Credentials
from lambent.aws.local import Send
from lambent.http.message import Request
from lambent.http.server import HttpServer
from lambent.kube import kubeconfig
from lambent.kube.http_client import HttpClient
from lambent.platform.discovery import DUMMY_KEY
from lambent.settings import Cluster


def cluster_client(cluster: Cluster, *, component: str = "cli") -> HttpClient:
    """Without a kubeconfig: as kubectl finds it, then in-cluster. Raises `UsageError`.

    What KUBECONFIG says, from which the setting has its value too, may be several files of which some are missing.
    """
    path = cluster.kubeconfig
    is_own = path and path != os.environ.get("KUBECONFIG")
    config = kubeconfig.load(
        path if is_own else None, context=cluster.context, as_user=cluster.as_user, as_groups=cluster.as_groups
    )
    return HttpClient(config, component=component)


def aws_clients(endpoint: str, region: str, *, max_attempts: int = 3, send: Send | None = None) -> AwsClients:
    """With an endpoint everything is explicit; without one the AWS SDK's own chain finds the credentials."""
    keys = Credentials(DUMMY_KEY, DUMMY_KEY) if endpoint else None
    return AwsClients(endpoint or None, region, credentials=keys, max_attempts=max_attempts, send=send)


def send_to(server: HttpServer) -> Send:
    """The way to a server of the same process, for `aws_clients`."""

    async def send(method: str, target: bytes, headers: WireHeaders, body: bytes) -> tuple[int, WireHeaders, bytes]:
        response = await server.ask(Request(method, target, headers, body))
        if isinstance(response.body, bytes):
            return response.status, response.headers, response.body
        return response.status, response.headers, b"".join([chunk async for chunk in response.body])

    return send
