"""The workflow controller: definitions, trigger kinds that come and go with them, and watches on managed resources.

    controller = WorkflowController(kube, hub)
    await controller.run()          # until cancelled

Trigger kinds are watched while a workflow names them; one whose CRD is not there yet is watched as soon as it appears
(the informer waits for it). If the koreo.dev CRDs belong to another controller, this one stays off and says so.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime

from lambent.clock import utc_now
from lambent.kube.client import KubeClient
from lambent.kube.controller import Selects
from lambent.kube.errors import KubeError, NotFound
from lambent.kube.events import EventRecorder
from lambent.kube.informer import InformerHub
from lambent.kube.types import GVK
from lambent.workflow.controller.definitions import Definitions
from lambent.workflow.controller.held_kinds import HeldKinds
from lambent.workflow.controller.pacing import Pacer
from lambent.workflow.controller.settings import ControllerSettings
from lambent.workflow.controller.triggers import Shared, TriggerKind, triggers_of
from lambent.workflow.controller.watches import ResourceWatches, Trigger
from lambent.workflow.crds import VERSION_ANNOTATION
from lambent.workflow.engine.references import Place
from lambent.workflow.spec import Identity

_log = logging.getLogger(__name__)
_CRD = GVK("apiextensions.k8s.io", "v1", "CustomResourceDefinition")
_OURS = "workflows.koreo.dev"
_LOOK_AGAIN_S = 60.0
_ASK_AGAIN_S = 2.0


class WorkflowController:
    """`hub` is shared with other controllers. One of several on one cluster has the triggers and definitions that it
    `selects`, and no other has them; those of one process share a `pacer`.

    `now` stamps objects; `clock` measures evaluation, in seconds (None: what suits the loop).
    """

    def __init__(
        self,
        kube: KubeClient,
        hub: InformerHub,
        *,
        settings: ControllerSettings | None = None,
        recorder: EventRecorder | None = None,
        selects: Selects | None = None,
        pacer: Pacer | None = None,
        now: Callable[[], datetime] = utc_now,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self._kube = kube
        self._hub = hub
        self._settings = settings or ControllerSettings()
        self._recorder = recorder or EventRecorder(kube, "lambent-workflow")
        self._selects = selects
        self._pacer = pacer
        self._now = now
        self._clock = clock
        self._kinds: dict[GVK, tuple[TriggerKind, asyncio.Task[None]]] = {}
        self._changed = asyncio.Event()
        self._pending: set[Identity] = set()
        self.ready = asyncio.Event()
        self._definitions = Definitions(
            kube, hub, self._settings, on_change=self._definition_changed, selects=selects, now=now
        )

    async def run(self) -> None:
        """Until cancelled; running passes are cut then, and repeat at the next start."""
        await self._until_ours()
        try:
            async with asyncio.TaskGroup() as group:
                shared = self._shared(group)
                group.create_task(self._definitions.run())
                await self._definitions.loaded.wait()
                self._match_kinds(group, shared)
                group.create_task(self._recall(group, shared))
                self.ready.set()
                await self._follow_definitions(group, shared)
        finally:
            self.ready.clear()

    async def shutdown(self, drain_s: float = 10.0) -> None:
        """Lets running passes finish; `run` is to be cancelled afterwards."""
        async with asyncio.TaskGroup() as group:
            for kind, _ in self._kinds.values():
                group.create_task(kind.controller.shutdown(drain_s))

    @property
    def trigger_kinds(self) -> frozenset[GVK]:
        """The kinds that are served now."""
        return frozenset(self._kinds)

    async def _until_ours(self) -> None:
        has_said = False
        while not await self._is_ours():
            if not has_said:
                _log.error("the koreo.dev CRDs are not ours: staying off (--controllers-takeover koreo.dev)")
                has_said = True
            await asyncio.sleep(_LOOK_AGAIN_S)

    async def _is_ours(self) -> bool:
        if self._settings.takeover:
            return True
        while True:
            try:
                crd = await self._kube.get(_CRD, _OURS)
            except NotFound:
                return True
            except KubeError as error:
                _log.warning("cannot read yet whose the koreo.dev CRDs are: %s", error)
                await asyncio.sleep(error.retry_after_s or _ASK_AGAIN_S)
            else:
                return VERSION_ANNOTATION in (crd["metadata"].get("annotations") or {})

    def _shared(self, group: asyncio.TaskGroup) -> Shared:
        return Shared(
            self._kube,
            self._hub,
            self._definitions,
            ResourceWatches(self._hub, group, self._wake),
            self._settings,
            self._recorder,
            self._pacer or Pacer(clock=self._clock),
            HeldKinds(self._kube, self._settings.namespace, has_all=self._selects is None),
            self._selects,
            self._now,
        )

    async def _recall(self, group: asyncio.TaskGroup, shared: Shared) -> None:
        """Serves kinds that no workflow names any more as long as our finalizer holds objects of them."""
        while True:
            try:
                found = await shared.held.find(self._kinds)
                break
            except KubeError as error:
                _log.warning("cannot read yet which kinds have held objects: %s", error)
                await asyncio.sleep(error.retry_after_s or _ASK_AGAIN_S)
        for gvk, keys in found.items():
            if gvk not in self._kinds:
                self._start(gvk, group, shared).retire(self._changed.set, keys)

    async def _follow_definitions(self, group: asyncio.TaskGroup, shared: Shared) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            concerned, self._pending = self._pending, set()
            self._match_kinds(group, shared)
            for gvk in self._kinds_of(concerned):
                self._kinds[gvk][0].wake_all()

    def _definition_changed(self, concerned: set[Identity]) -> None:
        self._pending |= concerned
        self._changed.set()

    def _kinds_of(self, concerned: set[Identity]) -> set[GVK]:
        """Kinds whose objects may run another workflow, or another version of it, than before."""
        found = {triggers_of(workflow) for workflow in self._definitions.workflows() if workflow.identity in concerned}
        gone = concerned - {workflow.identity for workflow in self._definitions.workflows()}
        return {gvk for gvk in self._kinds if gvk in found or gone}

    def _match_kinds(self, group: asyncio.TaskGroup, shared: Shared) -> None:
        """Starts and stops trigger kinds so that they are those which workflows name.

        A kind that no workflow names is served until its objects have been told and none is held by our finalizer.
        """
        wanted = {gvk for gvk in map(triggers_of, self._definitions.workflows()) if gvk is not None}
        for gvk, (kind, task) in list(self._kinds.items()):
            if gvk in wanted:
                kind.resume()
            elif kind.is_idle:
                del self._kinds[gvk]
                task.cancel()
                group.create_task(shared.held.drop(gvk))
            elif not kind.is_retiring:
                kind.retire(self._changed.set)
        for gvk in wanted - self._kinds.keys():
            self._start(gvk, group, shared)

    def _start(self, gvk: GVK, group: asyncio.TaskGroup, shared: Shared) -> TriggerKind:
        kind = TriggerKind(gvk, shared)
        self._kinds[gvk] = (kind, group.create_task(kind.run()))
        return kind

    def _wake(self, trigger: Trigger, place: Place) -> None:
        found = self._kinds.get(trigger.gvk)
        if found is not None:
            found[0].wake(trigger.key, place)
