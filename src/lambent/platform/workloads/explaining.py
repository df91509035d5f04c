"""`plan --cluster` and `explain`: the next pass over what a cluster holds, without a write."""

from collections.abc import Mapping
from typing import Any, cast

from lambent.kube.client import KubeClient
from lambent.platform.workloads.reading import (
    answer,
    connected,
    definitions,
    find,
    live_of,
    trigger_kinds,
    workflow_for,
)
from lambent.workflow.authoring.explanation import Explanation, explain
from lambent.workflow.authoring.forecast import Forecast, Reading, completed, forecast
from lambent.workflow.engine import Catalog, Workflow


async def drive_on(kube: KubeClient, reading: Reading) -> Forecast:
    """Runs a forecast with answers of the cluster."""
    try:
        ref = next(reading)
        while True:
            ref = reading.send(await answer(kube, ref))
    except StopIteration as stop:
        made: Forecast = stop.value
        return made


async def forecast_on(
    kubeconfig: str, workflow: Workflow, parent: Mapping[str, Any], catalog: Catalog, *, converge: bool
) -> tuple[Forecast, list[str]]:
    """The forecast of a workflow from files for a parent as the cluster has it, and notes on what was assumed."""
    async with connected(kubeconfig) as kube:
        live = await live_of(kube, parent)
        # What the file says is wanted; identity, status and record are the cluster's.
        if "spec" in parent:
            live["spec"] = parent["spec"]
        whole, notes = completed(live, workflow=workflow)
        return await drive_on(kube, forecast(workflow, whole, catalog, converge=converge)), notes


async def explain_on(kubeconfig: str, words: str, *, namespace: str) -> Explanation:
    """Why an object is not Ready."""
    async with connected(kubeconfig) as kube:
        catalog = await definitions(kube)
        obj = await find(kube, words, namespace, trigger_kinds(catalog))
        workflow = workflow_for(obj, catalog)
        trigger = cast(dict[str, Any], obj)
        made = await drive_on(kube, forecast(workflow, trigger, catalog))
        return explain(trigger, made, catalog)
