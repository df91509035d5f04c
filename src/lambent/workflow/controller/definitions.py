"""Workflows, functions and templates as they are in the cluster: a live catalog, and a status on each of them.

Definitions load in any order; references resolve when what they name appears. Every change is told to `on_change` with
the workflows that it concerns, so that their triggers run again at once.
"""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack
from typing import Any, cast

from lambent.clock import WallClock, rfc3339, utc_now
from lambent.kube.client import KubeClient
from lambent.kube.controller import Context, Controller, Selects
from lambent.kube.informer import InformerHub
from lambent.kube.outcome import Done, Outcome
from lambent.kube.types import GVK, Key, KubeObject
from lambent.workflow.controller import metrics
from lambent.workflow.controller.settings import ControllerSettings
from lambent.workflow.engine import Catalog, Prepared, ResourceFunction, Unready, Workflow, check_one
from lambent.workflow.engine.conditions import simple_condition, timed
from lambent.workflow.engine.publishing import status_patch
from lambent.workflow.spec import Document, Identity

KINDS = ("ResourceTemplate", "ValueFunction", "ResourceFunction", "Workflow")
_GROUP, _VERSION = "koreo.dev", "v1beta1"
_MAX_DIAGNOSTICS = 10


def gvk_of_kind(kind: str) -> GVK:
    return GVK(_GROUP, _VERSION, kind)


class Definitions:
    """The catalog of a cluster. `on_change` gets the identities of workflows whose triggers must run again; `selects`
    tells the definitions whose status is written here, None: all.
    """

    def __init__(
        self,
        kube: KubeClient,
        hub: InformerHub,
        settings: ControllerSettings,
        *,
        on_change: Callable[[set[Identity]], None],
        selects: Selects | None = None,
        now: WallClock = utc_now,
    ) -> None:
        self.catalog = Catalog(settings.libraries, settings.allow_anywhere)
        self.loaded = asyncio.Event()
        self._kube = kube
        self._hub = hub
        self._on_change = on_change
        self._selects = selects
        self._now = now
        self._controllers: list[Controller] = []

    async def run(self) -> None:
        """Until cancelled."""
        async with AsyncExitStack() as stack, asyncio.TaskGroup() as group:
            for kind in KINDS:
                informer = await stack.enter_async_context(self._hub.use(gvk_of_kind(kind)))
                await informer.settled.wait()
                stack.callback(informer.on_change(self._changed))
            self.loaded.set()
            for kind in KINDS:
                controller = Controller(
                    f"workflow-{kind.lower()}",
                    self._reconcile_of(kind),
                    hub=self._hub,
                    kind=gvk_of_kind(kind),
                    selects=self._selects,
                )
                self._controllers.append(controller)
                group.create_task(controller.run())

    def workflows(self) -> Iterable[Workflow | Unready]:
        return (found for found in self.catalog.of_kind("Workflow") if isinstance(found, Workflow | Unready))

    def _changed(self, old: KubeObject | None, new: KubeObject | None) -> None:
        obj = new or old
        if obj is None:
            return
        document = Document(cast(dict[str, Any], obj))
        known = self.catalog.get(document.identity)
        if known is not None and old is not None and new is not None and _same_definition(old, new):
            known.document.value = document.value
            return
        concerned = self.users_of(document.identity)
        if new is None:
            self.catalog.remove(document.identity)
        else:
            self.catalog.put(document)
        concerned |= self.users_of(document.identity)
        for controller in self._controllers:
            if controller.kind.kind == "Workflow":
                for changed in concerned:
                    controller.wake(Key(changed.namespace, changed.name))
        metrics.UNREADY.set(sum(isinstance(found, Unready) for found in self.catalog.all()))
        self._on_change(concerned)

    def users_of(self, identity: Identity) -> set[Identity]:
        """The workflows that are the document, or use it in any depth."""
        own = {identity} if identity.kind == "Workflow" else set()
        for workflow in self.workflows():
            if isinstance(workflow, Workflow) and self._uses(workflow, identity, set()):
                own.add(workflow.identity)
        return own

    def _uses(self, workflow: Workflow, wanted: Identity, seen: set[Identity]) -> bool:
        seen.add(workflow.identity)
        for step in workflow.steps:
            for reference in step.references():
                if (reference.kind, reference.name) == (wanted.kind, wanted.name):
                    return True
                found = self.catalog.resolve(reference.kind, reference.name, workflow.identity.namespace)
                if self._function_uses(found, wanted):
                    return True
                if isinstance(found, Workflow) and found.identity not in seen and self._uses(found, wanted, seen):
                    return True
        return False

    def _function_uses(self, found: Prepared | str, wanted: Identity) -> bool:
        if not isinstance(found, ResourceFunction):
            return False
        if wanted.kind == "ResourceTemplate":
            # The name is an expression, so any template may be the one.
            return found.template_name is not None
        return wanted.kind == "ValueFunction" and any(stage.function == wanted.name for stage in found.overlays)

    def _reconcile_of(self, kind: str) -> Any:
        async def reconcile(key: Key, context: Context) -> Outcome:
            obj = context.informer.get(key)
            if obj is not None and not obj["metadata"].get("deletionTimestamp"):
                await self._publish(obj, Identity(kind, key.namespace, key.name))
            return Done()

        return reconcile

    async def _publish(self, obj: KubeObject, identity: Identity) -> None:
        """Ready and the first diagnostics; no write when they stand there already."""
        prepared = self.catalog.get(identity)
        if prepared is None or prepared.document.value is not obj:
            return
        present = obj.get("status") or {}
        wanted = self._status(prepared, obj, present)
        patch = status_patch(wanted, present)
        if patch:
            body = {"metadata": {"resourceVersion": obj["metadata"]["resourceVersion"]}, "status": patch}
            await self._kube.patch(GVK.of(obj), identity.name, body, namespace=identity.namespace, subresource="status")

    def _status(self, prepared: Prepared, obj: KubeObject, present: dict[str, Any]) -> dict[str, Any]:
        generation = obj["metadata"].get("generation")
        between = check_one(prepared, self.catalog)
        errors = [diagnostic for diagnostic in between if diagnostic.is_error]
        if isinstance(prepared, Unready):
            ready = simple_condition("Ready", "False", "Invalid", prepared.reason, generation=generation)
        elif errors:
            message = "; ".join(diagnostic.message for diagnostic in errors)
            ready = simple_condition("Ready", "False", "Unresolved", message, generation=generation)
        else:
            ready = simple_condition("Ready", "True", "Ready", f"{prepared.identity} is valid", generation=generation)
        previous = present.get("conditions")
        found = [diagnostic.summary for diagnostic in [*prepared.diagnostics, *between][:_MAX_DIAGNOSTICS]]
        return {
            "conditions": timed([ready], previous if isinstance(previous, list) else [], now=rfc3339(self._now())),
            "observedGeneration": generation,
            "diagnostics": found,
        }


def _same_definition(old: KubeObject, new: KubeObject) -> bool:
    """Only status or bookkeeping changed."""
    before, after = old["metadata"], new["metadata"]
    return (
        old.get("spec") == new.get("spec")
        and before.get("uid") == after.get("uid")
        and before.get("labels") == after.get("labels")
        and before.get("annotations") == after.get("annotations")
    )
