"""Living beside ACK: two managers for one group of resources never run at once.

ACK's definitions bear the same names as ours. A group whose definitions lack our mark is ACK's, and its controllers
stay off unless a takeover is asked for; a takeover is refused while ACK's own controller is alive (its lease is fresh).
Groups are independent. Source: ours; ACK's leases are named `ack-{group}`.
"""

import logging
from collections.abc import Collection, Iterable
from datetime import timedelta

from lambent.clock import WallClock, parse_rfc3339, utc_now
from lambent.kube.client import KubeClient
from lambent.kube.errors import NotFound
from lambent.kube.types import GVK, KubeObject
from lambent.resources.crds import MARK
from lambent.resources.declaration import Kind
from lambent.telemetry import gauge

_log = logging.getLogger(__name__)
ACTIVE = gauge(
    "resource_group_active", "1 when our controllers manage the group, 0 when they leave it to ACK", ("group",)
)
_CRD = GVK("apiextensions.k8s.io", "v1", "CustomResourceDefinition")
_LEASE = GVK("coordination.k8s.io", "v1", "Lease")


async def kinds_of_ours(
    kube: KubeClient, kinds: Iterable[Kind], *, takeover: Collection[str] = (), now: WallClock = utc_now
) -> list[Kind]:
    """The kinds whose controllers may run on this cluster; a definition that is not there yet counts as ours."""
    found = list(kinds)
    foreign = {kind.group for kind in found if await _is_foreign(kube, kind)}
    alive = {group for group in foreign & set(takeover) if await _is_alive(kube, group, now)}
    off = (foreign - set(takeover)) | alive
    for group in sorted({kind.group for kind in found}):
        ACTIVE.labels(group).set(0 if group in off else 1)
        if group in off:
            why = "its controller is alive" if group in alive else f"ask for it with --controllers-takeover {group}"
            _log.warning("the definitions of %s are ACK's: our controllers stay off (%s)", group, why)
    return [kind for kind in found if kind.group not in off]


async def _is_foreign(kube: KubeClient, kind: Kind) -> bool:
    try:
        definition = await kube.get(_CRD, f"{kind.plural}.{kind.group}")
    except NotFound:
        return False
    return MARK not in (definition["metadata"].get("annotations") or {})


async def _is_alive(kube: KubeClient, group: str, now: WallClock) -> bool:
    """A lease of ACK's controller, in whatever namespace it runs, that has not run out."""
    name = f"ack-{group}"
    async for page in kube.list(_LEASE):
        if any(lease["metadata"]["name"] == name and _is_fresh(lease, now) for lease in page.items):
            return True
    return False


def _is_fresh(lease: KubeObject, now: WallClock) -> bool:
    spec = lease.get("spec") or {}
    if not spec.get("holderIdentity") or not spec.get("renewTime"):
        return False
    until = parse_rfc3339(spec["renewTime"]) + timedelta(seconds=float(spec.get("leaseDurationSeconds") or 15))
    return until > now()
