"""What is written about one event: START before it, END and REPORT behind it, and its log tail.

Lines of the function between hand-over and answer belong to the event; whatever is printed later counts to the last
one. The first report of an instance carries the time of its init.
"""

from typing import TYPE_CHECKING

from lambent.runtime.logs import InstanceLog, LogSink, LogTail
from lambent.runtime.reports import Report, end_line, start_line

if TYPE_CHECKING:
    from lambent.runtime.function_spec import FunctionSpec
    from lambent.runtime.invocation import Result
    from lambent.runtime.launcher import RuntimeProcess
    from lambent.runtime.waiting import Invocation

# Reading /proc costs about 30 us; not more often than this per instance.
_MEMORY_EVERY_S = 0.1


class EventLog:
    """One per instance; `process` is set when it runs."""

    def __init__(self, spec: "FunctionSpec", sink: LogSink, *, print_reports: bool) -> None:
        self.process: RuntimeProcess | None = None
        self.init_s: float | None = None
        self._spec = spec
        self._lines = InstanceLog(spec.name, sink)
        self._print_reports = print_reports
        self._peak_bytes = 0
        self._peak_read_s = float("-inf")

    def output(self, stream: str, data: bytes) -> None:
        self._lines.output(stream, data)

    def flush(self) -> None:
        if self.process is not None:
            self.process.drain()
        self._lines.flush()

    def begin(self, invocation: "Invocation") -> None:
        if invocation.event.wants_log_tail:
            self._lines.tail = LogTail()
        if self._has_reports:
            self._lines.lines(start_line(invocation.event.request_id, self._spec.version))

    def end(self, invocation: "Invocation", result: "Result", now_s: float) -> bytes:
        """The event's log tail; empty when its caller asked for none."""
        self.flush()
        if self._has_reports:
            report = self._report(invocation, result, now_s)
            self._lines.lines(end_line(invocation.event.request_id) + report.line())
        self.init_s = None
        tail, self._lines.tail = self._lines.tail, None
        return tail.bytes() if tail else b""

    def read_memory(self, now_s: float, *, is_exact: bool) -> int:
        """Highest resident size of the instance so far, in bytes."""
        if self.process is not None and (is_exact or now_s - self._peak_read_s > _MEMORY_EVERY_S):
            self._peak_bytes = max(self._peak_bytes, self.process.peak_memory_bytes())
            self._peak_read_s = now_s
        return self._peak_bytes

    @property
    def _has_reports(self) -> bool:
        return self._print_reports and self._lines.is_wanted

    def _report(self, invocation: "Invocation", result: "Result", now_s: float) -> Report:
        is_timeout = result.error_type == "Sandbox.Timedout"
        return Report(
            request_id=invocation.event.request_id,
            duration_s=self._spec.timeout_s if is_timeout else now_s - invocation.handed_s,
            memory_mb=self._spec.memory_mb,
            peak_memory_bytes=self.read_memory(now_s, is_exact=invocation.event.wants_log_tail),
            init_s=self.init_s,
            status="timeout" if is_timeout else "error" if result.is_error else "",
            error_type=result.error_type,
        )
