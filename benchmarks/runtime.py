"""Runtime processes: warm invocations through the pool, cold starts, and the pool's own cost without a process.

Unmodified `awslambdaric`, echo function, no `AWS_EXECUTION_ENV`, platform lines written to a sink that discards.
Baseline: a bare interpreter start on the same machine in the same run.
"""

import asyncio
import gc
import hashlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any

import uvloop

from benchmarks._bars import bar
from lambent.execution import ExecutionSettings, ProcessExecutor
from lambent.runtime import Event, FunctionSpec, PoolKey, RequestId, ZipCode
from lambent.runtime.fake import FakeLauncher, echo, nowhere
from lambent.runtime.pool import RuntimePool
from lambent.runtime.settings import PoolSettings

SOURCE = """import os, time
def handler(event, context):
    if event == "end":
        os._exit(0)
    if event == "crash":
        print(time.monotonic(), flush=True)
        os._exit(1)
    return [time.monotonic(), event]
"""
COLD_START_BAR_MS = 40.0  # PROMISES.md, P3, by exec
WARM, COLD, BURST, OWN = 1_500, 15, 4_000, 20_000


def _spec(directory: Path, *, name: str = "echo") -> FunctionSpec:
    path = directory / "code.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("app.py", SOURCE)
    code = ZipCode(path, hashlib.sha256(path.read_bytes()).hexdigest())
    key = PoolKey(name)
    return FunctionSpec(key, "arn", name, "$LATEST", code, handler="app.handler", runtime="python3.12", timeout_s=30)


def _event(number: int, payload: bytes = b'"' + b"x" * 1022 + b'"') -> Event:
    return Event(RequestId(f"00000000-0000-4000-8000-{number:012d}"), "arn:aws:lambda:us-east-1:1:function:f", payload)


async def _warm(executor: ProcessExecutor, spec: FunctionSpec) -> dict[str, float]:
    times = []
    for number in range(WARM):
        began = time.perf_counter()
        await executor.invoke(spec, _event(number))
        times.append(time.perf_counter() - began)
    return {"warm_p50_us": _us(statistics.median(times)), "warm_p99_us": _us(sorted(times)[int(WARM * 0.99)])}


async def _burst(executor: ProcessExecutor, spec: FunctionSpec, *, callers: int) -> float:
    """Invocations per second with this many callers."""
    numbers = iter(range(BURST))

    async def caller() -> None:
        for number in numbers:
            await executor.invoke(spec, _event(number))

    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(callers):
            group.create_task(caller())
    return round(BURST / (time.perf_counter() - began))


async def _cold(executor: ProcessExecutor, spec: FunctionSpec) -> dict[str, float]:
    """Call arrival to handler entry, and to the answer, each on a new process."""
    entries, answers = [], []
    for number in range(COLD):
        await executor.invoke(spec, _event(number, b'"end"'))
        began = time.monotonic()
        result = await executor.invoke(spec, _event(number))
        answers.append(time.monotonic() - began)
        entries.append(json.loads(result.payload)[0] - began)
    return {"cold_entry_p50_ms": _ms(statistics.median(entries)), "cold_answer_p50_ms": _ms(statistics.median(answers))}


async def _crash(executor: ProcessExecutor, spec: FunctionSpec) -> float:
    """Milliseconds from a runtime's last instruction to its caller's answer, the worst of the series."""
    times = []
    for number in range(COLD):
        await executor.invoke(spec, _event(number))
        event = Event(RequestId("crash"), "arn", b'"crash"', wants_log_tail=True)
        result = await executor.invoke(spec, event)
        ended = next(float(line) for line in result.log_tail.splitlines() if line[:1].isdigit())
        times.append(time.monotonic() - ended)
    return _ms(max(times))


async def _own(spec: FunctionSpec) -> float:
    """Microseconds of CPU per event in pool, instance and Runtime API, with a runtime that is a coroutine."""
    pool = RuntimePool(spec, FakeLauncher(echo()), settings=PoolSettings(), door=nowhere)
    await pool.startup()
    await pool.invoke(_event(0))
    gc.collect()
    began = time.process_time()
    for number in range(OWN):
        await pool.invoke(_event(number))
    spent = time.process_time() - began
    await pool.shutdown()
    return _us(spent / OWN)


async def _measure(directory: Path) -> dict[str, float]:
    settings = ExecutionSettings(pool=PoolSettings(max_concurrency=8))
    executor = ProcessExecutor(directory / "code", settings=settings, sink=lambda function, lines: None)
    await executor.startup()
    spec = _spec(directory)
    try:
        await executor.invoke(spec, _event(0))
        figures = await _warm(executor, spec)
        figures |= await _cold(executor, spec)
        figures["crash_to_answer_max_ms"] = await _crash(executor, spec)
        figures["invocations_per_s_c8"] = await _burst(executor, spec, callers=8)
    finally:
        await executor.shutdown()
    return {**figures, "own_cpu_us": await _own(spec)}


def _bare_start_ms() -> float:
    times = []
    for _ in range(COLD):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-I", "-S", "-c", "pass"], check=True)
        times.append(time.perf_counter() - began)
    return _ms(statistics.median(times))


def _us(seconds: float) -> float:
    return round(seconds * 1e6, 1)


def _ms(seconds: float) -> float:
    return round(seconds * 1e3, 1)


def run() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as directory:
        figures = uvloop.run(_measure(Path(directory)))
    bars = {"cold_start_exec_p50_ms": bar(figures["cold_entry_p50_ms"], COLD_START_BAR_MS)}
    return {**figures, "bare_interpreter_p50_ms": _bare_start_ms(), "bars": bars}


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
