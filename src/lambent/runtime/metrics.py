"""Metrics of pools and Runtime APIs. Labels are bounded: no request ids, error types only in their documented form.

`FunctionMetrics` holds the children of one function, so that an event costs no label look-ups.
"""

from lambent.runtime.invocation import Result
from lambent.telemetry import counter, gauge, histogram

_INVOCATIONS = counter("invocations_total", "Ended invocations", ("function", "outcome"))
_ERRORS = counter("errors_total", "Function errors by type", ("function", "type"))
_SPAWNS = counter("runtime_spawns_total", "Started runtimes", ("function", "start", "result"))
_EXITS = counter("runtime_exits_total", "Ended runtimes", ("function", "reason"))
_LATE_RESPONSES = counter("late_responses_total", "Responses to events that had ended", ("function",))
_DURATION = histogram("invocation_duration_seconds", "Hand-over to answer", ("function",))
_QUEUE_WAIT = histogram("queue_wait_seconds", "Arrival to hand-over", ("function",))
_INIT_DURATION = histogram("init_duration_seconds", "Start of the process to its first poll", ("function", "start"))
_INFLIGHT = gauge("inflight", "Events at runtimes", ("function",))
_WAITING = gauge("waiting", "Events waiting for a runtime", ("function",))
_RUNTIMES = gauge("runtimes", "Live runtimes", ("function",))
LOG_DROPPED_BYTES = counter("log_dropped_bytes_total", "Output that could not be written", ("function",))
API_ERRORS = counter("runtime_api_errors_total", "Refused calls of the Runtime API", ("code",))

_OUTCOMES = {
    "Runtime.ExitError": "exit",
    "Runtime.OutOfMemory": "exit",
    "Function.ResponseSizeTooLarge": "too_large",
    "Sandbox.Timedout": "timeout",
}
_OURS = frozenset({*_OUTCOMES, "Runtime.TruncatedResponse", "Runtime.InvalidEntrypoint", "Runtime.InvalidWorkingDir"})


class FunctionMetrics:
    """The metrics of one function; how an event starts is always "exec" until other starts exist."""

    def __init__(self, function: str) -> None:
        self._function = function
        self._ok = _INVOCATIONS.labels(function=function, outcome="ok")
        self._duration = _DURATION.labels(function=function)
        self._queue_wait = _QUEUE_WAIT.labels(function=function)
        self._inflight = _INFLIGHT.labels(function=function)
        self.waiting = _WAITING.labels(function=function)
        self.runtimes = _RUNTIMES.labels(function=function)

    def handed(self, waited_s: float) -> None:
        self._queue_wait.observe(waited_s)
        self._inflight.inc()

    def ended(self, result: Result, duration_s: float) -> None:
        self._inflight.dec()
        self._duration.observe(duration_s)
        if result.is_error:
            self.failed(result.error_type, _OUTCOMES.get(result.error_type, "function_error"))
        else:
            self._ok.inc()

    def failed(self, error_type: str, outcome: str) -> None:
        label = error_type if error_type in _OURS else "other"
        _INVOCATIONS.labels(function=self._function, outcome=outcome).inc()
        _ERRORS.labels(function=self._function, type=label).inc()

    def returned(self) -> None:
        """An event that was handed over came back undelivered."""
        self._inflight.dec()

    def spawned(self, *, is_ok: bool) -> None:
        _SPAWNS.labels(function=self._function, start="exec", result="ok" if is_ok else "failed").inc()

    def initialised(self, seconds: float) -> None:
        _INIT_DURATION.labels(function=self._function, start="exec").observe(seconds)

    def exited(self, reason: str) -> None:
        _EXITS.labels(function=self._function, reason=reason).inc()

    def late_response(self) -> None:
        _LATE_RESPONSES.labels(function=self._function).inc()
