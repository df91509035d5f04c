"""Runs the demo's steps in order, times each, stops at the first failure, always cleans up.

This is also the shortest end-to-end test there is: every step is checked, and the exit code tells the truth.
"""

import asyncio
import signal
import tempfile
import time
from collections.abc import Awaitable
from contextlib import AsyncExitStack, ExitStack
from dataclasses import replace
from pathlib import Path

from lambent.errors import LambentError
from lambent.platform.demo.report import DemoReport, StepReport
from lambent.platform.demo.steps import STEPS, Demo, Step, Telling
from lambent.platform.demo.view import View, duration, view_for
from lambent.platform.discovery import client_environment
from lambent.platform.up import Up
from lambent.settings import Settings

# Far above what a step takes on a slow machine; a demo must end by itself.
STEP_BOUND_S = 60.0


async def demonstrate(settings: Settings, *, keep: bool, output: str) -> int:
    """The whole demo; returns the exit code."""
    view = view_for(output)
    with ExitStack() as files:
        files.callback(view.close)
        directory = files.enter_context(tempfile.TemporaryDirectory(prefix="lambent-demo-"))
        ephemeral = replace(
            settings,
            state=Path(directory),
            ephemeral=True,
            aws=replace(settings.aws, port=0),
            kube=replace(settings.kube, port=0),
        )
        async with AsyncExitStack() as stack:
            up = Up(ephemeral, echo=None)
            stack.push_async_callback(up.shutdown)
            report = await _interruptible(_run_steps(Demo(up), view))
            _conclude(report, view, up if keep else None)
            if keep and report.ok:
                await _until_signal()
        return 0 if report.ok else 1


async def _interruptible(steps: Awaitable[DemoReport]) -> DemoReport:
    """SIGINT and SIGTERM cancel the running step; the clean-up still happens."""
    task = asyncio.ensure_future(steps)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        raise LambentError("interrupted; everything it started is stopped") from None


async def _run_steps(demo: Demo, view: View) -> DemoReport:
    report = DemoReport([StepReport(step.name, step.title) for step in STEPS])
    begin = time.monotonic()
    for step, its_report in zip(STEPS, report.steps, strict=True):
        if any(done.status == "failed" for done in report.steps):
            its_report.status = "left out"
            continue
        await _run_step(its_report, demo, step, view)
    report.duration_ms = (time.monotonic() - begin) * 1000
    return report


async def _run_step(report: StepReport, demo: Demo, step: Step, view: View) -> None:
    view.started(report)
    begin = time.monotonic()
    try:
        async with asyncio.timeout(STEP_BOUND_S):
            report.detail = await step.act(demo, Telling(report, view))
        report.status = "ok"
    except TimeoutError:
        report.status, report.detail = "failed", f"not done after {STEP_BOUND_S:.0f} s"
    except (LambentError, OSError) as error:
        report.status, report.detail = "failed", str(error)
    report.duration_ms = (time.monotonic() - begin) * 1000
    view.ended(report)


def _conclude(report: DemoReport, view: View, kept: Up | None) -> None:
    if not report.ok:
        view.summary(report, "The demo failed; the step above says why.")
        return
    closing = f"From nothing to an invoked function and back in {duration(report.duration_ms)}."
    view.summary(report, f"{closing}\n{_next_commands(kept)}" if kept else closing)


def _next_commands(up: Up) -> str:
    lines = [f"export {name}={value}" for name, value in client_environment(up.endpoints).items()]
    tries = [
        "kubectl apply -f examples/lambda-workload/archive.yaml",
        "kubectl -n archives wait archive/orders --for=condition=Ready",
        "aws lambda invoke --function-name orders answer.json",
        "aws s3 ls",
        f"lambent status --state {up.state.path}",
    ]
    return "Still running; Ctrl-C stops it. In another terminal:\n\n  " + "\n  ".join([*lines, "", *tries])


async def _until_signal() -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()
