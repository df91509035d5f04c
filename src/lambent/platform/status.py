"""`lambent status`: what runs, and everything that is wrong, read from the outside like a user would.

Wrong is: a part that does not answer, and any object of ours or of the workflows' trigger kinds whose Ready condition
is not True. The reason and message are the object's own.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import asdict, dataclass
from typing import Any

import aiohttp

from lambent.kube.client import KubeClient
from lambent.kube.errors import KubeError, NotFound
from lambent.kube.types import GVK, KubeObject
from lambent.platform.clients import cluster_client
from lambent.platform.state import Endpoints
from lambent.settings import Cluster

_PROBE_BOUND_S = 5.0
_WORKFLOW = GVK("koreo.dev", "v1beta1", "Workflow")
_KINDS = (
    _WORKFLOW,
    GVK("koreo.dev", "v1beta1", "ValueFunction"),
    GVK("koreo.dev", "v1beta1", "ResourceFunction"),
    GVK("s3.services.k8s.aws", "v1alpha1", "Bucket"),
    GVK("iam.services.k8s.aws", "v1alpha1", "Policy"),
    GVK("iam.services.k8s.aws", "v1alpha1", "Role"),
    GVK("lambda.services.k8s.aws", "v1alpha1", "Function"),
    GVK("lambent.dev", "v1alpha1", "LambdaFunction"),
)


@dataclass(frozen=True, slots=True)
class Part:
    name: str
    where: str
    state: str


@dataclass(frozen=True, slots=True)
class Problem:
    what: str
    why: str


@dataclass(frozen=True, slots=True)
class Status:
    parts: list[Part]
    problems: list[Problem]

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


async def read_status(running: Endpoints) -> Status:
    """Asks every part and reads every object that has a Ready condition."""
    kube = cluster_client(Cluster(running.kubeconfig))
    try:
        parts = [
            Part("platform", f"process {running.pid}", "running"),
            Part("AWS endpoint", running.aws, await _probe(f"{running.aws}/_lambent/ready")),
            Part("Kubernetes API", running.kubernetes, await _probe_kubernetes(kube)),
        ]
        problems = [Problem(part.name, part.state) for part in parts if part.state not in ("ready", "running")]
        if parts[-1].state == "ready":
            problems += [problem async for problem in _unready_objects(kube)]
    finally:
        await kube.close()
    return Status(parts, problems)


async def _probe(url: str) -> str:
    try:
        timeout = aiohttp.ClientTimeout(total=_PROBE_BOUND_S)
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url) as answer:
            return "ready" if answer.status == 200 else (await answer.text()).strip()
    except (aiohttp.ClientError, TimeoutError) as error:
        return f"no answer: {error or 'timed out'}"


async def _probe_kubernetes(kube: KubeClient) -> str:
    try:
        async with asyncio.timeout(_PROBE_BOUND_S):
            await kube.get(GVK("", "v1", "Namespace"), "default")
    except (KubeError, TimeoutError) as error:
        return f"no answer: {error or 'timed out'}"
    return "ready"


async def _unready_objects(kube: KubeClient) -> AsyncIterator[Problem]:
    for gvk in (*_KINDS, *await _trigger_kinds(kube)):
        for obj in await _all(kube, gvk):
            ready = next((c for c in obj.get("status", {}).get("conditions", []) if c["type"] == "Ready"), None)
            if ready is not None and ready["status"] != "True":
                meta = obj["metadata"]
                what = f"{gvk.kind} {meta.get('namespace', '')}/{meta['name']}"
                yield Problem(what, f"{ready.get('reason', '')}: {ready.get('message', '')}")


async def _trigger_kinds(kube: KubeClient) -> Iterable[GVK]:
    refs = [workflow.get("spec", {}).get("crdRef") for workflow in await _all(kube, _WORKFLOW)]
    return sorted({GVK(ref["apiGroup"], ref["version"], ref["kind"]) for ref in refs if ref})


async def _all(kube: KubeClient, gvk: GVK) -> list[KubeObject]:
    try:
        return [obj async for page in kube.list(gvk) for obj in page.items]
    except NotFound:
        return []
