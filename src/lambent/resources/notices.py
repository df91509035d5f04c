"""Events of a pass: what users see under `kubectl describe`. Field names only, never values. Pure."""

from collections.abc import Iterable
from typing import NamedTuple

from lambent.kube.events import Reason
from lambent.kube.types import KubeObject
from lambent.resources.conditions import Verdict
from lambent.resources.converging import Found
from lambent.resources.declaration import Kind
from lambent.resources.statuses import condition_of


class Notice(NamedTuple):
    reason: Reason
    message: str
    is_warning: bool = False


def notices(kind: Kind, before: KubeObject, found: Found, verdict: Verdict) -> Iterable[Notice]:
    """Created, Updated or DriftCorrected, Terminal and blocked deletion; each once for a change."""
    status = before.get("status") or {}
    name = f"{kind.kind} {found.subject.value(kind.name_field)}"
    fields = ", ".join(dict.fromkeys(step.why for step in found.written if step.why != "create"))
    if found.created:
        yield Notice(Reason.CREATED, f"created {name} in AWS")
    elif fields:
        seen = status.get("observedGeneration") == before["metadata"].get("generation")
        drifted = seen and condition_of(status, "ACK.ResourceSynced").get("status") == "True"
        yield Notice(Reason.DRIFT_CORRECTED if drifted else Reason.UPDATED, f"{name}: wrote {fields}")
    if verdict.terminal and condition_of(status, "ACK.Terminal").get("message") != verdict.terminal:
        yield Notice(Reason.INVALID_SPEC, verdict.terminal, is_warning=True)
    if verdict.situation == "blocked" and condition_of(status, "Ready").get("message") != verdict.message:
        yield Notice(Reason.DELETION_BLOCKED, verdict.message, is_warning=True)
