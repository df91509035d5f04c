"""The one way to AWS: every call of every kind goes through `AwsPort.call`.

Parameters come in our field names or AWS's and are translated by botocore's service model; errors leave as `AwsError`.
Nothing else in this package may touch a client. Not here: what an error means (`failures`), waiting and retrying
(`requeue`).
"""

from typing import Any, Protocol

from botocore import xform_name

from lambent.aws.clients import FAILURES, as_aws_error
from lambent.resources import schema
from lambent.resources.declaration import Answer, Call, Params


class Clients(Protocol):
    """What is needed of `aws.clients.AwsClients`: a cached aiobotocore client of a service."""

    async def client(self, service: str, region: str | None = None) -> Any: ...


class AwsPort:
    """`caller(service, region)` gives the function that a kind calls AWS with."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def caller(self, service: str, region: str) -> Call:
        async def call(operation: str, params: Params) -> Answer:
            return await self.call(service, operation, params, region=region)

        return call

    async def call(self, service: str, operation: str, params: Params, *, region: str) -> Answer:
        """The answer as botocore parses it; AwsError for any refusal, status 0 when no answer came."""
        client = await self._clients.client(service, region=region)
        shape = client.meta.service_model.operation_model(operation).input_shape
        request = schema.to_aws(shape, params) if shape is not None else {}
        try:
            answer: Answer = await getattr(client, xform_name(operation))(**request)
        except FAILURES as error:
            raise as_aws_error(error, operation=operation) from error
        return answer
