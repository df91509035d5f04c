"""Clients of a process: a Kubernetes API by kubeconfig, AWS by endpoint."""

from lambent.aws.clients import AwsClients, Credentials
from lambent.kube import kubeconfig
from lambent.kube.http_client import HttpClient
from lambent.platform.discovery import DUMMY_KEY


def cluster_client(path: str, *, component: str = "cli") -> HttpClient:
    """By kubeconfig path; empty means as kubectl finds it, then in-cluster. Raises `UsageError`."""
    return HttpClient(kubeconfig.load(path or None), component=component)


def aws_clients(endpoint: str, region: str, *, max_attempts: int = 3) -> AwsClients:
    """With an endpoint everything is explicit; without one the AWS SDK's own chain finds the credentials."""
    keys = Credentials(DUMMY_KEY, DUMMY_KEY) if endpoint else None
    return AwsClients(endpoint or None, region, credentials=keys, max_attempts=max_attempts)
