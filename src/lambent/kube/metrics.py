"""The kit's metrics. Names and labels: see the table in ARCHITECTURE.md; the prefix `lambent_` is added."""

from functools import lru_cache

from lambent.telemetry import Counter, Histogram, counter, gauge, histogram

REQUESTS = counter("kube_requests_total", "Requests to the Kubernetes API.", ("verb", "kind", "code"))
REQUEST_SECONDS = histogram("kube_request_seconds", "Time of a request, retries included.", ("verb", "kind"))


@lru_cache(maxsize=4096)
def _of_request(verb: str, kind: str, code: str) -> tuple[Counter, Histogram]:
    return REQUESTS.labels(verb, kind, code), REQUEST_SECONDS.labels(verb, kind)


def note_request(verb: str, kind: str, code: str, seconds: float) -> None:
    """One request that ended; `code` is the answer's, or "none"."""
    count, times = _of_request(verb, kind, code)
    count.inc()
    times.observe(seconds)


INFORMER_OBJECTS = gauge("informer_objects", "Objects in an informer's cache.", ("kind",))
INFORMER_AGE_SECONDS = gauge("informer_age_seconds", "Time since the informer last heard of its server.", ("kind",))
INFORMER_RESTARTS = counter("informer_restarts_total", "New lists after the first.", ("kind", "why"))

QUEUE_DEPTH = gauge("workqueue_depth", "Keys that are ready.", ("controller", "priority"))
QUEUE_WAIT_SECONDS = histogram(
    "workqueue_wait_seconds", "Time a key was ready before it ran.", ("controller", "priority")
)
QUEUE_OLDEST_SECONDS = gauge("workqueue_oldest_seconds", "Age of the oldest ready key.", ("controller", "priority"))
QUEUE_RETRIES = counter("workqueue_retries_total", "Runs that asked for a retry.", ("controller", "priority"))

RECONCILES = counter("reconcile_total", "Reconciles by outcome.", ("controller", "outcome"))
RECONCILE_SECONDS = histogram("reconcile_seconds", "Time of a reconcile.", ("controller",))

LEADER = gauge("leader", "1 while this process leads.", ("lease",))
LEADER_TRANSITIONS = counter("leader_transitions_total", "Times this process became the leader.", ("lease",))
