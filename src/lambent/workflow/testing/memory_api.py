"""An API server's objects in memory, for tests of functions and workflows: answers effects, keeps what was written.

Two ways of writing a patch: `merge` is JSON merge patch, as a real server; `legacy` replaces top-level keys, as
Koreo's test runner does.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from lambent.workflow.engine import Plan, ResourceRef
from lambent.workflow.engine.patches import merge, without_nulls

StateMerge = Literal["merge", "legacy"]


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


@dataclass(slots=True)
class Written:
    """A write that was carried out."""

    verb: str
    ref: ResourceRef
    body: dict[str, Any] | None


@dataclass(slots=True)
class MemoryApi:
    """Objects by place; `writes` in order."""

    objects: dict[tuple[str, str, str, str], dict[str, Any]] = field(default_factory=dict)
    writes: list[Written] = field(default_factory=list)

    def read(self, ref: ResourceRef) -> dict[str, Any] | None:
        return self.objects.get(ref.place)

    def put(self, obj: dict[str, Any]) -> None:
        """Adds or replaces an object."""
        metadata = obj["metadata"]
        self.objects[obj["apiVersion"], obj["kind"], metadata.get("namespace", ""), metadata["name"]] = obj

    def write(self, plan: Plan) -> dict[str, Any] | None:
        """Carries out a plan; returns the object as it is then."""
        ref = plan.ref
        assert ref is not None
        self.writes.append(Written(plan.action, ref, plan.body))
        after = after_write(plan, self.objects.get(ref.place))
        if after is None:
            self.objects.pop(ref.place, None)
        else:
            self.objects[ref.place] = after
        return after
