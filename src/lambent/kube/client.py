"""The client Protocol: everything a controller may ask of a Kubernetes API server.

Two implementations: `kube.http_client` (any server, over HTTP) and `kubeserver.local` (the embedded server, in
process). No caller can tell which one it holds. Every error is a `kube.errors.KubeError`.
"""

from collections.abc import AsyncIterator
from typing import Protocol

from lambent.kube.types import (
    ALL,
    GVK,
    KubeObject,
    Page,
    PatchBody,
    PatchKind,
    Preconditions,
    Propagation,
    ResourceInfo,
    Selector,
    WatchEvent,
    WatchOptions,
)


class KubeClient(Protocol):
    """Source: Kubernetes API concepts; `spec` section 1.2 of the kit. `subresource` is "status" or "scale"."""

    async def get(self, gvk: GVK, name: str, *, namespace: str | None = None, subresource: str = "") -> KubeObject: ...

    def list(
        self, gvk: GVK, *, namespace: str | None = None, selector: Selector = ALL, limit: int = 500
    ) -> AsyncIterator[Page]: ...

    async def create(self, obj: KubeObject, *, manager: str = "", dry_run: bool = False) -> KubeObject: ...

    async def replace(
        self, obj: KubeObject, *, subresource: str = "", manager: str = "", dry_run: bool = False
    ) -> KubeObject: ...

    async def patch(
        self,
        gvk: GVK,
        name: str,
        body: PatchBody,
        *,
        namespace: str | None = None,
        kind: PatchKind = "merge",
        subresource: str = "",
        manager: str = "",
        dry_run: bool = False,
    ) -> KubeObject: ...

    async def apply(
        self, obj: KubeObject, *, manager: str, force: bool = False, subresource: str = "", dry_run: bool = False
    ) -> KubeObject: ...

    async def delete(
        self,
        gvk: GVK,
        name: str,
        *,
        namespace: str | None = None,
        propagation: Propagation | None = None,
        preconditions: Preconditions | None = None,
        dry_run: bool = False,
    ) -> None: ...

    def watch(
        self, gvk: GVK, *, namespace: str | None = None, options: WatchOptions | None = None
    ) -> AsyncIterator[WatchEvent]:
        """One watch request: yields until the server ends it; raises `Gone` for a 410 of either form."""
        ...

    async def resolve(self, gvk: GVK) -> ResourceInfo:
        """Discovery of a kind, cached; raises `NotFound` when the server does not serve it."""
        ...

    async def close(self) -> None: ...
