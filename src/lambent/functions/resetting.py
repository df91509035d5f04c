"""Back to an empty account: what `POST /moto-api/reset` does to our part, for test suites that call it between tests.

Deleting goes the ordinary way, so environments stop before an object is gone; then every archive goes. Not for real
clusters: the caller decides whether it may be called at all.
"""

import asyncio

from lambent.functions.artifacts import ArtifactStore
from lambent.functions.kinds import ALIAS, FUNCTION, FUNCTION_VERSION
from lambent.functions.store import FunctionStore

_KINDS = (ALIAS, FUNCTION, FUNCTION_VERSION)
_POLL_S = 0.02


async def reset(store: FunctionStore, artifacts: ArtifactStore, *, timeout_s: float = 10.0) -> None:
    """Returns when nothing is left. Raises TimeoutError when environments do not stop in time."""
    for gvk in _KINDS:
        async for obj in store.list_objects(gvk):
            await store.delete(obj)
    async with asyncio.timeout(timeout_s):
        while await _is_anything_left(store):  # noqa: ASYNC110 - the end of a deletion is an answer of the API
            await asyncio.sleep(_POLL_S)
    await artifacts.sweep(frozenset(), older_than_s=0.0)


async def _is_anything_left(store: FunctionStore) -> bool:
    for gvk in _KINDS:
        async for page in store.kube.list(gvk, namespace=store.namespace, limit=1):
            if page.items:
                return True
    return False
