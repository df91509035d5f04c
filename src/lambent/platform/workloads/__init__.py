"""Workflows on a cluster, for the command line: plan, explain, inspect, reconcile, prune."""

from lambent.platform.workloads.explaining import explain_on, forecast_on
from lambent.platform.workloads.inspecting import Inspection, inspect_on
from lambent.platform.workloads.pruning import Pruned, prune_on
from lambent.platform.workloads.reading import read_live
from lambent.platform.workloads.requesting import request_pass

__all__ = [
    "Inspection",
    "Pruned",
    "explain_on",
    "forecast_on",
    "inspect_on",
    "prune_on",
    "read_live",
    "request_pass",
]
