"""AWS clients of ours: one cached aiobotocore client per service and region.

With an endpoint (the embedded AWS, or any other) endpoint, region and keys are explicit and nothing of the shell is
read; without one the usual AWS credential chain decides. Errors become `AwsError` in one place, `as_aws_error`.
Loading a service's model is slow (tens of ms of JSON): a thread does it, so that the loop does not stall.
An AWS in the same process needs no socket: `send` stands for it (`aws.local`).
"""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession
from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from lambent import __version__
from lambent.aws.errors import AwsError
from lambent.aws.isolation import IsolatedSession
from lambent.aws.local import Send, send_locally
from lambent.aws.metrics import count_requests

FAILURES = (ClientError, BotoCoreError, ResponseParserError, OSError, TimeoutError)
"""What a call of a client raises; `as_aws_error` makes an AwsError of any of them."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """Keys to sign with; the defaults are the dummies that the embedded AWS accepts."""

    access_key: str = "test"
    secret_key: str = "test"
    session_token: str | None = None


class AwsClients:
    """`endpoint_url=None` means AWS itself. `credentials=None` means dummy keys with an endpoint, else the usual chain.

    `retry_mode` and `max_attempts` are botocore's ("standard": 3 attempts with back-off; "adaptive" adds a client-side
    rate limit). With `send` the endpoint's URL is only a name.
    """

    def __init__(
        self,
        endpoint_url: str | None,
        region: str = "us-east-1",
        *,
        credentials: Credentials | None = None,
        retry_mode: str = "standard",
        max_attempts: int = 3,
        pool_connections: int = 50,
        send: Send | None = None,
    ) -> None:
        self.endpoint_url = endpoint_url
        self.region = region
        self._credentials = credentials or (Credentials() if endpoint_url else None)
        self._session: Any = IsolatedSession() if endpoint_url else AioSession()
        count_requests(self._session)
        if send is not None:
            send_locally(self._session, send, access_key=(self._credentials or Credentials()).access_key)
        self._config = AioConfig(
            retries={"mode": retry_mode, "total_max_attempts": max_attempts},
            max_pool_connections=pool_connections,
            # An empty table keeps HTTP_PROXY away from a loopback endpoint.
            proxies={} if endpoint_url else None,
            connect_timeout=5,
            read_timeout=60,
            # botocore's own is composed anew for each request, from ten parts.
            user_agent=f"lambent/{__version__}",
        )
        self._clients: dict[tuple[str, str], Any] = {}
        self._lock = asyncio.Lock()
        self._stack = AsyncExitStack()

    async def client(self, service: str, region: str | None = None) -> Any:
        """The aiobotocore client of a service, shared by all who ask; `aclose` closes it."""
        key = (service, region or self.region)
        known = self._clients.get(key)
        if known is not None:
            return known
        async with self._lock:
            if key not in self._clients:
                self._clients[key] = await self._open(*key)
            return self._clients[key]

    async def _open(self, service: str, region: str) -> Any:
        await asyncio.to_thread(self._load_models, service)
        keys = {}
        if self._credentials is not None:
            keys = {
                "aws_access_key_id": self._credentials.access_key,
                "aws_secret_access_key": self._credentials.secret_key,
                "aws_session_token": self._credentials.session_token,
            }
        context = self._session.create_client(
            service, region_name=region, endpoint_url=self.endpoint_url, config=self._config, **keys
        )
        return await self._stack.enter_async_context(context)

    def _load_models(self, service: str) -> None:
        loader = self._session.get_component("data_loader")
        for name in ("endpoints", "partitions", "sdk-default-configuration"):
            loader.load_data(name)
        for kind in ("service-2", "endpoint-rule-set-1"):
            loader.load_service_model(service, kind)

    async def call(self, service: str, operation: str, *, region: str | None = None, **params: Any) -> dict[str, Any]:
        """One operation by its AWS name (`GetObject`); gives the parsed answer. Raises AwsError."""
        client = await self.client(service, region)
        try:
            answer: dict[str, Any] = await getattr(client, xform_name(operation))(**params)
        except FAILURES as error:
            raise as_aws_error(error, operation=operation) from error
        return answer

    async def aclose(self) -> None:
        """Closes every client; a later `client()` opens a new one."""
        self._clients.clear()
        await self._stack.aclose()
        self._stack = AsyncExitStack()


def as_aws_error(error: Exception, *, operation: str = "") -> AwsError:
    """What botocore raised, as ours. `status` is 0 when no answer came (connection, timeout, bad parameters)."""
    if not isinstance(error, ClientError):
        return AwsError(type(error).__name__, str(error), operation=operation)
    told = error.response.get("Error", {})
    meta = error.response.get("ResponseMetadata", {})
    return AwsError(
        str(told.get("Code") or "Unknown"),
        str(told.get("Message") or told.get("message") or ""),
        status=int(meta.get("HTTPStatusCode") or 0),
        operation=operation or str(error.operation_name or ""),
        request_id=str(meta.get("RequestId") or ""),
    )
