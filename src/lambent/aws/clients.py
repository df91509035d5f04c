"""AWS clients of ours: one cached client per service and region.

With an endpoint (the embedded AWS, or any other) endpoint, region and keys are explicit and nothing of the shell is
read; without one the usual AWS credential chain decides (`aws.wire`). An AWS in the same process needs no socket:
`send` stands for it (`aws.local`). Errors become `AwsError` in one place, `as_aws_error`. Loading a service's model is
slow (tens of ms of JSON): a thread does it, so that the loop does not stall.
"""

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from lambent.aws.errors import AwsError
from lambent.aws.local import Send, open_local

if TYPE_CHECKING:
    from lambent.aws.wire import Wire

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
    rate limit). With `send` nothing goes over HTTP and nothing is sent twice.
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
        self._retries = (retry_mode, max_attempts)
        self._pool_connections = pool_connections
        self._send = send
        self._wire: Wire | None = None
        self._clients: dict[tuple[str, str], Any] = {}
        self._lock = asyncio.Lock()

    async def client(self, service: str, region: str | None = None) -> Any:
        """The client of a service, shared by all who ask; `aclose` closes it."""
        key = (service, region or self.region)
        known = self._clients.get(key)
        if known is not None:
            return known
        async with self._lock:
            if key not in self._clients:
                self._clients[key] = await self._open(*key)
            return self._clients[key]

    async def _open(self, service: str, region: str) -> Any:
        if self._send is not None:
            key = (self._credentials or Credentials()).access_key
            host = urlsplit(self.endpoint_url or "").netloc
            return await asyncio.to_thread(open_local, service, region, self._send, access_key=key, host=host)
        if self._wire is None:
            self._wire = await asyncio.to_thread(self._open_wire)
        return await self._wire.open(service, region)

    def _open_wire(self) -> "Wire":
        from lambent.aws.wire import Wire  # here, since it brings an HTTP client that `send` does not need

        keys: dict[str, str | None] = {}
        if self._credentials is not None:
            keys = {
                "aws_access_key_id": self._credentials.access_key,
                "aws_secret_access_key": self._credentials.secret_key,
                "aws_session_token": self._credentials.session_token,
            }
        mode, attempts = self._retries
        return Wire(self.endpoint_url, keys, retry_mode=mode, max_attempts=attempts, pool=self._pool_connections)

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
        if self._wire is not None:
            await self._wire.aclose()


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
