"""Mark and sweep of code archives: what no function or version names any more goes after an hour.

Marked is every digest in a spec, in what was fetched for it, and in what serves. The hour covers an upload whose
object is not written yet; listing comes before sweeping, so an archive that is taken into use meanwhile is young.
"""

import asyncio
import logging
from collections.abc import Iterator

from lambent.errors import LambentError
from lambent.functions.artifacts import ArtifactStore
from lambent.functions.kinds import FUNCTION, FUNCTION_VERSION
from lambent.functions.store import FunctionStore
from lambent.kube.types import KubeObject

log = logging.getLogger(__name__)

_EVERY_S = 3600.0


class ArtifactSweeper:
    """A `run()` like a controller's; it has nothing to drain."""

    def __init__(self, store: FunctionStore, artifacts: ArtifactStore, *, every_s: float = _EVERY_S) -> None:
        self._store = store
        self._artifacts = artifacts
        self._every_s = every_s

    async def run(self) -> None:
        """Until cancelled. A cluster that cannot be listed postpones the sweep: nothing is removed on half a list."""
        while True:
            await asyncio.sleep(self._every_s)
            try:
                removed = await self.sweep()
            except (LambentError, OSError) as error:
                log.warning("code archives not swept: %s", error)
            else:
                log.log(logging.INFO if removed else logging.DEBUG, "swept %d code archives", removed)

    async def shutdown(self, drain_s: float) -> None:
        """Nothing to wait for: a sweep that is cut short is repeated."""

    async def sweep(self) -> int:
        """The number of archives removed."""
        named: set[str] = set()
        for gvk in (FUNCTION, FUNCTION_VERSION):
            async for page in self._store.kube.list(gvk, namespace=self._store.namespace):
                for obj in page.items:
                    named.update(_digests(obj))
        return await self._artifacts.sweep(named)


def _digests(obj: KubeObject) -> Iterator[str]:
    status = obj.get("status", {})
    for code in (obj.get("spec", {}).get("code"), status.get("code"), status.get("serving", {}).get("code")):
        artifact = (code or {}).get("artifact")
        if artifact:
            yield artifact["sha256"]
