"""How a demo looks while it runs: live lines on a terminal, plain lines elsewhere, nothing when JSON is wanted.

A view is told when a step starts, what it is doing now, and how it ended; it decides what to print.
"""

import time
from typing import Protocol

import orjson
import yaml
from rich.console import Console, Group
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from lambent.platform.demo.report import DemoReport, StepReport

_MARKS = {"ok": ("✓", "green"), "failed": ("✗", "red"), "waiting": ("·", "dim"), "left out": ("·", "dim")}


class View(Protocol):
    def started(self, step: StepReport) -> None: ...

    def progress(self, step: StepReport, text: str) -> None: ...

    def ended(self, step: StepReport) -> None: ...

    def summary(self, report: DemoReport, closing: str) -> None: ...

    def close(self) -> None: ...


def duration(milliseconds: float) -> str:
    """`8.1 ms`, `412 ms`, `3.4 s`: three digits are enough to compare."""
    if milliseconds < 10:
        return f"{milliseconds:.1f} ms"
    return f"{milliseconds:.0f} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.1f} s"


class DataView:
    """For `-o json` and `-o yaml`: nothing but the report, at the end."""

    def __init__(self, form: str) -> None:
        self._form = form

    def started(self, step: StepReport) -> None: ...

    def progress(self, step: StepReport, text: str) -> None: ...

    def ended(self, step: StepReport) -> None: ...

    def summary(self, report: DemoReport, closing: str) -> None:
        data = report.to_dict()
        if self._form == "json":
            text = orjson.dumps(data, option=orjson.OPT_INDENT_2).decode() + "\n"
        else:
            text = yaml.safe_dump(data, sort_keys=False, allow_unicode=True)
        print(text, end="", flush=True)

    def close(self) -> None: ...


class PlainView:
    """One line per event, for logs and pipes."""

    def __init__(self) -> None:
        self._last = ""

    def started(self, step: StepReport) -> None:
        print(f"{step.title} ...", flush=True)

    def progress(self, step: StepReport, text: str) -> None:
        if text != self._last:
            print(f"    {text}", flush=True)
            self._last = text

    def ended(self, step: StepReport) -> None:
        print(f"  {step.status:<6} {duration(step.duration_ms):>8}  {step.detail}", flush=True)

    def summary(self, report: DemoReport, closing: str) -> None:
        print(f"\n{closing}", flush=True)

    def close(self) -> None: ...


class LiveView:
    """On a terminal: finished steps stay, the running one turns with its latest news."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, refresh_per_second=12, transient=True)
        self._live.start()
        self._step: StepReport | None = None
        self._since = 0.0

    def started(self, step: StepReport) -> None:
        self._step, self._since = step, time.monotonic()
        self._live.update(self._turning(step, ""))

    def progress(self, step: StepReport, text: str) -> None:
        self._live.update(self._turning(step, text))

    def _turning(self, step: StepReport, text: str) -> Group:
        line = Text.assemble((f"{step.title:<22}", "bold"), (f"  {text}", "dim"))
        line.truncate(max(self._console.width - 4, 20), overflow="ellipsis")
        return Group(Spinner("dots", text=line, style="cyan"))

    def ended(self, step: StepReport) -> None:
        mark, style = _MARKS[step.status]
        is_ok = step.status == "ok"
        line = Text.assemble(
            (f"{mark} ", style),
            (f"{step.title:<22}", "bold"),
            (f"{duration(step.duration_ms):>8}  ", "cyan"),
            (step.detail, "" if is_ok else style),
        )
        # A long success may be cut at the edge; a failure is shown whole.
        self._live.console.print(line, no_wrap=is_ok, overflow="ellipsis" if is_ok else "fold")
        self._live.update(Text(""))

    def summary(self, report: DemoReport, closing: str) -> None:
        self._live.stop()
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
        for step in report.steps:
            for name, value in step.figures.items():
                if isinstance(value, int | float):
                    table.add_row(
                        Text(_words(name), style="dim"), duration(value) if name.endswith("Ms") else str(value)
                    )
        self._console.print()
        self._console.print(table)
        self._console.print(f"\n{closing}", highlight=False)

    def close(self) -> None:
        self._live.stop()


def _words(name: str) -> str:
    """`firstInvokeMs` -> `first invoke`."""
    return "".join(f" {c.lower()}" if c.isupper() else c for c in name.removesuffix("Ms"))


def view_for(output: str) -> View:
    """The view for this output: a terminal gets the live one."""
    if output != "text":
        return DataView(output)
    console = Console()
    return LiveView(console) if console.is_terminal else PlainView()
