"""AWS clients over a process' wire: calls are counted, spoilt and died at together with those to Kubernetes."""

from types import SimpleNamespace
from typing import Any

from botocore import xform_name
from botocore.exceptions import ClientError, ConnectTimeoutError

from lambent.kube.fake.wire import Wire
from lambent.resources.fake.aws import READS
from lambent.resources.port import Clients

_REFUSALS = (("Throttling", 400), ("ServiceUnavailable", 503), ("InternalError", 500))


class WiredClients:
    """Stands in for `aws.clients.AwsClients` before any other that does."""

    def __init__(self, clients: Clients, wire: Wire) -> None:
        self._clients = clients
        self._wire = wire

    async def client(self, service: str, region: str | None = None) -> Any:
        return _WiredClient(await self._clients.client(service, region), self._wire)


class _WiredClient:
    def __init__(self, client: Any, wire: Wire) -> None:
        self._client = client
        self._wire = wire
        self._names = {xform_name(name): name for name in client.meta.service_model.operation_names}
        self.meta = SimpleNamespace(service_model=client.meta.service_model)

    def __getattr__(self, name: str) -> Any:
        operation = self._names[name]
        lost = None if operation.startswith(READS) else ConnectionResetError("the answer was lost")

        async def call(**params: Any) -> Any:
            act = getattr(self._client, name)
            return await self._wire.call(operation, lambda: act(**params), errors=_errors(operation), lost=lost)

        return call


def _errors(operation: str) -> list[Exception]:
    timeout = ConnectTimeoutError(endpoint_url="http://aws.invalid")
    told = [
        ClientError(
            {"Error": {"Code": code, "Message": "weather"}, "ResponseMetadata": {"HTTPStatusCode": status}},
            operation,
        )
        for code, status in _REFUSALS
    ]
    return [timeout, *told]
