"""One HTTP exchange with an API server, with the policy of retries and errors. Knows no verbs and no kinds.

A 401 renews the credentials once. 429 and 503 wait as the server says, up to a limit beyond which the wait is the
caller's (`RetryPolicy`). A connection error repeats a request only if that is harmless: it reads, or it has a
precondition, or no byte of it left.
"""

import asyncio
import random
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any
from urllib.parse import quote, urlencode

import aiohttp
import orjson
from multidict import CIMultiDict
from yarl import URL

from lambent import __version__
from lambent.kube.errors import (
    KubeError,
    ServerError,
    Throttled,
    Unauthorized,
    Unreachable,
    from_status,
    without_values,
)
from lambent.kube.fencing import FENCE_HEADER, current_fence
from lambent.kube.http_request import HttpRequest, RetryPolicy
from lambent.kube.kubeconfig import ClusterConfig
from lambent.kube.silence import Call, Silence
from lambent.kube.tls import client_context

_CONNECT_S = 5.0
_SILENCE_S = 30.0
_CALL = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_S)  # the rest is bounded by `Silence`
_JSON = "application/json"
# There was no connection: no byte of the request left.
_NEVER_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)


class Transport:
    """Owns the connections to one server. `component` goes into the User-Agent."""

    BREAKS = (aiohttp.ClientError, TimeoutError, OSError)
    """What reading an open answer may raise."""

    def __init__(self, config: ClusterConfig, *, component: str, retry: RetryPolicy | None = None) -> None:
        self._config = config
        self._retry = retry or RetryPolicy()
        self._rng = random.Random()
        self._user_agent = f"lambent-{component}/{__version__}"
        self._session: aiohttp.ClientSession | None = None
        self._silence = Silence(_SILENCE_S)
        self._tls: tuple[object, Any] = (None, None)

    async def send(self, request: HttpRequest) -> bytes:
        """The body of a 2xx answer; raises a KubeError for anything else."""
        renewed = False
        for attempt in range(1, self._retry.tries + 1):
            try:
                return await self._send_once(request)
            except Unauthorized:
                if renewed or not await self._config.credentials.renew():
                    raise
                renewed = True
            except (Throttled, ServerError, Unreachable) as error:
                delay_s = self._retry_delay_s(request, error, attempt)
                if delay_s is None:
                    raise
                await asyncio.sleep(delay_s)
        raise Unreachable("no answer after several tries", what=request.what)

    async def stream(self, request: HttpRequest, *, timeout_s: float) -> aiohttp.ClientResponse:
        """An open 2xx answer; the caller closes it. Not repeated, but for one 401."""
        try:
            return await self._stream_once(request, timeout_s)
        except Unauthorized:
            if not await self._config.credentials.renew():
                raise
            return await self._stream_once(request, timeout_s)

    async def close(self) -> None:
        self._silence.close()
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _send_once(self, request: HttpRequest) -> bytes:
        try:
            headers = await self._config.credentials.headers()
            with Call(self._silence) as call:
                async with self._exchange(request, headers) as response:
                    call.answer = response
                    body = await response.read()
        except self.BREAKS as error:
            raise _unreachable(error, request) from error
        if response.status >= 300:
            raise _error(response, body, request)
        return body

    async def _stream_once(self, request: HttpRequest, timeout_s: float) -> aiohttp.ClientResponse:
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_S, sock_read=timeout_s)
        try:
            headers = await self._config.credentials.headers()
            response = await self._exchange(request, headers, timeout=timeout).__aenter__()
            if response.status < 300:
                return response
            async with response:
                body = await response.read()
        except self.BREAKS as error:
            raise _unreachable(error, request) from error
        raise _error(response, body, request)

    def _exchange(
        self, request: HttpRequest, credentials: Mapping[str, str], **more: Any
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        """What stays the same for all requests stands in the session, as merging it anew takes a while."""
        config = self._config
        headers = dict(credentials)
        if request.accept != _JSON:
            headers["Accept"] = request.accept
        if request.body is not None:
            headers["Content-Type"] = request.content_type
        if fence := current_fence.get():
            headers[FENCE_HEADER] = fence
        query = f"?{urlencode(request.query)}" if request.query else ""
        return self._open_session().request(
            request.method,
            URL(f"{config.server}{request.path}{query}", encoded=True),
            data=request.body,
            headers=headers,
            ssl=self._ssl(),
            server_hostname=config.tls_server_name,
            allow_redirects=False,
            **more,
        )

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            # Watches are connections that never come back: a limit would let them starve the calls.
            connector = aiohttp.TCPConnector(limit=0, ttl_dns_cache=30)
            self._session = aiohttp.ClientSession(
                connector=connector,
                headers=self._standing_headers(),
                cookie_jar=aiohttp.DummyCookieJar(),
                proxy=self._config.proxy_url,
                timeout=_CALL,
            )
            # aiohttp sends a PUT or DELETE again by itself when a kept connection breaks; what may be repeated is
            # decided here alone.
            self._session._retry_connection = False
        return self._session

    def _standing_headers(self) -> CIMultiDict[str]:
        headers: CIMultiDict[str] = CIMultiDict({"Accept": _JSON, "User-Agent": self._user_agent})
        if URL(self._config.server).host in ("127.0.0.1", "::1", "localhost"):
            headers["Accept-Encoding"] = "identity"
        who = self._config.impersonation
        if who.user:
            headers["Impersonate-User"] = who.user
        for group in who.groups:
            headers.add("Impersonate-Group", group)
        if who.uid:
            headers["Impersonate-Uid"] = who.uid
        for name, value in who.extra:
            headers.add(f"Impersonate-Extra-{quote(name.lower(), safe='')}", value)
        return headers

    def _ssl(self) -> Any:
        """One context per client certificate, made when it changes."""
        config = self._config
        if not config.server.startswith("https:"):
            return False
        certificate = config.credentials.certificate()
        if self._tls[1] is None or self._tls[0] != certificate:
            context = client_context(ca=config.ca, insecure=config.insecure_skip_tls_verify, certificate=certificate)
            self._tls = (certificate, context)
        return self._tls[1]

    def _retry_delay_s(self, request: HttpRequest, error: KubeError, attempt: int) -> float | None:
        """None: do not repeat."""
        if attempt == self._retry.tries or not _may_repeat(request, error):
            return None
        if error.retry_after_s is not None:
            return error.retry_after_s if error.retry_after_s <= self._retry.longest_s else None
        return self._rng.uniform(0, min(self._retry.cap_s, self._retry.first_s * 2.0**attempt))


def _may_repeat(request: HttpRequest, error: KubeError) -> bool:
    if isinstance(error, Unreachable):
        return request.is_repeatable or isinstance(error.__cause__, _NEVER_SENT)
    if isinstance(error, Throttled):
        return True
    return error.code == 503 and (request.is_repeatable or error.retry_after_s is not None)


def _unreachable(error: BaseException, request: HttpRequest) -> Unreachable:
    if isinstance(error, TimeoutError):
        return Unreachable("the server gave no answer in time", what=request.what)
    return Unreachable(f"{type(error).__name__}: {error}"[:300], what=request.what)


def _error(response: aiohttp.ClientResponse, body: bytes, request: HttpRequest) -> KubeError:
    status: Any = None
    if body.lstrip().startswith(b"{"):
        try:
            status = orjson.loads(body)
        except orjson.JSONDecodeError:
            status = None
    if not isinstance(status, dict) or status.get("kind") != "Status":
        status = {"message": body[:200].decode("utf-8", "replace").strip()}
    # The code of the answer decides; a proxy's page has no Status.
    status = {**status, "code": response.status}
    if "/secrets" in request.path:
        status = without_values(status)
    return from_status(status, what=request.what, retry_after_s=_seconds(response.headers.get("Retry-After")))


def _seconds(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None
