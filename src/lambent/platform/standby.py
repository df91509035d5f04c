"""A controller that waits for its term with warm caches: what it will read first is watched before it leads.

The watches are those of the shared hub, so the controllers of a term find them synced and list nothing again. Kinds
that only a workflow names (its triggers, what its steps write) are watched from the term's begin.
"""

from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager

from lambent import resources
from lambent.kube.informer import InformerHub
from lambent.kube.types import GVK
from lambent.workflow.controller.definitions import KINDS, gvk_of_kind

WATCHED: tuple[GVK, ...] = (*(gvk_of_kind(kind) for kind in KINDS), *(kind.gvk for kind in resources.TIER_1))


@asynccontextmanager
async def warm(hub: InformerHub, kinds: Iterable[GVK] = WATCHED) -> AsyncIterator[None]:
    """Keeps the informers of these kinds running; one without a definition waits for it."""
    async with AsyncExitStack() as stack:
        for gvk in kinds:
            await stack.enter_async_context(hub.use(gvk))
        yield
