"""How far back a watch may begin, what it is told first, and the bookmarks in between."""

import asyncio
from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from lambent.kubeserver.storage.history import KEEP_BYTES, KEEP_COUNT, KEEP_S, History
from tests.kubeserver.asking import CONFIGMAPS, MERGE, Asker, configmap


def _told(events: list[Any]) -> list[tuple[str, str]]:
    return [(event["type"], event["object"]["metadata"].get("name", "")) for event in events]


def _version(event: Any) -> int:
    return int(event["object"]["metadata"]["resourceVersion"])


@pytest.mark.parametrize("start", ["", "&resourceVersion=0"])
@pytest.mark.parametrize("bookmarks", [False, True])
async def test_without_a_version_the_present_state_comes_first(ask, start, bookmarks):
    for name in ("a", "b"):
        await ask("POST", CONFIGMAPS, configmap(name))
    events = await ask.events(f"{CONFIGMAPS}?watch=1&timeoutSeconds=1{start}{'&allowWatchBookmarks=true' * bookmarks}")
    assert _told(events) == [("ADDED", "a"), ("ADDED", "b"), *[("BOOKMARK", "")] * bookmarks]
    if bookmarks:
        assert events[-1]["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}


async def test_initial_events_without_bookmarks_have_no_end_mark(ask):
    await ask("POST", CONFIGMAPS, configmap("a"))
    query = "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&timeoutSeconds=1"
    assert _told(await ask.events(f"{CONFIGMAPS}?{query}")) == [("ADDED", "a")]


async def test_initial_events_of_a_version_of_the_future_are_a_timeout(ask):
    query = "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&resourceVersion=99999&timeoutSeconds=9"
    (event,) = await ask.events(f"{CONFIGMAPS}?{query}")
    assert (event["type"], event["object"]["code"], event["object"]["reason"]) == ("ERROR", 504, "Timeout")
    assert event["object"]["message"].startswith("Timeout: Too large resource version: 99999, current: ")


@pytest.mark.parametrize("path", [CONFIGMAPS, f"{CONFIGMAPS}/a"], ids=["list", "get"])
async def test_a_read_waits_three_seconds_for_a_version_of_the_future(ask, server, path):
    loop = asyncio.get_running_loop()
    _, made = await ask("POST", CONFIGMAPS, configmap("a"))
    began, wanted = loop.time(), int(made["metadata"]["resourceVersion"]) + 1
    assert (await ask("GET", f"{path}?resourceVersion={wanted}"))[0] == 504
    assert 3 <= loop.time() - began < 3.2
    reading = asyncio.create_task(ask("GET", f"{path}?resourceVersion={wanted}"))
    await asyncio.sleep(2)
    await Asker(server)("POST", CONFIGMAPS, configmap("b"))
    assert (await reading)[0] == 200


async def test_a_watch_from_the_future_shows_what_comes_after_that(ask, server):
    _, made = await ask("POST", CONFIGMAPS, configmap("a"))
    start = int(made["metadata"]["resourceVersion"]) + 2
    watching = asyncio.create_task(ask.events(f"{CONFIGMAPS}?watch=1&resourceVersion={start}&timeoutSeconds=9"))
    await asyncio.sleep(1)
    for name in ("b", "c", "d", "e"):
        await Asker(server)("POST", CONFIGMAPS, configmap(name))
    assert _told(await watching) == [("ADDED", "d"), ("ADDED", "e")]


async def test_bookmarks_come_each_ten_seconds_and_before_a_timed_close(ask, server):
    loop = asyncio.get_running_loop()
    _, made = await ask("POST", CONFIGMAPS, configmap("a"))
    rv, began, times = int(made["metadata"]["resourceVersion"]), loop.time(), []
    _, stream = await ask(
        "GET", f"{CONFIGMAPS}?watch=1&allowWatchBookmarks=true&resourceVersion={rv}&timeoutSeconds=25"
    )
    async for chunk in stream:
        for line in chunk.splitlines():
            event = orjson.loads(line)
            assert (event["type"], _version(event)) == ("BOOKMARK", rv)
            times.append(round(loop.time() - began))
    assert times == [10, 20, 25]


async def test_who_asks_for_no_bookmarks_gets_none(ask):
    _, made = await ask("POST", CONFIGMAPS, configmap("a"))
    rv = made["metadata"]["resourceVersion"]
    assert await ask.events(f"{CONFIGMAPS}?watch=1&resourceVersion={rv}&timeoutSeconds=25") == []


async def test_a_watch_without_a_limit_ends_between_half_an_hour_and_an_hour(ask):
    loop, lengths = asyncio.get_running_loop(), set()
    for _ in range(10):
        began = loop.time()
        await ask.events(f"{CONFIGMAPS}?watch=1")
        lengths.add(loop.time() - began)
    assert len(lengths) > 1
    assert all(1_800 <= length <= 3_601 for length in lengths)


async def test_a_selector_is_held_against_the_old_and_the_new_state(ask):
    _, made = await ask("POST", CONFIGMAPS, configmap("a", {"x": "1"}, labels={"l": "1"}))
    rv, versions = int(made["metadata"]["resourceVersion"]), []
    for label in ("1", "2", "2", "1"):
        _, now = await ask(
            "PATCH", f"{CONFIGMAPS}/a", {"metadata": {"labels": {"l": label}}, "data": {"x": f"x{label}"}}, media=MERGE
        )
        versions.append(int(now["metadata"]["resourceVersion"]))
    await ask("DELETE", f"{CONFIGMAPS}/a")
    path = f"{CONFIGMAPS}?watch=1&resourceVersion={rv}&timeoutSeconds=1&labelSelector=l%3D1"
    events = await ask.events(path)
    assert [event["type"] for event in events] == ["MODIFIED", "DELETED", "ADDED", "DELETED"]
    left = events[1]["object"]  # the state before, under the version of the change
    assert (left["metadata"]["labels"], left["data"], _version(events[1])) == ({"l": "1"}, {"x": "x1"}, versions[1])
    assert _version(events[3]) == versions[3] + 1


async def test_a_deletion_shows_the_last_state_under_its_own_version(ask):
    _, made = await ask("POST", CONFIGMAPS, configmap("a", {"x": "1"}))
    rv = int(made["metadata"]["resourceVersion"])
    await ask("DELETE", f"{CONFIGMAPS}/a")
    (gone,) = await ask.events(f"{CONFIGMAPS}?watch=1&resourceVersion={rv}&timeoutSeconds=1")
    assert (gone["type"], gone["object"]["data"], _version(gone)) == ("DELETED", {"x": "1"}, rv + 1)


async def test_a_watcher_16_mebibytes_behind_is_cut_off(ask, server):
    _, stream = await ask("GET", f"{CONFIGMAPS}?watch=1&timeoutSeconds=30")
    await anext(stream)
    for number in range(18):
        body = configmap("big", {"x": "y" * 1_000_000, "n": str(number)})
        assert (await Asker(server)("PUT" if number else "POST", f"{CONFIGMAPS}{'/big' if number else ''}", body))[
            0
        ] < 300
    line = orjson.loads(await anext(stream))
    assert (line["type"], line["object"]["code"], line["object"]["reason"]) == ("ERROR", 410, "Expired")
    assert [chunk async for chunk in stream] == []


def _change(rv: int, size: int = 1) -> Any:
    return SimpleNamespace(rv=rv, bucket="b", record=SimpleNamespace(body=range(size)), at_s=0.0)


def _kept(changes: list[tuple[float, int]]) -> int:
    kept = History()
    for rv, (at, size) in enumerate(changes, 1):
        kept.add(_change(rv, size), at)
    assert kept.floor == len(changes) - len(kept.since("b", 0))
    return len(kept.since("b", 0))


def test_history_reaches_back_by_number_or_time_whichever_is_more():
    assert (KEEP_S, KEEP_COUNT, KEEP_BYTES) == (300, 20_000, 64 * 1024 * 1024)
    assert _kept([(float(n), 1) for n in range(KEEP_COUNT + 50)]) == KEEP_COUNT
    assert _kept([(0.0, 1)] * (KEEP_COUNT + 50)) == KEEP_COUNT + 50
    assert _kept([(0.0, 1)] * 50 + [(KEEP_S + 1, 1)] * KEEP_COUNT) == KEEP_COUNT


def test_history_never_takes_more_than_its_bytes():
    assert _kept([(0.0, KEEP_BYTES // 4)] * 9) == 4
