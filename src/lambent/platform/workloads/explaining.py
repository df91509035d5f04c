"""`plan --cluster` and `explain`: the next pass over what a cluster holds, without a write.

What `explain` is asked about is an object of a trigger kind or a resource that the record of one names.
"""

from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any, cast

from lambent.errors import LambentError, UsageError
from lambent.kube.client import KubeClient
from lambent.kube.errors import NotFound
from lambent.kube.types import GVK, KubeObject
from lambent.platform.workloads.reading import (
    answer,
    connected,
    definitions,
    find,
    kinds_called,
    parsed,
    trigger_kinds,
    workflow_for,
)
from lambent.settings import Cluster
from lambent.workflow.authoring.explanation import Explanation, explain
from lambent.workflow.authoring.forecast import Forecast, Reading, completed, forecast
from lambent.workflow.authoring.ownership import Holder, Ownership, add_forecast, holder, ownership, step_of
from lambent.workflow.controller.executor import gvk_of
from lambent.workflow.controller.records import load_record
from lambent.workflow.engine import Catalog, ResourceRef, Workflow
from lambent.workflow.engine.managed import Record
from lambent.workflow.spec import nearest
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
    cluster: Cluster,
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
    async with connected(cluster) as kube:
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


async def explain_on(cluster: Cluster, words: str, *, namespace: str) -> Explanation | Ownership:
    """Why an object is not Ready; of another kind than a trigger's, what it belongs to."""
    async with connected(cluster) as kube:
        catalog = await definitions(kube)
        triggers = trigger_kinds(catalog)
        kind, *_ = parsed(words, namespace)
        if triggers and not await kinds_called(kube, kind, sorted(triggers)):
            return await _managed(kube, words, namespace, catalog)
        obj = await find(kube, words, namespace, triggers)
        trigger = cast(dict[str, Any], obj)
        made = await _next_pass(kube, obj, catalog, await load_record(kube, obj))
        return explain(trigger, made, catalog)


async def _next_pass(kube: KubeClient, obj: KubeObject, catalog: Catalog, record: Record) -> Forecast:
    workflow = workflow_for(obj, catalog)
    return await drive_on(kube, forecast(workflow, cast(dict[str, Any], obj), catalog, record=record))


async def _managed(kube: KubeClient, words: str, namespace: str, catalog: Catalog) -> Ownership:
    """The resource that the records of all triggers know by these words."""
    kind, place, name = parsed(words, namespace)
    records = [(obj, await load_record(kube, obj)) async for obj in _triggers(kube, catalog)]
    refs = {ref.place: ref for _, record in records for ref in record.refs()}
    known = sorted({gvk_of(ref) for ref in refs.values()})
    kinds = await kinds_called(kube, kind, known)
    if not kinds:
        raise UsageError(_unknown(kind, trigger_kinds(catalog), known))
    found = [r for r in refs.values() if gvk_of(r) in kinds and r.name == name and r.namespace in ("", place)]
    if not found:
        raise UsageError(f"no workflow manages {kinds[0].kind} {name} in namespace {place}; choose another with -n")
    ref = found[0]
    whole = ownership(ref, await answer(kube, ref))
    for obj, record in records:
        step = step_of(record, ref)
        if step is not None:
            whole.holders.append(await _holder(kube, obj, record, ref, step, catalog))
    return whole


async def _triggers(kube: KubeClient, catalog: Catalog) -> AsyncIterator[KubeObject]:
    """Every object of a trigger kind; a kind that is not served has none."""
    for gvk in sorted(trigger_kinds(catalog)):
        try:
            async for page in kube.list(gvk):
                for item in page.items:
                    yield cast(KubeObject, {"apiVersion": gvk.api_version, "kind": gvk.kind, **item})
        except NotFound:
            continue


async def _holder(
    kube: KubeClient, obj: KubeObject, record: Record, ref: ResourceRef, step: str, catalog: Catalog
) -> Holder:
    trigger = cast(dict[str, Any], obj)
    found = holder(trigger, record, ref, step)
    try:
        made = await _next_pass(kube, obj, catalog, record)
    except LambentError as error:
        found.note = str(error).strip().partition("\n")[0]
        return found
    add_forecast(found, ref, made, trigger, catalog)
    return found


def _unknown(kind: str, triggers: Iterable[GVK], managed: Iterable[GVK]) -> str:
    known = [*(gvk.kind for gvk in triggers), *(gvk.kind for gvk in managed)]
    hint = nearest(kind, known) or f"these are: {', '.join(known)}"
    return f"{kind} is not the trigger kind of a workflow, nor a kind that one manages; {hint}"
