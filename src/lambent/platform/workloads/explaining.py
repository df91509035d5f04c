"""`plan --cluster` and `explain`: the next pass over what a cluster holds, without a write."""

from collections.abc import Mapping
from typing import Any, cast

from lambent.kube.client import KubeClient
from lambent.kube.types import KubeObject
from lambent.platform.workloads.reading import (
    answer,
    connected,
    definitions,
    find,
    trigger_kinds,
    workflow_for,
)
from lambent.workflow.authoring.explanation import Explanation, explain
from lambent.workflow.authoring.forecast import Forecast, Reading, completed, forecast
from lambent.workflow.controller.records import load_record
from lambent.workflow.engine import Catalog, Workflow
from lambent.workflow.testing.readiness import Readiness


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
    kubeconfig: str,
    workflow: Workflow,
    parent: Mapping[str, Any],
    catalog: Catalog,
    *,
    converge: bool,
    ready: Readiness,
) -> tuple[Forecast, list[str]]:
    """The forecast of a workflow from files for a parent as the cluster would store it, and notes.

    The server fills in defaults, and the status of an object that it has, on a dry run of an apply.
    """
    async with connected(kubeconfig) as kube:
        stored = await kube.apply(cast(KubeObject, _applicable(parent)), manager="lambent", force=True, dry_run=True)
        whole, notes = completed(cast(dict[str, Any], stored), workflow=workflow)
        record = await load_record(kube, stored)
        reading = forecast(workflow, whole, catalog, converge=converge, record=record, ready=ready)
        return await drive_on(kube, reading), notes


def _applicable(parent: Mapping[str, Any]) -> dict[str, Any]:
    """What a user would apply: server-side apply refuses the fields that only the server sets."""
    metadata = dict(parent.get("metadata") or {})
    for name in ("managedFields", "resourceVersion", "uid", "creationTimestamp", "generation"):
        metadata.pop(name, None)
    metadata.setdefault("namespace", "default")
    return {**{key: value for key, value in parent.items() if key != "status"}, "metadata": metadata}


async def explain_on(kubeconfig: str, words: str, *, namespace: str) -> Explanation:
    """Why an object is not Ready."""
    async with connected(kubeconfig) as kube:
        catalog = await definitions(kube)
        obj = await find(kube, words, namespace, trigger_kinds(catalog))
        workflow = workflow_for(obj, catalog)
        trigger = cast(dict[str, Any], obj)
        reading = forecast(workflow, trigger, catalog, record=await load_record(kube, obj))
        made = await drive_on(kube, reading)
        return explain(trigger, made, catalog)
