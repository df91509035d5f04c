"""Metrics in Prometheus' text form, on a registry of our own (the library's default one adds process collectors).

Names follow Prometheus conventions with the prefix `lambent_`, which the three constructors add.
"""

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

REGISTRY = CollectorRegistry()


def counter(name: str, documentation: str, labels: Sequence[str] = ()) -> Counter:
    return Counter(f"lambent_{name}", documentation, labels, registry=REGISTRY)


def gauge(name: str, documentation: str, labels: Sequence[str] = ()) -> Gauge:
    return Gauge(f"lambent_{name}", documentation, labels, registry=REGISTRY)


def histogram(name: str, documentation: str, labels: Sequence[str] = ()) -> Histogram:
    return Histogram(f"lambent_{name}", documentation, labels, registry=REGISTRY)


def render_metrics() -> bytes:
    """The exposition of every metric, `text/plain; version=0.0.4`."""
    return generate_latest(REGISTRY)
