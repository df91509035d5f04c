"""What stands around the effects of one pass: caches and watches for its reads, the finalizer before its creations.

Before a read leaves, the watch on its object runs. Before a creation that nobody but us can undo, the trigger has our
finalizer and a record that names the object, so that a crash at any point leaks nothing. A finalizer that was lost (to
`kubectl replace`, or a restore from a manifest) is put back when a pass sees such an object.
"""

import asyncio
from typing import Any, cast

from lambent.kube.types import KubeObject
from lambent.workflow.controller.claims import is_left_behind
from lambent.workflow.controller.publication import Publication
from lambent.workflow.controller.records import FINALIZER
from lambent.workflow.controller.watches import ResourceWatches, Trigger
from lambent.workflow.engine import Effect, Found, Read, Workflow, Write, owner_of
from lambent.workflow.engine.managed import Record


class PassAttendant:
    """`obj` is the trigger as it is after our writes; `writes` are those that were asked for.

    With `asks_server` no read is answered from a cache.
    """

    def __init__(
        self,
        trigger: Trigger,
        obj: KubeObject,
        before: Record,
        workflow: Workflow,
        *,
        watches: ResourceWatches,
        publication: Publication,
        asks_server: bool,
    ) -> None:
        self.obj = obj
        self.writes: list[Write] = []
        self._trigger = trigger
        self._before = before
        self._workflow = workflow
        self._watches = watches
        self._publication = publication
        self._asks_server = asks_server
        self._lock = asyncio.Lock()
        # An object that is made anew has another uid than the record tells.
        self._stored = {ref.place for ref in before.refs() if not ref.uid}

    def at_hand(self, effect: Effect) -> Found | None:
        if not isinstance(effect, Read) or effect.is_live or self._asks_server:
            return None
        obj = self._watches.cached(self._trigger, effect.ref)
        if obj is not None:
            return Found(cast(dict[str, Any], obj), is_cached=True)
        if effect.may_be_absent and self._watches.shows_none(self._trigger, effect.ref):
            return Found(None, is_cached=True)
        return None

    async def prepare(self, effect: Effect) -> None:
        if isinstance(effect, Read):
            await self._watches.ensure(self._trigger, effect.ref)
            return
        self.writes.append(effect)
        if effect.plan.action == "create" and self._needs_finalizer(effect):
            async with self._lock:
                await self._store(effect)

    async def observed(self, effect: Read, obj: KubeObject | None) -> bool:
        """An object without our label needs a watch of its own, and so does one that is to stay absent."""
        if obj is None:
            return effect.may_be_absent and await self._watches.ensure_absent(self._trigger, effect.ref)
        self._watches.sightings.saw(effect.ref.place, obj)
        return await self._watches.ensure(self._trigger, effect.ref, obj)

    def wrote(self, effect: Effect, obj: KubeObject | None) -> None:
        if obj is not None:
            self._watches.sightings.saw(effect.ref.place, obj)
        else:
            self._watches.sightings.doubt(effect.ref.place)

    async def hold(self, record: Record) -> None:
        """Puts the finalizer on the trigger if nobody but us can undo what it has. Raises KubeError."""
        owner = owner_of(self.obj)
        if owner is None or FINALIZER in (self.obj["metadata"].get("finalizers") or ()):
            return
        objects = (self._watches.cached(self._trigger, ref) for ref in record.refs() if ref.deletion == "destroy")
        if any(live is not None and is_left_behind(owner, live) for live in objects):
            self.obj = await self._publication.store_record(self.obj, record, finalizer=FINALIZER)

    def _needs_finalizer(self, effect: Write) -> bool:
        if self._workflow.deletes_orphans:
            return True
        if effect.ref.deletion != "destroy":
            return False
        uid = self.obj["metadata"].get("uid")
        references = ((effect.plan.body or {}).get("metadata") or {}).get("ownerReferences") or ()
        return not any(reference.get("uid") == uid for reference in references)

    async def _store(self, effect: Write) -> None:
        has_finalizer = FINALIZER in (self.obj["metadata"].get("finalizers") or ())
        if has_finalizer and effect.ref.place in self._stored:
            return
        self._stored.add(effect.ref.place)
        self._before.orphans.append(effect.ref)
        self.obj = await self._publication.store_record(self.obj, self._before, finalizer=FINALIZER)
