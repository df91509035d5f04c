"""The AWS port: one listener that decides, request by request, who answers.

| request | answered by |
|---|---|
| POST /2015-03-31/functions/{name}/invocations | `invoke`, the hot route, asked first |
| /_lambent/... , /_localstack/health, /health | this process: health, readiness, metrics, what it is |
| /v2/... unsigned, Bearer or Basic | the container registry |
| signed for `lambda`, or unsigned on a path of the Lambda API | `functions` |
| everything else | the embedded AWS |

Source: `spec` of the Lambda API, section 2 ("Processes, ports, routing"). boto3 sends CreateFunction and Invoke over
one connection, so the choice is per request and never per connection. One name serves two APIs: S3 may hold a bucket
called `v2`, but its requests are signed.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

import orjson

from lambent import __version__
from lambent.aws.caller import CallerReader
from lambent.http.message import Request, Response, Service, content_type
from lambent.invoke import is_invoke_path
from lambent.platform.admin import Health

# Every path of the Lambda API begins with the date of its version.
_LAMBDA_PATH = re.compile(
    rb"^/20\d\d-\d\d-\d\d/(?:functions|tags|account-settings|layers|event-source-mappings|code-signing)"
)
_HEALTH_PATHS = (b"/_localstack/health", b"/health")


@dataclass(frozen=True, slots=True)
class AwsPort:
    """A `Service`. `neighbours` is every AWS service but Lambda."""

    invoke: Service
    lambda_api: Service
    registry: Service
    neighbours: Service
    internal: Service
    callers: CallerReader

    async def __call__(self, request: Request) -> Response:
        return await self._choose(request)(request)

    def _choose(self, request: Request) -> Service:
        path = request.raw_path
        if is_invoke_path(path):
            return self.invoke
        if path.startswith(b"/_lambent/"):
            return self.internal
        authorization = request.header(b"authorization")
        is_signed = authorization.startswith(b"AWS4-HMAC-SHA256") or b"X-Amz-Signature=" in request.raw_query
        if not is_signed:
            return self._choose_unsigned(request, path)
        if self.callers.read(authorization).service == "lambda":
            return self.lambda_api
        return self.neighbours

    def _choose_unsigned(self, request: Request, path: bytes) -> Service:
        if path == b"/v2" or path.startswith(b"/v2/"):
            return self.registry
        if path in _HEALTH_PATHS and not request.raw_query:
            return self.internal
        return self.lambda_api if _LAMBDA_PATH.match(path) else self.neighbours


@dataclass(frozen=True, slots=True)
class Internal:
    """`/_lambent/` and the health paths that wait scripts of others ask."""

    health: Health
    describe: Callable[[], dict[str, object]]
    downloads: Service

    async def __call__(self, request: Request) -> Response:
        path = request.raw_path
        if path in _HEALTH_PATHS:
            services = {"lambda": "running", "s3": "available", "iam": "available", "sqs": "available"}
            return _json({"services": services, "version": __version__, "edition": "lambent"})
        if path == b"/_lambent/info":
            return _json({"version": __version__, **self.describe()})
        if path.startswith(b"/_lambent/artifacts/"):
            return await self.downloads(request)
        return self.health.answer(path.removeprefix(b"/_lambent/"))


def _json(value: dict[str, object]) -> Response:
    return Response(200, content_type(b"application/json"), orjson.dumps(value))
