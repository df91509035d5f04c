"""`lambent validate --rbac`: the ClusterRole that the controller needs for the workflows of some files, and no more.

It has the label by which the controller's own role takes it in (`lambent manifests`). The plural of a kind comes from
`apiConfig.plural` or from a CRD among the files, else it is guessed as Kubernetes' own generators do.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from lambent.workflow.engine import ResourceFunction, Workflow
from lambent.workflow.spec import Document
from lambent.workflow.testing import Loaded

AGGREGATE = "lambent.dev/aggregate-to-controller"
_READ = ("get", "list", "watch")
_ORDER = (*_READ, "create", "patch", "delete")

Verbs = dict[tuple[str, str], set[str]]


def cluster_role(loaded: Loaded, name: str = "lambent-workflows") -> dict[str, Any]:
    """One rule per set of verbs and group."""
    needed: Verbs = {}
    plurals = _plurals(loaded.documents)
    for key, verbs in _needs(loaded, plurals):
        needed.setdefault(key, set()).update(verbs)
    together: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (group, resource), verbs in sorted(needed.items()):
        ordered = tuple(verb for verb in _ORDER if verb in verbs)
        together.setdefault((group, ordered), []).append(resource)
    rules = [
        {"apiGroups": [group], "resources": resources, "verbs": list(verbs)}
        for (group, verbs), resources in together.items()
    ]
    metadata = {"name": name, "labels": {AGGREGATE: "true"}}
    return {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": metadata, "rules": rules}


def _needs(loaded: Loaded, plurals: Mapping[tuple[str, str], str]) -> Iterator[tuple[tuple[str, str], Iterable[str]]]:
    """Of each kind the verbs that one workflow or function asks for."""
    workflows = [found for found in loaded.catalog.of_kind("Workflow") if isinstance(found, Workflow)]
    for workflow in workflows:
        if workflow.trigger is not None:
            group, kind = workflow.trigger.group, workflow.trigger.kind
            plural = plurals.get((group, kind)) or plural_of(kind)
            yield (group, plural), (*_READ, "patch")
            yield (group, f"{plural}/status"), ("patch",)
    deletes_orphans = any(workflow.deletes_orphans for workflow in workflows)
    for function in loaded.catalog.of_kind("ResourceFunction"):
        if isinstance(function, ResourceFunction):
            api = function.api
            group = api.api_version.rpartition("/")[0]
            plural = api.plural or plurals.get((group, api.kind)) or plural_of(api.kind)
            yield (group, plural), _verbs(function, deletes_orphans=deletes_orphans)


def _verbs(function: ResourceFunction, *, deletes_orphans: bool) -> Iterator[str]:
    yield from _READ
    if function.api.is_readonly:
        return
    if function.api.deletes:
        yield "delete"
        return
    if function.create_enabled:
        yield "create"
    # An owner reference, and its removal from what is abandoned, are patches under every update policy.
    yield "patch"
    if function.update == "recreate" or function.delete == "destroy" or deletes_orphans:
        yield "delete"


def _plurals(documents: Iterable[Document]) -> dict[tuple[str, str], str]:
    """Plurals by group and kind, of the CRDs among some documents."""
    found: dict[tuple[str, str], str] = {}
    for document in documents:
        names = document.spec.get("names")
        if document.identity.kind == "CustomResourceDefinition" and isinstance(names, Mapping):
            found[str(document.spec.get("group")), str(names.get("kind"))] = str(names.get("plural"))
    return found


def plural_of(kind: str) -> str:
    """The guess of Kubernetes' generators: policies, buses, buckets. Source: gengo, "namer: plural"."""
    name = kind.lower()
    if name.endswith(("s", "x", "z", "ch", "sh")):
        return name + "es"
    if name.endswith("y") and name[-2:-1] not in ("a", "e", "i", "o", "u", ""):
        return name[:-1] + "ies"
    return name + "s"
