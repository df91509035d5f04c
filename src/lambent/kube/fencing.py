"""A client that writes only while its leadership term lasts.

Each write is checked against the term first, and carries it: during the call `current_fence` holds
`<namespace>/<lease>/<term>`, which the HTTP client sends as `Lambent-Fence` and our own server compares. Other servers
ignore it; there the check and the preconditions of the writes carry the promise.
"""

import contextlib
from collections.abc import AsyncIterator, Iterator
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from lambent.kube.types import (
    ALL,
    GVK,
    KubeObject,
    Page,
    PatchBody,
    Preconditions,
    ResourceInfo,
    Selector,
    WatchEvent,
    WatchOptions,
)

if TYPE_CHECKING:  # whoever only reads the fence needs no election
    from lambent.kube.client import KubeClient
    from lambent.kube.leader import Term

FENCE_HEADER = "Lambent-Fence"
current_fence: ContextVar[str] = ContextVar("kube_fence", default="")


@contextlib.contextmanager
def fenced(term: "Term") -> Iterator[None]:
    """Writes inside the block happen under this term; raises LeadershipLost if it is over."""
    term.check()
    token = current_fence.set(str(term))
    try:
        yield
    finally:
        current_fence.reset(token)


class FencedClient:
    """Implements `KubeClient` over another one: `term.check()` runs before every mutating call."""

    def __init__(self, client: "KubeClient", term: "Term") -> None:
        self._client = client
        self.term = term

    async def get(self, gvk: GVK, name: str, *, namespace: str | None = None, subresource: str = "") -> KubeObject:
        return await self._client.get(gvk, name, namespace=namespace, subresource=subresource)

    def list(
        self, gvk: GVK, *, namespace: str | None = None, selector: Selector = ALL, limit: int = 500
    ) -> AsyncIterator[Page]:
        return self._client.list(gvk, namespace=namespace, selector=selector, limit=limit)

    def watch(
        self, gvk: GVK, *, namespace: str | None = None, options: WatchOptions | None = None
    ) -> AsyncIterator[WatchEvent]:
        return self._client.watch(gvk, namespace=namespace, options=options)

    async def resolve(self, gvk: GVK) -> ResourceInfo:
        return await self._client.resolve(gvk)

    async def create(self, obj: KubeObject, **options: Any) -> KubeObject:
        with fenced(self.term):
            return await self._client.create(obj, **options)

    async def replace(self, obj: KubeObject, **options: Any) -> KubeObject:
        with fenced(self.term):
            return await self._client.replace(obj, **options)

    async def patch(self, gvk: GVK, name: str, body: PatchBody, **options: Any) -> KubeObject:
        with fenced(self.term):
            return await self._client.patch(gvk, name, body, **options)

    async def apply(self, obj: KubeObject, **options: Any) -> KubeObject:
        with fenced(self.term):
            return await self._client.apply(obj, **options)

    async def delete(self, gvk: GVK, name: str, *, preconditions: Preconditions | None = None, **options: Any) -> None:
        with fenced(self.term):
            await self._client.delete(gvk, name, preconditions=preconditions, **options)

    async def close(self) -> None:
        """The wrapped client belongs to whoever made it."""
