"""Metrics of the workflow controller, beside the kit's own of queues, reconciles, informers and requests."""

from lambent.telemetry import counter, gauge, histogram

PASSES = counter("workflow_passes_total", "Passes by workflow and outcome.", ("workflow", "outcome"))
PASS_SECONDS = histogram("workflow_pass_seconds", "Duration of a pass, with its requests.", ("workflow",))
WRITES = counter("workflow_writes_total", "Writes to managed resources.", ("verb", "kind"))
UNREADY = gauge("workflow_unready_definitions", "Definitions that are not valid.")
