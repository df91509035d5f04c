"""Informers: one watch for all who ask, a cache that follows the server through every way a watch can end."""

import asyncio
import copy
import random
import tracemalloc
from contextlib import asynccontextmanager

import orjson
import pytest

from lambent.errors import UsageError
from lambent.kube.cache import ObjectCache, PackedCache
from lambent.kube.errors import Forbidden, ServerError, Unreachable
from lambent.kube.fake import FakeKube
from lambent.kube.index import by_owner
from lambent.kube.informer import InformerHub
from lambent.kube.reflector import Reflector, Sink
from lambent.kube.types import GVK, Key, Selector, WatchOptions
from lambent.telemetry import REGISTRY
from tests.kube.client_claims import WIDGET, WIDGETS, widget

GIZMO = GVK("example.org", "v1", "Gizmo")
CONFIG = GVK("", "v1", "ConfigMap")
CRD = GVK("apiextensions.k8s.io", "v1", "CustomResourceDefinition")


@asynccontextmanager
async def following(kube, gvk=GIZMO, **options):
    """(informer, log of changes as "+a", "~a", "-a")."""
    log: list[str] = []

    def note(old, new):
        sign = "+" if old is None else "-" if new is None else "~"
        log.append(sign + (new or old)["metadata"]["name"])

    async with InformerHub(kube, guard=True) as hub, hub.use(gvk, **options) as informer:
        async with asyncio.timeout(600):
            await informer.settled.wait()
        informer.on_change(note)
        yield informer, log


def restarts(why, kind="Gizmo"):
    return REGISTRY.get_sample_value("lambent_informer_restarts_total", {"kind": kind, "why": why}) or 0.0


def lists(kube, gvk=GIZMO):
    return sum(call.verb == "list" and call.gvk == gvk for call in kube.calls)


def watches(kube, gvk=GIZMO):
    return sum(call.verb == "watch" and call.gvk == gvk for call in kube.calls)


async def test_the_cache_follows_each_change(kube, gizmo):
    kube.put(gizmo("a"))
    async with following(kube) as (informer, log):
        await kube.create(gizmo("b", spec={"n": 1}))
        await kube.patch(GIZMO, "b", {"spec": {"n": 2}}, namespace="default")
        await kube.delete(GIZMO, "a", namespace="default")
        await asyncio.sleep(1)
        assert log == ["+a", "+b", "~b", "-a"]
        assert informer.get(Key("default", "b"))["spec"] == {"n": 2}
        assert informer.get(Key("default", "a")) is None


async def test_nothing_cached_or_told_has_managed_fields(kube, gizmo):
    for name in ("a", "b"):
        kube.put(gizmo(name, metadata={"managedFields": [{"manager": "me", "operation": "Update"}]}))
    told: list = []
    async with following(kube) as (informer, _):
        informer.on_change(lambda old, new: told.extend((old, new)))
        await kube.patch(GIZMO, "b", {"spec": {"n": 2}}, namespace="default")
        await asyncio.sleep(1)
        told += informer.list()
    assert [obj["metadata"]["name"] for obj in told if obj] == ["a", "b", "b", "b", "a", "b"]
    assert not any("managedFields" in obj["metadata"] for obj in told if obj)
    assert (await kube.get(GIZMO, "b", namespace="default"))["metadata"]["managedFields"]


async def test_users_of_the_same_arguments_share_one_watch(kube):
    async with InformerHub(kube) as hub:
        async with hub.use(GIZMO) as one, hub.use(GIZMO) as two, hub.use(GIZMO, "other") as third:
            await asyncio.gather(one.synced.wait(), third.synced.wait())
            await asyncio.sleep(1)
            assert one is two
            assert one is not third
        assert watches(kube) == 2


async def test_the_last_release_stops_the_watch_thirty_seconds_later(kube):
    async with InformerHub(kube) as hub:
        async with hub.use(GIZMO) as first:
            await first.synced.wait()
        await asyncio.sleep(29)
        async with hub.use(GIZMO) as again:
            assert again is first
        await asyncio.sleep(29)
        assert first in hub.informers()
        await asyncio.sleep(2)
        assert first not in hub.informers()
        async with hub.use(GIZMO) as fresh:
            await fresh.synced.wait()
        assert lists(kube) == 2


async def test_a_normal_end_watches_on_without_a_list(kube, gizmo):
    async with following(kube) as (_, log):
        await asyncio.sleep(200)
        await kube.create(gizmo("a"))
        await asyncio.sleep(1)
        assert log == ["+a"]
    assert lists(kube) == 1
    assert watches(kube) >= 4


async def test_a_silent_peer_is_noticed_within_a_minute(kube, gizmo):
    """Ten seconds beyond the limit that was asked of the server, not earlier."""
    before = restarts("Stalled")
    async with following(kube) as (_, log):
        await asyncio.sleep(1)
        kube.stall_watches()
        await kube.create(gizmo("a"))
        await asyncio.sleep(53.9)
        assert (log, restarts("Stalled") - before) == ([], 0)
        await asyncio.sleep(0.2)
        assert (log, restarts("Stalled") - before) == (["+a"], 1)
    assert lists(kube) == 2


async def test_a_watch_begins_where_its_list_ended(gizmo):
    asked: list[WatchOptions] = []

    class Looking(FakeKube):
        def watch(self, gvk, *, namespace=None, options=None):
            asked.append(options)
            return super().watch(gvk, namespace=namespace, options=options)

    kube = Looking()
    kube.register(GIZMO, "gizmos")
    kube.put(gizmo("a"))
    async with following(kube):
        await asyncio.sleep(100)
    assert len(asked) >= 2
    assert {(one.resource_version, one.timeout_s, one.bookmarks) for one in asked} == {(str(kube.revision), 45, True)}


async def test_errors_are_backed_off_from_under_a_second_to_half_a_minute():
    reflector = Reflector(FakeKube(), GIZMO, Sink(lambda items: None, lambda event: None, lambda state: None))
    for bound_s in (0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30, 30, 30):
        failures = reflector._failures
        delays = []
        for _ in range(200):
            reflector._failures = failures
            delays.append(reflector._backoff_s())
        assert 0 <= min(delays) < bound_s / 2 < max(delays) <= bound_s


async def test_metrics_of_a_kind_begin_at_zero_and_follow_its_cache(kube, gizmo):
    kind = GVK("metered.example.org", "v1", "Meter")
    kube.register(kind, "meters")

    def value(name, **labels):
        return REGISTRY.get_sample_value(f"lambent_informer_{name}", {"kind": "Meter", **labels})

    async with InformerHub(kube) as hub, hub.use(kind) as informer:
        whys = ("Gone", "Stalled", "NotFound", "Forbidden", "Unauthorized", "Throttled", "ServerError", "Unreachable")
        assert {value("restarts_total", why=why) for why in whys} == {0}
        assert (value("objects"), value("age_seconds")) == (0, 0)
        await informer.synced.wait()
        kube.put(gizmo("a", gvk=kind))
        await asyncio.sleep(7)
        assert value("objects") == 1
        assert 0 < value("age_seconds") <= 7
        kube.compact()
        kube.cut_watches()
        kube.fail("watch", kind, Forbidden("no"))
        await asyncio.sleep(1)
        assert value("restarts_total", why="Forbidden") == 1
    assert value("objects") == 0


async def test_gone_lists_again_and_tells_what_vanished_meanwhile(kube, gizmo):
    kube.put(gizmo("a", spec={"n": 1}))
    kube.put(gizmo("b"))
    async with following(kube) as (informer, log):
        kube.fail("watch", GIZMO, Unreachable("cut"), times=3)
        kube.cut_watches()
        await kube.delete(GIZMO, "a", namespace="default")
        await kube.create(gizmo("c"))
        kube.compact()
        assert informer.get(Key("default", "a")) is not None
        await asyncio.sleep(60)
        assert sorted(log) == ["+a", "+b", "+c", "-a"]


@pytest.mark.parametrize(
    "error",
    [Unreachable("x"), ServerError("x", code=500), UsageError("exec plug-in failed")],
    ids=["unreachable", "500", "no credentials"],
)
async def test_errors_are_backed_off_and_the_cache_keeps_serving(kube, gizmo, error, caplog):
    kube.put(gizmo("a"))
    async with following(kube) as (informer, log):
        kube.fail(None, GIZMO, error, times=8)
        kube.cut_watches()
        await asyncio.sleep(200)
        kube.put(gizmo("b"))
        await asyncio.sleep(1)
        assert log == ["+a", "+b"]
        assert len(informer) == 2
    assert "unforeseen" not in caplog.text


async def test_a_forbidden_kind_is_tried_each_minute(kube, gizmo, caplog):
    before = restarts("Forbidden")
    kube.fail("list", GIZMO, Forbidden("no"), times=2)
    kube.put(gizmo("a"))
    async with following(kube) as (informer, log):
        assert informer.state == "forbidden"
        assert not informer.synced.is_set()
        await asyncio.sleep(119)
        assert (lists(kube), restarts("Forbidden") - before) == (2, 2)
        await asyncio.sleep(2)
        assert log == ["+a"]
    assert "watch is forbidden" in caplog.text


async def test_a_kind_without_its_crd_waits_and_starts_when_it_appears():
    kube = FakeKube()
    async with following(kube, WIDGET) as (informer, log):
        assert informer.state == "waiting"
        await asyncio.sleep(100)
        started = asyncio.get_running_loop().time()
        await kube.create(WIDGETS)
        await kube.create(widget("default"))
        await informer.synced.wait()
        await asyncio.sleep(1)
        assert asyncio.get_running_loop().time() - started < 2
        assert log == ["+a"]


async def test_definitions_are_watched_as_soon_as_a_custom_kind_is(kube):
    """Once, by their metadata, and not for kinds that are Kubernetes' own."""
    async with InformerHub(kube) as hub:
        async with hub.use(CONFIG, "default") as informer:
            await informer.synced.wait()
            assert lists(kube, CRD) == 0
        async with hub.use(GIZMO) as one, hub.use(GVK("example.org", "v1", "Part")) as two:
            await asyncio.gather(one.synced.wait(), two.synced.wait())
            await asyncio.sleep(100)
        assert lists(kube, CRD) == 1
        assert {one.selector.form for one in hub.informers() if one.gvk == CRD} == {"metadata"}


async def test_a_kind_whose_crd_goes_loses_its_objects_and_may_come_back():
    kube = FakeKube(objects=[WIDGETS])
    kube.put(widget("default"))
    async with following(kube, WIDGET) as (informer, log):
        await asyncio.sleep(1)
        await kube.delete(GVK.of(WIDGETS), "widgets.kit.example.org")
        kube.cut_watches()
        await asyncio.sleep(1)
        assert (informer.state, log) == ("waiting", ["+a", "-a"])
        await kube.create(WIDGETS)
        await asyncio.sleep(1)
        assert informer.state == "watching"


async def test_an_event_with_the_cached_revision_calls_nobody(kube, gizmo):
    kube.put(gizmo("a"))
    async with following(kube) as (_, log):
        kube.fail("watch", GIZMO, Unreachable("x"))
        kube.cut_watches()
        await asyncio.sleep(60)
        assert lists(kube) == 2
        assert log == ["+a"]


async def test_indexes_follow_the_cache(kube, gizmo):
    kube.put(gizmo("a", metadata={"ownerReferences": [{"apiVersion": "v1", "kind": "X", "name": "x", "uid": "u1"}]}))
    async with following(kube) as (informer, _):
        informer.add_index("owner", by_owner)
        assert [Key.of(obj).name for obj in informer.by_index("owner", "u1")] == ["a"]
        await kube.patch(GIZMO, "a", {"metadata": {"ownerReferences": None}}, namespace="default")
        await asyncio.sleep(1)
        assert informer.by_index("owner", "u1") == []


async def test_a_selector_narrows_what_is_cached(kube, gizmo):
    kube.put(gizmo("a", metadata={"labels": {"t": "x"}}))
    kube.put(gizmo("b", metadata={"labels": {"t": "y"}}))
    async with following(kube, selector=Selector("t=x")) as (informer, log):
        await kube.patch(GIZMO, "a", {"metadata": {"labels": {"t": "y"}}}, namespace="default")
        await asyncio.sleep(1)
        assert log == ["+a", "-a"]
    async with following(kube) as (informer, _):
        assert len(informer.list("default", labels="t=y")) == 2
        assert informer.list("other") == []


async def test_a_handler_that_fails_stops_nobody(kube, gizmo, caplog):
    async with following(kube) as (informer, log):
        informer.on_change(lambda old, new: 1 / 0)
        await kube.create(gizmo("a"))
        await kube.create(gizmo("b"))
        await asyncio.sleep(1)
        assert log == ["+a", "+b"]
    assert "a change handler failed" in caplog.text


async def test_a_handler_that_is_taken_off_hears_no_more(kube, gizmo):
    heard = []
    async with following(kube) as (informer, _):
        remove = informer.on_change(lambda old, new: heard.append(new))
        remove()
        await kube.create(gizmo("a"))
        await asyncio.sleep(1)
    assert heard == []


async def test_a_guarded_cache_refuses_writes_and_gives_copies(kube, gizmo):
    kube.put(gizmo("a", spec={"list": [1]}))
    async with following(kube) as (informer, _):
        obj = informer.get(Key("default", "a"))
        with pytest.raises(TypeError):
            obj["spec"]["list"].append(2)
        with pytest.raises(TypeError):
            obj["spec"]["n"] = 1
        copy.deepcopy(obj)["spec"]["list"].append(2)


@pytest.mark.parametrize("gvk", [CONFIG, GVK("", "v1", "Secret")], ids=lambda gvk: gvk.kind)
async def test_secrets_are_never_watched_cluster_wide(kube, gvk):
    kube.register(GVK("", "v1", "Secret"), "secrets")
    one = Selector(fields="metadata.name=a")
    async with InformerHub(kube) as hub, hub.use(gvk, "default") as whole, hub.use(gvk, "default", one) as named:
        for selector in (Selector(), Selector("app=x"), Selector(fields="type=x"), Selector(form="metadata")):
            with pytest.raises(ValueError, match="by namespace or name only"):
                async with hub.use(gvk, None, selector):
                    pass
        await asyncio.gather(whole.synced.wait(), named.synced.wait())
    assert {call.namespace for call in kube.calls} == {"default"}


async def test_readiness_needs_a_sync_and_a_recent_word(kube):
    async with InformerHub(kube) as hub, hub.use(GIZMO) as informer:
        assert not hub.is_ready()
        await informer.synced.wait()
        await asyncio.sleep(300)
        assert hub.is_ready()
        kube.fail(None, GIZMO, Unreachable("x"), times=10_000)
        kube.cut_watches()
        await asyncio.sleep(61)
        assert not hub.is_ready()


async def test_closing_the_hub_ends_every_task(kube):
    hub = InformerHub(kube)
    async with hub.use(GIZMO) as informer:
        await informer.synced.wait()
        await hub.close()
        assert len(asyncio.all_tasks()) == 1


@pytest.mark.parametrize("seed", range(10))
async def test_under_chaos_cache_and_handlers_converge_to_the_server(kube, gizmo, seed):
    kube.chaos(seed, 0.3)
    rng = random.Random(seed)
    seen: dict[Key, str] = {}

    def note(old, new):
        obj = new or old
        if new is None:
            del seen[Key.of(obj)]
        else:
            seen[Key.of(obj)] = obj["metadata"]["resourceVersion"]

    async with InformerHub(kube) as hub, hub.use(GIZMO) as informer:
        informer.on_change(note)
        for number in range(80):
            name = f"g{rng.randrange(6)}"
            if rng.random() < 0.3 and kube.peek(GIZMO, name):
                kube.terminate(GIZMO, name)
            else:
                kube.put(gizmo(name, spec={"n": number}))
            disturb = rng.choice([kube.compact, kube.cut_watches, kube.stall_watches, lambda: None, lambda: None])
            disturb()
            await asyncio.sleep(rng.uniform(0, 20))
        kube.faults.clear()
        await asyncio.sleep(120)
        truth = {Key.of(obj): obj["metadata"]["resourceVersion"] for obj in kube.peek_all(GIZMO)}
        assert {Key.of(obj): obj["metadata"]["resourceVersion"] for obj in informer.list()} == truth
        assert seen == truth


async def test_a_defect_of_the_client_does_not_end_the_watch(kube, gizmo, caplog):
    kube.fail("list", GIZMO, KeyError("resourceVersion"), times=2)
    kube.put(gizmo("a"))
    async with InformerHub(kube) as hub, hub.use(GIZMO) as informer:
        await informer.synced.wait()
        assert len(informer) == 1
    assert "watch failed unforeseen" in caplog.text


async def test_a_packed_cache_follows_the_same_and_gives_each_reader_its_own(kube, gizmo):
    kube.put(gizmo("a", metadata={"labels": {"t": "x"}}, spec={"list": [1]}))
    async with following(kube, packed=True) as (informer, log):
        informer.add_index("label", lambda obj: (obj["metadata"].get("labels") or {}).values())
        informer.get(Key("default", "a"))["spec"]["list"].append(2)
        assert informer.get(Key("default", "a"))["spec"]["list"] == [1]
        await kube.patch(GIZMO, "a", {"metadata": {"labels": {"t": "y"}}}, namespace="default")
        await kube.create(gizmo("b"))
        await kube.delete(GIZMO, "b", namespace="default")
        await asyncio.sleep(1)
        assert log == ["+a", "~a", "+b", "-b"]
        assert [Key.of(obj).name for obj in informer.by_index("label", "y")] == ["a"]
        assert [Key.of(obj).name for obj in informer.list(labels="t=y")] == ["a"]
        assert informer.list(labels="t=x") == informer.by_index("label", "x") == []


def test_a_packed_object_takes_a_fifth_of_a_dict(gizmo):
    sizes = []
    for cache in (ObjectCache(), PackedCache()):
        tracemalloc.start()
        for number in range(200):
            nested = {f"m{i}": {"x": i, "list": [{"k": i, "v": str(number)}] * 6} for i in range(12)}
            obj = orjson.loads(orjson.dumps(gizmo(f"g{number}", spec=nested)))
            cache.put(Key.of(obj), obj)
        sizes.append(tracemalloc.get_traced_memory()[0])
        tracemalloc.stop()
    assert sizes[1] < sizes[0] / 5
