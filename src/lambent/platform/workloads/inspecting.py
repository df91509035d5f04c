"""`lambent inspect`: an object of a trigger kind with its conditions, published state and managed resources."""

from dataclasses import asdict, dataclass, field
from typing import Any, cast

from lambent.kube.client import KubeClient
from lambent.platform.workloads.reading import answer, connected, definitions, find, trigger_kinds
from lambent.settings import Cluster
from lambent.workflow.authoring.explanation import condition, object_name
from lambent.workflow.authoring.yaml_text import yaml_text
from lambent.workflow.controller.records import load_record
from lambent.workflow.engine import Found, Refused, ResourceRef
from lambent.workflow.spec.painting import Paint, plain

VERSION = 1


@dataclass(frozen=True, slots=True)
class Resource:
    """`ready` is the Ready (or ACK.ResourceSynced) status, or why there is none.

    `note` says orphan, read only, or the policy of its deletion.
    """

    kind: str
    namespace: str
    name: str
    ready: str
    message: str
    note: str = ""


@dataclass(slots=True)
class Inspection:
    object: str
    workflow: str
    conditions: list[dict[str, Any]] = field(default_factory=list)
    state: Any = None
    resources: list[Resource] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Version 1."""
        return {"version": VERSION, **asdict(self)}


async def inspect_on(cluster: Cluster, words: str, *, namespace: str) -> Inspection:
    """Reads the object and everything that its record names."""
    async with connected(cluster) as kube:
        catalog = await definitions(kube)
        stored = await find(kube, words, namespace, trigger_kinds(catalog))
        record = await load_record(kube, stored)
        obj = cast(dict[str, Any], stored)
        orphans = {orphan.place for orphan in record.orphans}
        status = obj.get("status") or {}
        found = Inspection(object_name(obj), record.workflow)
        found.conditions = [dict(item) for item in status.get("conditions") or ()]
        found.state = status.get("state")
        for ref in record.refs():
            note = "orphan" if ref.place in orphans else "read only" if ref.is_readonly else ref.deletion
            found.resources.append(await _resource(kube, ref, note))
        return found


async def _resource(kube: KubeClient, ref: ResourceRef, note: str) -> Resource:
    ready, message = "", ""
    live = await answer(kube, ref)
    if isinstance(live, Refused):
        ready, message = "Unknown", live.message
    elif isinstance(live, Found) and live.object is None:
        ready = "absent"
    elif isinstance(live, Found) and live.object is not None:
        told = condition(live.object, "Ready") or condition(live.object, "ACK.ResourceSynced")
        ready, message = str(told.get("status", "-")), str(told.get("message") or "")
        if live.object["metadata"].get("deletionTimestamp"):
            ready = "deleting"
    return Resource(ref.kind, ref.namespace, ref.name, ready, message, note)


def inspection_lines(found: Inspection, paint: Paint = plain) -> list[str]:
    """The object and its conditions; the table of resources is the caller's."""
    lines = [paint("strong", found.object) + f"  by Workflow {found.workflow or '(none yet)'}"]
    for one in found.conditions:
        is_good = one.get("status") == "True" and one.get("type") not in ("Reconciling", "Stalled")
        lines.append(
            f"  {paint('good' if is_good else 'warn', str(one.get('type')))}"
            f"  {one.get('status')}  {one.get('reason', '')}  {one.get('message', '')}".rstrip()
        )
    if found.state:
        lines += ["state:", yaml_text(found.state, 2)]
    return lines
