"""Metrics of pools and Runtime APIs. Labels are bounded: no request ids, error types only in their documented form."""

from lambent.telemetry import counter, gauge, histogram

INVOCATIONS = counter("invocations_total", "Ended invocations", ("function", "outcome"))
SPAWNS = counter("runtime_spawns_total", "Started runtimes", ("function", "start", "result"))
EXITS = counter("runtime_exits_total", "Ended runtimes", ("function", "reason"))
API_ERRORS = counter("runtime_api_errors_total", "Refused calls of the Runtime API", ("code",))
LATE_RESPONSES = counter("late_responses_total", "Responses to events that had ended", ("function",))
DURATION = histogram("invocation_duration_seconds", "Hand-over to answer", ("function",))
QUEUE_WAIT = histogram("queue_wait_seconds", "Arrival to hand-over", ("function",))
INIT_DURATION = histogram("init_duration_seconds", "Start of the process to its first poll", ("function", "start"))
INFLIGHT = gauge("inflight", "Events at runtimes", ("function",))
WAITING = gauge("waiting", "Events waiting for a runtime", ("function",))
RUNTIMES = gauge("runtimes", "Live runtimes", ("function",))
