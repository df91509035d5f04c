"""An API server's objects in memory, for tests of functions and workflows: answers effects, keeps what was written.

Objects get a uid and a revision; an object with finalizers is only marked when it is deleted, and what it owns goes
with it. Refusals can be ordered. Two ways of writing a patch: `merge` is JSON merge patch, as a real server; `legacy`
replaces top-level keys, as Koreo's test runner does.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from lambent.workflow.engine import Answer, Effect, Found, Plan, Read, Refused, ResourceRef
from lambent.workflow.engine.patches import merge, without_nulls

StateMerge = Literal["merge", "legacy"]
Place = tuple[str, str, str, str]
_NOT_FOUND = 404


def after_write(plan: Plan, live: Mapping[str, Any] | None, mode: StateMerge = "merge") -> dict[str, Any] | None:
    """The object after a plan has been carried out; None when it is gone."""
    if plan.action == "delete":
        return None
    body = plan.body or {}
    if plan.action == "create" or live is None:
        return dict(without_nulls(body))
    if mode == "legacy":
        return {**live, **without_nulls(body)}
    merged: dict[str, Any] = merge(live, body)
    return merged


def place_of(obj: Mapping[str, Any]) -> Place:
    metadata = obj.get("metadata") or {}
    return obj["apiVersion"], obj["kind"], metadata.get("namespace") or "", metadata["name"]


@dataclass(slots=True)
class Written:
    """A write that was carried out."""

    verb: str
    ref: ResourceRef
    body: dict[str, Any] | None


@dataclass(slots=True)
class Refusal:
    """An ordered answer: the next `times` requests of this verb and kind (and name, if given) get `status`."""

    verb: str
    kind: str
    name: str
    status: int
    times: int

    def fits(self, verb: str, ref: ResourceRef) -> bool:
        is_named = self.name in ("", ref.name)
        return self.times > 0 and is_named and (self.verb, self.kind) == (verb, ref.kind)


@dataclass(slots=True)
class MemoryApi:
    """Objects by place; `writes` in order."""

    objects: dict[Place, dict[str, Any]] = field(default_factory=dict)
    writes: list[Written] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    _revision: int = 0

    def answer(self, effect: Effect) -> Answer:
        """Carries out an effect, or refuses it as ordered."""
        verb = "get" if isinstance(effect, Read) else effect.plan.action
        for refusal in self.refusals:
            if refusal.fits(verb, effect.ref):
                refusal.times -= 1
                if isinstance(effect, Read) and refusal.status == _NOT_FOUND:
                    return Found(None)
                return Refused(refusal.status, f"ordered by the test: {refusal.status}")
        if isinstance(effect, Read):
            return Found(self.read(effect.ref))
        live = self.objects.get(effect.ref.place)
        if effect.plan.action == "create" and live is not None:
            return Refused(409, "already exists", "AlreadyExists")
        wanted = effect.plan.resource_version
        if wanted and live is not None and live["metadata"].get("resourceVersion") != wanted:
            return Refused(409, "the object has been modified", "Conflict")
        return Found(self.write(effect.plan))

    def read(self, ref: ResourceRef) -> dict[str, Any] | None:
        return self.objects.get(ref.place)

    def put(self, obj: Mapping[str, Any]) -> dict[str, Any]:
        """Adds or replaces an object, as the server would store it."""
        self._revision += 1
        metadata = {"uid": f"uid-{self._revision}", **obj["metadata"], "resourceVersion": str(self._revision)}
        stored = {**obj, "metadata": metadata}
        self.objects[place_of(stored)] = stored
        return stored

    def delete(self, place: Place) -> None:
        """Removes an object and what it owns; with finalizers it is only marked."""
        obj = self.objects.get(place)
        if obj is None:
            return
        metadata = obj["metadata"]
        if metadata.get("finalizers"):
            self.put({**obj, "metadata": {**metadata, "deletionTimestamp": "1970-01-01T00:00:00Z"}})
            return
        del self.objects[place]
        for other, owned in list(self.objects.items()):
            owners = owned["metadata"].get("ownerReferences") or []
            if owners and all(reference.get("uid") == metadata.get("uid") for reference in owners):
                self.delete(other)

    def write(self, plan: Plan) -> dict[str, Any] | None:
        """Carries out a plan; returns the object as it is then."""
        ref = plan.ref
        assert ref is not None
        self.writes.append(Written(plan.action, ref, plan.body))
        if plan.action == "delete":
            self.delete(ref.place)
            return self.objects.get(ref.place)
        after = after_write(plan, self.objects.get(ref.place))
        return self.put(after) if after is not None else None
