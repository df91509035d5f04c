"""Our own CPU per direct invocation: `InvokeService` over an in-process transport that answers at once.

Measured is the process' CPU time over many calls in one loop turn chain, so waiting and the network are out of it. Bar:
60 microseconds. What it holds: reading name and caller, the directory, the JSON check of a 1 kB payload, ids, the
concurrency slot, the answer's headers. What it does not hold: HTTP parsing (`benchmarks.http`) and the runtime.
"""

import asyncio
import statistics
import time
from pathlib import Path
from typing import Any

import orjson

from benchmarks._bars import bar
from lambent.aws.arn import FunctionId
from lambent.http.message import Request
from lambent.invoke import InvokeLimits, InvokeService
from lambent.invoke.fake import FakeDirectory, FixedTarget
from lambent.runtime.function_spec import FunctionSpec, PoolKey, ZipCode
from lambent.runtime.invocation import Event, Result

BAR_US = 60.0
_CALLS = 4_000
_PASSES = 7
_HEADERS = [
    (b"host", b"127.0.0.1:4566"),
    (b"accept-encoding", b"identity"),
    (
        b"user-agent",
        b"Boto3/1.43 md/Botocore#1.43 ua/2.1 os/linux md/arch#x86_64 lang/python#3.11 cfg/retry-mode#legacy",
    ),
    (b"x-amz-date", b"20260101T000000Z"),
    (
        b"authorization",
        b"AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/lambda/aws4_request, "
        b"SignedHeaders=host;x-amz-date, Signature=" + b"0" * 64,
    ),
    (b"content-length", b"1024"),
]


def _service(*, validates_json: bool) -> InvokeService:
    function = FunctionId("123456789012", "us-east-1", "echo")
    key = PoolKey(f"{function.arn}:$LATEST#1")
    spec = FunctionSpec(key, function.arn, function.name, "$LATEST", ZipCode(Path("/nowhere"), ""))
    directory = FakeDirectory({(function, None): FixedTarget(function.arn, spec)})
    return InvokeService(directory, _Echo(), limits=InvokeLimits(validates_json=validates_json))


class _Echo:
    async def invoke(self, spec: FunctionSpec, event: Event) -> Result:
        return Result(event.payload)


def _payload(size: int) -> bytes:
    return orjson.dumps({"records": [{"id": n, "body": "x" * 40} for n in range(size // 60)]})


async def _pass_us(service: InvokeService, request: Request) -> float:
    started = time.process_time()
    for _ in range(_CALLS):
        await service(request)
    return (time.process_time() - started) / _CALLS * 1e6


async def _measure(*, validates_json: bool) -> float:
    service = _service(validates_json=validates_json)
    request = Request("POST", b"/2015-03-31/functions/echo/invocations", list(_HEADERS), _payload(1024))
    await _pass_us(service, request)
    return statistics.median([await _pass_us(service, request) for _ in range(_PASSES)])


def run() -> dict[str, Any]:
    """Medians in microseconds of CPU per call."""
    checked = asyncio.run(_measure(validates_json=True))
    unchecked = asyncio.run(_measure(validates_json=False))
    return {
        "name": "invoke",
        "json_check_us": round(checked - unchecked, 1),
        "bars": {"cpu_us": bar(checked, BAR_US)},
    }


if __name__ == "__main__":
    print(orjson.dumps(run(), option=orjson.OPT_INDENT_2).decode())
