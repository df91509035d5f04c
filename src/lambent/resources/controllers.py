"""The controllers of the kinds: engines wired to informers, references and each other.

A change of a referenced object wakes those who refer to it; the disappearance or change of any resource wakes the
deletions that were blocked, so that a namespace full of resources goes in any order. Where the objects are shared with
other controllers, the watches tell of what theirs have written.
"""

from collections.abc import Iterable, Sequence

from lambent.clock import WallClock, utc_now
from lambent.kube.client import KubeClient
from lambent.kube.controller import Controller, KeyMapper, Selects
from lambent.kube.informer import InformerHub
from lambent.kube.types import GVK, Key, KubeObject
from lambent.resources.declaration import Kind
from lambent.resources.engine import NAMESPACE, Engine
from lambent.resources.kinds import TIER_1
from lambent.resources.port import AwsPort, Clients
from lambent.resources.settings import ResourceSettings

_BEYOND_OUR_RESYNC_S = 36_000.0  # each object has its own jittered resync timer; the runner's is only a net


def controllers(
    kube: KubeClient,
    hub: InformerHub,
    clients: Clients,
    settings: ResourceSettings,
    *,
    kinds: Sequence[Kind] = TIER_1,
    selects: Selects | None = None,
    now: WallClock = utc_now,
) -> list[Controller]:
    """One controller for each kind, not started. `selects` tells the objects that are theirs, None: all."""
    port = AwsPort(clients)
    engines = [Engine(kind, kube, port, settings, now=now) for kind in kinds]
    served = frozenset(kind.gvk for kind in kinds)
    built = [_controller(engine, hub, served=served, selects=selects) for engine in engines]

    def wake_blocked() -> None:
        for engine, controller in zip(engines, built, strict=True):
            for key in tuple(engine.blocked):
                engine.poke(key)
                controller.queue.add(key)

    for engine in engines:
        engine.on_release = wake_blocked
    return built


def _controller(engine: Engine, hub: InformerHub, *, served: frozenset[GVK], selects: Selects | None) -> Controller:
    kind = engine.kind
    controller = Controller(
        f"{kind.service}-{kind.kind.lower()}",
        engine.reconcile,
        hub=hub,
        kind=kind.gvk,
        concurrency=engine.settings.concurrency,
        resync_s=_BEYOND_OUR_RESYNC_S,
        selects=selects,
    )
    controller.maps(NAMESPACE, _nobody)
    for gvk in dict.fromkeys(ref.target for ref in kind.refs if ref.target in served):
        controller.maps(gvk, _referrers(engine, gvk))
    if selects is not None:
        for gvk in sorted(served):
            controller.maps(gvk, _blocked(engine))
    return controller


def _referrers(engine: Engine, gvk: GVK) -> KeyMapper:
    def keys(obj: KubeObject) -> Iterable[Key]:
        found = engine.referrers.of(gvk, Key.of(obj))
        for key in found:
            engine.poke(key)
        return found

    return keys


def _blocked(engine: Engine) -> KeyMapper:
    def keys(obj: KubeObject) -> Iterable[Key]:
        found = tuple(engine.blocked)
        for key in found:
            engine.poke(key)
        return found

    return keys


def _nobody(obj: KubeObject) -> Iterable[Key]:
    """Namespaces are watched for their annotations, read at the next pass."""
    return ()
