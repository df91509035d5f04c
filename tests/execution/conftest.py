"""A running process back end in a temporary directory, and a way to make functions for it from source text."""

import hashlib
import itertools
import json
import zipfile
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from lambent.execution.executor import ProcessExecutor
from lambent.execution.settings import ExecutionSettings
from lambent.runtime.function_spec import FunctionSpec, PoolKey, ZipCode
from lambent.runtime.invocation import Event, RequestId, Result
from lambent.runtime.settings import PoolSettings

AWS = {"AWS_ENDPOINT_URL": "http://127.0.0.1:4566", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
ARN = "arn:aws:lambda:us-east-1:123456789012:function:demo"


@dataclass
class Platform:
    """`run` prepares nothing by itself: `invoke` does, as after a restart."""

    executor: ProcessExecutor
    directory: Path
    output: list[bytes] = field(default_factory=list)
    _numbers: Any = field(default_factory=itertools.count)

    def function(self, files: Mapping[str, str] | str, **changes: Any) -> FunctionSpec:
        sources = {"app.py": files} if isinstance(files, str) else files
        path = self.directory / f"{next(self._numbers)}.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for name, text in sources.items():
                info = zipfile.ZipInfo(name)
                info.external_attr = (0o100755 if name == "bootstrap" else 0o100644) << 16
                archive.writestr(info, text)
        code = ZipCode(path, hashlib.sha256(path.read_bytes()).hexdigest())
        fields = {"handler": "app.handler", "runtime": "python3.12", "timeout_s": 5.0, **changes}
        return FunctionSpec(PoolKey(f"{ARN}#{path.stem}"), ARN, "demo", "$LATEST", code, **fields)

    async def invoke(self, spec: FunctionSpec, payload: object = None, **changes: Any) -> Result:
        request_id = RequestId(f"00000000-0000-4000-8000-{next(self._numbers):012d}")
        event = Event(request_id, spec.arn, json.dumps(payload).encode(), **changes)
        return await self.executor.invoke(spec, event)

    @property
    def text(self) -> str:
        return b"".join(self.output).decode()


@pytest.fixture
def settings() -> ExecutionSettings:
    return ExecutionSettings(pool=PoolSettings(max_concurrency=4, drain_s=2.0))


@pytest.fixture
async def platform(tmp_path: Path, settings: ExecutionSettings) -> AsyncIterator[Platform]:
    output: list[bytes] = []
    executor = ProcessExecutor(
        tmp_path / "code", settings=settings, aws_environment=AWS, sink=lambda function, lines: output.append(lines)
    )
    await executor.startup()
    yield Platform(executor, tmp_path, output)
    await executor.shutdown()


@pytest.fixture
def answer() -> Callable[[Result], Any]:
    return lambda result: json.loads(result.payload)
