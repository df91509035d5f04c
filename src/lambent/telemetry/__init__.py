"""Logs and metrics of every lambent process."""

from lambent.telemetry.logs import configure_logging, log_context
from lambent.telemetry.metrics import (
    REGISTRY,
    Counter,
    Gauge,
    Histogram,
    counter,
    gauge,
    histogram,
    render_metrics,
)

__all__ = [
    "REGISTRY",
    "Counter",
    "Gauge",
    "Histogram",
    "configure_logging",
    "counter",
    "gauge",
    "histogram",
    "log_context",
    "render_metrics",
]
