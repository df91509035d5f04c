"""`lambent prune`: functions and templates that no workflow of the cluster uses, in every namespace.

A workflow with errors counts with everything it names, so a typing mistake deletes nothing. Deletes only when told to,
and only an object that is still the one that was judged.
"""

from dataclasses import dataclass, field
from typing import Any

from lambent.errors import UsageError
from lambent.kube.client import KubeClient
from lambent.kube.errors import KubeError, NotFound
from lambent.kube.types import Preconditions
from lambent.platform.workloads.reading import connected, definition_kind, definitions
from lambent.settings import Cluster
from lambent.workflow.authoring.lint import used_by
from lambent.workflow.engine import Catalog, Prepared

VERSION = 1
_PRUNED = ("ResourceFunction", "ValueFunction", "ResourceTemplate")


@dataclass(slots=True)
class Pruned:
    """`failed` names what could not be deleted and why; `is_done` is false for a dry run."""

    unused: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    is_done: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Version 1: {version, unused, deleted, failed}."""
        return {"version": VERSION, "unused": self.unused, "deleted": self.is_done, "failed": self.failed}


async def prune_on(cluster: Cluster, *, namespace: str | None, delete: bool) -> Pruned:
    """What is unused, in one namespace or all; gone afterwards when `delete`."""
    async with connected(cluster) as kube:
        catalog = await definitions(kube)
        if not any(True for _ in catalog.of_kind("Workflow")):
            raise UsageError("the cluster has no workflow, so every function would count as unused; nothing is pruned")
        report = Pruned(is_done=delete)
        for prepared in unused_in(catalog, namespace):
            report.unused.append(str(prepared.identity))
            if delete:
                await _delete(kube, prepared, report)
        return report


def unused_in(catalog: Catalog, namespace: str | None) -> list[Prepared]:
    """Functions first: a template is in use as long as a function that names it exists."""
    used = used_by(catalog)
    found = [p for kind in _PRUNED for p in catalog.of_kind(kind) if p.identity not in used]
    return [prepared for prepared in found if namespace in (None, prepared.identity.namespace)]


async def _delete(kube: KubeClient, prepared: Prepared, report: Pruned) -> None:
    identity = prepared.identity
    metadata = prepared.document.value["metadata"]
    try:
        await kube.delete(
            definition_kind(identity.kind),
            identity.name,
            namespace=identity.namespace,
            preconditions=Preconditions(metadata.get("uid"), metadata.get("resourceVersion")),
        )
    except NotFound:
        return
    except KubeError as error:
        report.failed[str(identity)] = str(error)
