"""`FakeAws`: stands in for `aws.clients.AwsClients`, with services that live in this process.

Requests are validated against botocore's models, so a wrong name or type fails as it would at the client. Every call
is recorded; a call can be made to fail, or the process to die before or after the n-th call. Not here: HTTP, signing,
paging, and whatever of the services no resource kind uses.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from types import SimpleNamespace
from typing import Any, NamedTuple

import botocore.loaders
import botocore.model
from botocore import xform_name
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator

from lambent.clock import WallClock, utc_now
from lambent.resources.fake.errors import Refusal
from lambent.resources.fake.iam import FakeIam
from lambent.resources.fake.lambda_service import FakeLambda
from lambent.resources.fake.s3 import FakeS3

READS = ("Get", "List", "Head")


class Crash(BaseException):
    """The process died; the fake's state stays, as AWS's would."""


class Asked(NamedTuple):
    """One recorded call."""

    service: str
    operation: str
    params: Mapping[str, Any]

    @property
    def is_write(self) -> bool:
        return not self.operation.startswith(READS)


@dataclass(slots=True)
class _Failure:
    operation: str
    error: Exception
    times: int
    after: bool


@dataclass
class FakeAws:
    """`calls` is what was asked; `iam`, `s3` and `functions` are the services, open to the test's hand."""

    account_id: str = "123456789012"
    region: str = "us-east-1"
    now: WallClock = utc_now
    calls: list[Asked] = field(default_factory=list)
    crash_at: int | None = None
    crash_after: bool = False

    def __post_init__(self) -> None:
        self.iam = FakeIam(self.account_id, self.now)
        self.s3 = FakeS3(self.now)
        self.functions = FakeLambda(self.account_id, self.region, self.now)
        self._dead = False
        self._failures: list[_Failure] = []
        self.services: dict[str, Any] = {"iam": self.iam, "s3": self.s3, "lambda": self.functions}

    async def client(self, service: str, region: str | None = None) -> Any:
        return _Client(self, service)

    def fail(
        self, operation: str, code: str, message: str = "", *, status: int = 400, times: int = 1, after: bool = False
    ) -> None:
        """The next `times` calls of the operation are refused; with `after`, once they have taken effect."""
        self._failures.append(
            _Failure(operation, _client_error(Refusal(code, message, status), operation), times, after)
        )

    def lose(self, operation: str) -> None:
        """The next call of the operation takes effect and its answer is lost."""
        self._failures.append(_Failure(operation, ConnectionResetError("connection reset"), 1, True))

    def writes(self) -> list[Asked]:
        return [call for call in self.calls if call.is_write]

    async def perform(self, service: str, operation: str, params: dict[str, Any]) -> Any:
        """One call: validated, recorded, failed or carried out."""
        await asyncio.sleep(0)
        shape = model(service).operation_model(operation).input_shape
        if shape is not None:
            report = ParamValidator().validate(params, shape)
            if report.has_errors():
                raise AssertionError(f"{operation}: {report.generate_report()}")
        position = len(self.calls)
        self._die(position, after=False)
        self.calls.append(Asked(service, operation, params))
        try:
            self._fail(operation, after=False)
            answer = self._carry_out(service, operation, params)
            self._fail(operation, after=True)
        finally:
            self._die(position, after=True)
        return {**(answer or {}), "ResponseMetadata": {"HTTPStatusCode": 200}}

    def _carry_out(self, service: str, operation: str, params: dict[str, Any]) -> Any:
        handler: Callable[..., Any] | None = getattr(self.services[service], xform_name(operation), None)
        if handler is None:
            raise NotImplementedError(f"the fake {service} has no {operation}")
        try:
            return handler(**params)
        except Refusal as refusal:
            raise _client_error(refusal, operation) from refusal

    def revive(self) -> None:
        """A new process may call again."""
        self.crash_at, self._dead = None, False

    def _die(self, position: int, *, after: bool) -> None:
        if self._dead or (position == self.crash_at and self.crash_after is after):
            self._dead = True
            raise Crash

    def _fail(self, operation: str, *, after: bool) -> None:
        for failure in self._failures:
            if failure.times > 0 and failure.operation == operation and failure.after is after:
                failure.times -= 1
                raise failure.error


def _client_error(refusal: Refusal, operation: str) -> ClientError:
    told: Any = {
        "Error": {"Code": refusal.code, "Message": refusal.message},
        "ResponseMetadata": {"HTTPStatusCode": refusal.status, "RequestId": "00000000-fake"},
    }
    return ClientError(told, operation)


class _Client:
    """What `AwsPort` needs of an aiobotocore client."""

    def __init__(self, aws: FakeAws, service: str) -> None:
        self._aws = aws
        self._service = service
        self.meta = SimpleNamespace(service_model=model(service))

    def __getattr__(self, name: str) -> Callable[..., Any]:
        operation = _operations(self._service)[name]
        return lambda **params: self._aws.perform(self._service, operation, params)


@cache
def model(service: str) -> Any:
    """botocore's model of a service."""
    return botocore.model.ServiceModel(botocore.loaders.Loader().load_service_model(service, "service-2"), service)


@cache
def _operations(service: str) -> dict[str, str]:
    return {xform_name(name): name for name in model(service).operation_names}
