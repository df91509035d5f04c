"""Watches from any point, lists in pages of one version, and what happens at the edges of history."""

import asyncio
from typing import Any

import orjson

from tests.kubeserver.asking import CONFIGMAPS, CRDS, GIZMOS, Asker, configmap, gizmo_crd


def _names(found):
    return [item["metadata"]["name"] for item in found["items"]]


async def test_pages_show_one_version_while_the_list_changes(ask):
    for number in range(5):
        await ask("POST", CONFIGMAPS, configmap(f"c{number}"))
    _, first = await ask("GET", f"{CONFIGMAPS}?limit=2")
    await ask("DELETE", f"{CONFIGMAPS}/c3")
    await ask("POST", CONFIGMAPS, configmap("c2a"))
    _, second = await ask("GET", f"{CONFIGMAPS}?limit=9&continue={first['metadata']['continue']}")
    assert _names(first) + _names(second) == ["c0", "c1", "c2", "c3", "c4"]
    assert first["metadata"]["remainingItemCount"] == 3
    assert second["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]


async def test_a_forged_continue_token_is_refused(ask):
    await ask("POST", CONFIGMAPS, configmap("a"))
    await ask("POST", CONFIGMAPS, configmap("b"))
    _, page = await ask("GET", f"{CONFIGMAPS}?limit=1")
    token = page["metadata"]["continue"]
    assert (await ask("GET", f"{CONFIGMAPS}?limit=1&continue={token[:-6]}AAAAAA"))[0] == 400
    assert (await ask("GET", f"{CONFIGMAPS}?limit=1&resourceVersion=3&continue={token}"))[0] == 400


async def test_objects_come_in_the_order_of_bytes_of_namespace_and_name(ask):
    for namespace in ("a", "a-b"):
        await ask("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}})
        await ask("POST", f"/api/v1/namespaces/{namespace}/configmaps", configmap("x"))
    _, found = await ask("GET", "/api/v1/configmaps")
    assert [item["metadata"]["namespace"] for item in found["items"]] == ["a-b", "a"]


async def test_a_version_of_the_future_is_a_timeout_for_a_read(ask):
    status, answer = await ask("GET", f"{CONFIGMAPS}?resourceVersion=999999")
    assert status == 504
    assert answer["message"].startswith("Timeout: Too large resource version: 999999, current: ")
    assert ask.headers["retry-after"] == ["1"]


async def test_a_watch_from_before_history_is_told_it_expired(ask, server):
    await ask("POST", CONFIGMAPS, configmap("a"))
    server._store.history.floor = 2
    (event,) = await ask.events(f"{CONFIGMAPS}?watch=1&resourceVersion=1&timeoutSeconds=1")
    assert (event["type"], event["object"]["code"], event["object"]["reason"]) == ("ERROR", 410, "Expired")
    assert event["object"]["message"] == "too old resource version: 1 (2)"


async def test_initial_events_end_with_a_marked_bookmark(ask):
    await ask("POST", CONFIGMAPS, configmap("a"))
    query = "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&timeoutSeconds=1"
    added, mark = await ask.events(f"{CONFIGMAPS}?{query}")
    assert (added["type"], added["object"]["metadata"]["name"]) == ("ADDED", "a")
    assert mark["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
    assert (await ask("GET", f"{CONFIGMAPS}?watch=1&sendInitialEvents=true"))[0] == 422
    assert (await ask("GET", f"{CONFIGMAPS}?sendInitialEvents=true"))[0] == 422


async def test_a_live_watch_sees_each_change_once_and_in_order(ask, server):
    _, stream = await ask("GET", f"{CONFIGMAPS}?watch=1&timeoutSeconds=30")
    writer = Asker(server)
    assert await anext(stream) == b""
    async with asyncio.TaskGroup() as group:
        for number in range(20):
            group.create_task(writer("POST", CONFIGMAPS, configmap(f"c{number}")))
    seen: list[Any] = []
    while len(seen) < 20:
        seen += [orjson.loads(line) for line in (await anext(stream)).splitlines()]
    await stream.aclose()
    versions = [int(event["object"]["metadata"]["resourceVersion"]) for event in seen]
    assert versions == sorted(set(versions))


async def test_a_watcher_that_falls_behind_is_cut_off_and_never_delays_a_write(ask, server, monkeypatch):
    monkeypatch.setattr("lambent.kubeserver.reads.channels.BACKLOG_COUNT", 5)
    _, stream = await ask("GET", f"{CONFIGMAPS}?watch=1&timeoutSeconds=30")
    await anext(stream)
    writer = Asker(server)
    for number in range(10):
        assert (await writer("POST", CONFIGMAPS, configmap(f"c{number}")))[0] == 201
    line = orjson.loads(await anext(stream))
    assert (line["type"], line["object"]["code"]) == ("ERROR", 410)
    await stream.aclose()


async def test_a_watch_that_begins_while_changes_wait_to_be_handed_out_shows_each_once(ask, server, monkeypatch):
    monkeypatch.setattr("lambent.kubeserver.reads.channels.FEW_WATCHERS", 0)
    monkeypatch.setattr("lambent.kubeserver.reads.channels.PAUSE_PER_WATCHER_S", 0.05)
    _, early = await ask("GET", f"{CONFIGMAPS}?watch=1&timeoutSeconds=30")
    await anext(early)
    writer = Asker(server)
    for number in range(3):
        _, made = await writer("POST", CONFIGMAPS, configmap(f"c{number}"))
    rv = int(made["metadata"]["resourceVersion"])
    late = [
        asyncio.create_task(ask.events(f"{CONFIGMAPS}?watch=1&timeoutSeconds=1&{query}"))
        for query in ("", f"resourceVersion={rv - 1}", f"resourceVersion={rv}")
    ]
    assert [len(await one) for one in late] == [3, 1, 0]
    shown = 0
    while shown < 3:
        shown += len((await anext(early)).splitlines())
    assert shown == 3
    await early.aclose()


async def test_a_read_after_a_write_sees_it_and_a_watch_from_it_does_not_repeat_it(ask):
    _, made = await ask("POST", CONFIGMAPS, configmap("a"))
    assert (await ask("GET", f"{CONFIGMAPS}/a"))[1] == made
    rv = made["metadata"]["resourceVersion"]
    assert await ask.events(f"{CONFIGMAPS}?watch=1&resourceVersion={rv}&timeoutSeconds=1") == []


async def test_a_watch_ends_when_its_kind_is_gone(ask):

    await ask.add_crd(gizmo_crd())
    _, stream = await ask("GET", f"{GIZMOS}?watch=1&timeoutSeconds=30")
    await anext(stream)
    await ask("DELETE", f"{CRDS}/gizmos.test.example.org")
    assert [chunk async for chunk in stream] == []


async def test_a_bookmark_never_runs_ahead_of_what_was_shown(ask, server):
    _, stream = await ask("GET", f"{CONFIGMAPS}?watch=1&allowWatchBookmarks=true&timeoutSeconds=30")
    writer = Asker(server)
    shown = 0
    async for chunk in stream:
        for line in chunk.splitlines():
            event = orjson.loads(line)
            version = int(event["object"]["metadata"]["resourceVersion"])
            if event["type"] == "BOOKMARK":
                assert version >= shown
                marked = version
            else:
                assert version > shown
                shown = version
        # Written while the watch is between two chunks: shown later, so no bookmark may cover it yet.
        _, made = await writer("POST", CONFIGMAPS, {"metadata": {"generateName": "n-"}})
        if b"BOOKMARK" in chunk:
            assert int(made["metadata"]["resourceVersion"]) > marked
        if shown > 40:
            break
    await stream.aclose()
