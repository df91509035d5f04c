"""What the verbs read of a cluster: definitions, the object that KIND/NAME means, resources of a workflow."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any, cast

from lambent.errors import LambentError, UsageError
from lambent.kube.client import KubeClient
from lambent.kube.errors import KubeError, NotFound, Unreachable
from lambent.kube.types import GVK, KubeObject
from lambent.platform.clients import cluster_client
from lambent.settings import Cluster
from lambent.workflow.controller.executor import gvk_of, refused
from lambent.workflow.engine import Answer, Catalog, Found, Prepared, Refused, ResourceRef, Unready, Workflow
from lambent.workflow.spec import Document, nearest

KINDS = ("ResourceTemplate", "ValueFunction", "ResourceFunction", "Workflow")
_CRD = GVK("apiextensions.k8s.io", "v1", "CustomResourceDefinition")
SELECT_ANNOTATION = "koreo.dev/workflow"


@asynccontextmanager
async def connected(cluster: Cluster) -> AsyncIterator[KubeClient]:
    """A client for the time of one verb. Raises `LambentError` when the cluster does not answer."""
    kube = cluster_client(cluster)
    try:
        yield kube
    except Unreachable as error:
        which = f"the cluster of {cluster.kubeconfig}" if cluster.kubeconfig else "the cluster"
        raise LambentError(f"{which} does not answer; is it up, is this its kubeconfig? {error}") from error
    finally:
        await kube.close()


def definition_kind(kind: str) -> GVK:
    return GVK("koreo.dev", "v1beta1", kind)


async def definitions(kube: KubeClient) -> Catalog:
    """Every workflow, function and template of the cluster. Raises `LambentError` when the kinds are not served."""
    catalog = Catalog()
    for kind in KINDS:
        try:
            objects = [obj async for page in kube.list(definition_kind(kind)) for obj in page.items]
        except NotFound:
            hint = "apply `lambent crds` first"
            raise LambentError(f"the cluster does not serve {kind} of koreo.dev/v1beta1; {hint}") from None
        for obj in objects:
            # Items of a list come without these two.
            whole = {"apiVersion": "koreo.dev/v1beta1", "kind": kind, **obj}
            catalog.put(Document(cast(dict[str, Any], whole)))
    return catalog


def trigger_kinds(catalog: Catalog) -> set[GVK]:
    """The kinds that workflows name as their trigger."""
    return {gvk for workflow in catalog.of_kind("Workflow") if (gvk := trigger_of(workflow)) is not None}


def trigger_of(workflow: Prepared) -> GVK | None:
    """Read from the document, so that a workflow with errors has one too."""
    ref = workflow.document.spec.get("crdRef")
    if not isinstance(ref, Mapping):
        return None
    group, version, kind = (ref.get(name) for name in ("apiGroup", "version", "kind"))
    if not (isinstance(group, str) and isinstance(version, str) and isinstance(kind, str)):
        return None
    return GVK(group, version, kind)


async def find(kube: KubeClient, words: str, namespace: str, kinds: Iterable[GVK]) -> KubeObject:
    """The object that KIND/NAME or KIND/NAMESPACE/NAME means; a kind goes by any name that kubectl takes for it.

    Raises `UsageError`.
    """
    kind, place, name = parsed(words, namespace)
    known = sorted(kinds)
    chosen = await kinds_called(kube, kind, known)
    if not chosen:
        names = ", ".join(gvk.kind for gvk in known) or "none: no workflow has a trigger kind"
        near = nearest(kind, [gvk.kind for gvk in known])
        raise UsageError(f"{kind} is not the trigger kind of a workflow; {near or f'these are: {names}'}")
    for gvk in chosen:
        try:
            return await kube.get(gvk, name, namespace=place)
        except NotFound:
            continue
    raise UsageError(f"{chosen[0].kind} {name} not found in namespace {place}; choose another with -n")


def parsed(words: str, namespace: str) -> tuple[str, str, str]:
    """Kind, namespace and name of KIND/NAME or KIND/NAMESPACE/NAME. Raises `UsageError`."""
    kind, *rest = words.split("/")
    if len(rest) not in (1, 2) or not all((kind, *rest)):
        raise UsageError(f"{words!r} does not name an object; write KIND/NAME or KIND/NAMESPACE/NAME")
    return kind, rest[0] if len(rest) == 2 else namespace, rest[-1]


async def kinds_called(kube: KubeClient, name: str, known: Iterable[GVK]) -> list[GVK]:
    """Those of some kinds that a word means, in any form that kubectl takes."""
    word, kinds = name.lower(), list(known)
    chosen = [gvk for gvk in kinds if word in (gvk.kind.lower(), f"{gvk.kind}.{gvk.group}".lower())]
    return chosen or [gvk for gvk in kinds if word in await _other_names(kube, gvk)]


async def _other_names(kube: KubeClient, gvk: GVK) -> set[str]:
    """Plural, singular and short names of a kind, from its CRD."""
    try:
        plural = (await kube.resolve(gvk)).plural
        crd = await kube.get(_CRD, f"{plural}.{gvk.group}")
    except KubeError:
        return set()
    names = crd["spec"]["names"]
    return {plural, f"{plural}.{gvk.group}", names.get("singular") or "", *(names.get("shortNames") or ())}


async def read_live(cluster: Cluster, obj: Mapping[str, Any]) -> dict[str, Any]:
    """The object of a manifest as the cluster has it; the manifest itself when it is not there."""
    async with connected(cluster) as kube:
        return await live_of(kube, obj)


async def live_of(kube: KubeClient, obj: Mapping[str, Any]) -> dict[str, Any]:
    metadata = obj.get("metadata") or {}
    gvk = GVK.parse(str(obj.get("apiVersion", "")), str(obj.get("kind", "")))
    try:
        namespace = metadata.get("namespace") or "default"
        return cast(dict[str, Any], await kube.get(gvk, str(metadata.get("name", "")), namespace=namespace))
    except NotFound:
        return dict(obj)


async def answer(kube: KubeClient, ref: ResourceRef) -> Answer:
    """A read as the controller would make it."""
    gvk = gvk_of(ref)
    try:
        await kube.resolve(gvk)
    except NotFound:
        return Refused(404, f"the server does not serve {ref.kind} of {ref.api_version}", "NotFound")
    except KubeError as error:
        return refused(error)
    try:
        return Found(cast(dict[str, Any], await kube.get(gvk, ref.name, namespace=ref.namespace or None)))
    except NotFound:
        return Found(None)
    except KubeError as error:
        return refused(error)


def workflow_for(obj: KubeObject, catalog: Catalog) -> Workflow:
    """The workflow that serves an object. Raises `LambentError`, which says why none does."""
    metadata = obj["metadata"]
    chosen = (metadata.get("annotations") or {}).get(SELECT_ANNOTATION)
    if chosen:
        named = catalog.resolve("Workflow", chosen, metadata.get("namespace", ""))
        candidates = [] if isinstance(named, str) else [named]
    else:
        gvk = GVK.of(obj)
        candidates = [w for w in catalog.of_kind("Workflow") if trigger_of(w) == gvk]
    if not candidates:
        which = chosen or f"with the trigger kind {obj['kind']}"
        raise LambentError(f"no workflow {which} in the cluster")
    if len(candidates) > 1:
        names = ", ".join(sorted(str(w.identity) for w in candidates))
        raise LambentError(
            f"several workflows have this trigger; choose one by annotation {SELECT_ANNOTATION}: {names}"
        )
    found = candidates[0]
    if isinstance(found, Unready):
        raise LambentError("\n" + "\n".join(d.render() for d in found.diagnostics if d.is_error))
    assert isinstance(found, Workflow)
    return found
