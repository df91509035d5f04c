"""AWS in the same process, reached without a socket: clients made of botocore's serialisers and parsers alone.

A client has what ours use of botocore's: `meta.service_model`, a coroutine per operation, `ClientError`. A request is
checked and serialised by the service's model, handed to a `Send` and the answer parsed by the same model; endpoint
rules, events, retries and HTTP are left out, and so is the signature: the scope is told, and the embedded AWS verifies
none. That is a fifth of the cost of a request over loopback. Of botocore's customisations those are kept that change
what a caller sees (bucket names checked, idempotency tokens, policy documents as objects).
Not here: what answers (`Send` is plain tuples, because this kit does not know our HTTP kit).
"""

import inspect
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from functools import partial
from io import BytesIO
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import botocore.parsers
import botocore.serialize
from botocore import handlers, xform_name
from botocore.exceptions import ClientError
from botocore.utils import parse_timestamp, percent_encode_sequence

from lambent.aws.answers import WireHeaders
from lambent.aws.metrics import count_request
from lambent.aws.service_model import service_model

Send = Callable[[str, bytes, WireHeaders, bytes], Awaitable[tuple[int, WireHeaders, bytes]]]
"""Method, target, headers, body -> status, headers, body. Header names are lower-case bytes."""


class LocalClient:
    """One service in one region; made by `open_local`."""

    def __init__(self, model: Any, region: str, send: Send, *, access_key: str, host: str) -> None:
        self.meta = SimpleNamespace(service_model=model, region_name=region)
        self._send = send
        self._service = str(model.service_id.hyphenize())
        self._scope = f"{region}/{model.signing_name}/aws4_request, SignedHeaders=host, Signature=none"
        self._access_key = access_key
        # S3 takes a name that is no address for a bucket's.
        self._host = (b"host", host.encode())
        self._serializer = botocore.serialize.create_serializer(model.resolved_protocol)
        parsers = botocore.parsers.ResponseParserFactory()
        parsers.set_parser_defaults(timestamp_parser=_timestamp)
        self._parser = parsers.create_parser(model.resolved_protocol)
        self._names = {xform_name(name): name for name in model.operation_names}

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in self._names:
            raise AttributeError(name)
        call = partial(self._call, self.meta.service_model.operation_model(self._names[name]))
        setattr(self, name, call)
        return call

    async def _call(self, operation: Any, **params: Any) -> Any:
        method, target, headers, body = await self._request(operation, params)
        began = time.perf_counter()
        status, answered, content = await self._send(method, target, headers, body)
        count_request(self._service, operation.name, str(status), time.perf_counter() - began)
        return self._answer(operation, status, answered, content)

    async def _request(self, operation: Any, params: dict[str, Any]) -> tuple[str, bytes, WireHeaders, bytes]:
        handlers.generate_idempotent_uuid(params, operation)
        if self._service == "s3":
            handlers.validate_bucket_name(params)
        request = self._serializer.serialize_to_request(params, operation)
        target = request["url_path"]
        if request["query_string"]:
            query = percent_encode_sequence(request["query_string"])
            target = f"{target}{'&' if '?' in target else '?'}{query}"
        credential = f"{self._access_key}/{time.strftime('%Y%m%d', time.gmtime())}/{self._scope}"
        headers = [self._host, (b"authorization", f"AWS4-HMAC-SHA256 Credential={credential}".encode())]
        headers += [(name.lower().encode(), _bytes(value)) for name, value in request["headers"].items()]
        return request["method"], target.encode(), headers, await _whole(request["body"])

    def _answer(self, operation: Any, status: int, answered: WireHeaders, content: bytes) -> Any:
        headers = _Headers((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in answered)
        is_streamed = operation.has_streaming_output and status < 300
        told = {
            "status_code": status,
            "headers": headers,
            "body": Body(content) if is_streamed else content,
            "context": {"operation_name": operation.name},
        }
        parsed = self._parser.parse(told, operation.output_shape)
        if self._service == "iam":
            handlers.json_decode_policies(parsed, operation)
        if status >= 300:
            raise ClientError(parsed, operation.name)
        return parsed


def open_local(service: str, region: str, send: Send, *, access_key: str, host: str) -> LocalClient:
    """Slow the first time for a service (its model is tens of ms of JSON)."""
    return LocalClient(service_model(service), region, send, access_key=access_key, host=host)


class Body:
    """The content of an object: what ours use of aiobotocore's streaming body."""

    def __init__(self, content: bytes) -> None:
        self._file = BytesIO(content)

    async def read(self, amount: int = -1) -> bytes:
        return self._file.read(amount)

    async def iter_chunks(self, chunk_size: int = 1024) -> AsyncIterator[bytes]:
        while chunk := self._file.read(chunk_size):
            yield chunk

    async def __aenter__(self) -> "Body":
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Nothing is held."""


class _Headers(dict[str, str]):
    """Lower-case names; botocore's parsers ask in the spelling of the model."""

    def __contains__(self, name: object) -> bool:
        return super().__contains__(str(name).lower())

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name.lower())

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(name.lower(), default)


# What AWS writes in nearly every XML answer; botocore's own parser takes twenty times as long for it.
_UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z", re.ASCII)


def _timestamp(value: Any) -> datetime:
    """As botocore: of text in the forms of ISO 8601 or RFC 822, or of seconds. Raises ValueError."""
    if isinstance(value, str) and _UTC.fullmatch(value):
        return datetime.fromisoformat(value)
    found: datetime = parse_timestamp(value)
    return found


def _bytes(text: Any) -> bytes:
    return text if isinstance(text, bytes) else str(text).encode("utf-8")


async def _whole(body: Any) -> bytes:
    """botocore's body: the fields of a form, text, bytes, or a file whose `read` may be a coroutine."""
    if isinstance(body, dict):
        return urlencode(body, doseq=True).encode()
    if hasattr(body, "read"):
        body = body.read()
        if inspect.isawaitable(body):
            body = await body
    return body.encode() if isinstance(body, str) else bytes(body or b"")
