"""The trigger object as expressions see it, and as an owner."""

from collections.abc import Mapping
from typing import Any

from lambent.workflow.engine.references import Owner


def parent_of(trigger: Mapping[str, Any]) -> dict[str, Any]:
    """`{metadata, spec, state, status, apiVersion, kind}`; state is `status.state` or null."""
    status = trigger.get("status")
    status = status if isinstance(status, Mapping) else {}
    return {
        "apiVersion": trigger.get("apiVersion"),
        "kind": trigger.get("kind"),
        "metadata": trigger.get("metadata") or {},
        "spec": trigger.get("spec") or {},
        "state": status.get("state"),
        "status": status,
    }


def owner_of(trigger: Mapping[str, Any]) -> Owner | None:
    """None for an object that has no uid yet."""
    metadata = trigger.get("metadata") or {}
    if not metadata.get("uid"):
        return None
    return Owner(
        trigger["apiVersion"], trigger["kind"], metadata["name"], metadata["uid"], metadata.get("namespace", "")
    )
