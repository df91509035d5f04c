"""Deletion in its three modes over random graphs of owners, and the lists that show what is left."""

import asyncio
from typing import Any, Literal
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lambent.clock import VirtualTimeLoop
from lambent.kubeserver import KubeServer
from tests.kubeserver.asking import CONFIGMAPS, CRDS, GIZMOS, Asker, configmap, gizmo, gizmo_crd

Mode = Literal["Background", "Foreground", "Orphan"]


def _gone(owners: list[set[int]], deleted: int, mode: Mode) -> set[int]:
    """A node goes with the last of its owners; orphans stay. Owners always come before what they own."""
    gone = {deleted}
    for node, above in enumerate(owners):
        if mode != "Orphan" and above and above <= gone:
            gone.add(node)
    return gone


@st.composite
def _graphs(draw: st.DrawFn) -> tuple[list[set[int]], list[bool], int, Mode]:
    size = draw(st.integers(1, 9))
    owners = [draw(st.sets(st.integers(0, node - 1), max_size=3)) if node else set() for node in range(size)]
    blocks = draw(st.lists(st.booleans(), min_size=size, max_size=size))
    mode: Any = draw(st.sampled_from(["Background", "Foreground", "Orphan"]))
    return owners, blocks, draw(st.integers(0, size - 1)), mode


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_graphs())
def test_what_is_left_of_a_graph_is_what_the_mode_says(case):
    owners, blocks, deleted, mode = case

    async def run() -> dict[int, set[int]]:
        server = KubeServer(state_dir=None)
        await server.open()
        ask = Asker(server)
        made: list[Any] = []
        for node, above in enumerate(owners):
            head = {"apiVersion": "v1", "kind": "ConfigMap", "blockOwnerDeletion": blocks[node]}
            refs = [{**head, "name": f"n{one}", "uid": made[one]["metadata"]["uid"]} for one in sorted(above)]
            made.append((await ask("POST", CONFIGMAPS, configmap(f"n{node}", ownerReferences=refs)))[1])
        await ask("DELETE", f"{CONFIGMAPS}/n{deleted}?propagationPolicy={mode}")
        await asyncio.sleep(5)
        _, found = await ask("GET", CONFIGMAPS)
        await server.shutdown()
        assert not any("deletionTimestamp" in item["metadata"] for item in found["items"])
        return {
            int(item["metadata"]["name"][1:]): {
                int(ref["name"][1:]) for ref in item["metadata"].get("ownerReferences", ())
            }
            for item in found["items"]
        }

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        gone = _gone(owners, deleted, mode)
        assert runner.run(run()) == {node: above - gone for node, above in enumerate(owners) if node not in gone}


async def test_an_owner_of_another_uid_is_no_owner(ask):
    _, owner = await ask("POST", CONFIGMAPS, configmap("a"))
    ref = {"apiVersion": "v1", "kind": "ConfigMap", "name": "a", "uid": owner["metadata"]["uid"]}
    await ask("POST", CONFIGMAPS, configmap("right", ownerReferences=[ref]))
    await ask("POST", CONFIGMAPS, configmap("wrong", ownerReferences=[{**ref, "uid": "other"}]))
    await ask.gone(f"{CONFIGMAPS}/wrong")
    await asyncio.sleep(1)
    assert (await ask("GET", f"{CONFIGMAPS}/right"))[0] == 200


async def test_a_delete_answers_what_is_gone_or_what_is_held(ask):
    await ask.add_crd(gizmo_crd())
    _, made = await ask("POST", GIZMOS, gizmo("a"))
    _, gone = await ask("DELETE", f"{GIZMOS}/a")
    details = {"name": "a", "group": "test.example.org", "kind": "gizmos", "uid": made["metadata"]["uid"]}
    assert (gone["kind"], gone["status"], gone["details"]) == ("Status", "Success", details)
    await ask("POST", GIZMOS, gizmo("a", finalizers=["example.org/hold"]))
    _, held = await ask("DELETE", f"{GIZMOS}/a")
    assert (held["kind"], "deletionTimestamp" in held["metadata"]) == ("Gizmo", True)


@pytest.mark.parametrize(
    ("path", "body"),
    [("services", {"spec": {"ports": [{"port": 80}]}}), ("serviceaccounts", {})],
)
async def test_two_kinds_answer_a_delete_with_the_object(ask, path, body):
    path = f"/api/v1/namespaces/default/{path}"
    await ask("POST", path, {"metadata": {"name": "a"}, **body})
    status, gone = await ask("DELETE", f"{path}/a")
    assert (status, gone["metadata"]["name"]) == (200, "a")
    assert (await ask("GET", f"{path}/a"))[0] == 404


async def test_a_collection_is_deleted_by_selector_and_answered_as_a_list(ask):
    for name in ("a", "b"):
        await ask("POST", CONFIGMAPS, configmap(name, labels={"l": name}))
    _, listed = await ask("DELETE", f"{CONFIGMAPS}?labelSelector=l%3Da")
    assert (listed["kind"], [item["metadata"]["name"] for item in listed["items"]]) == ("ConfigMapList", ["a"])
    _, left = await ask("GET", CONFIGMAPS)
    assert [item["metadata"]["name"] for item in left["items"]] == ["b"]


async def test_a_page_whose_history_is_gone_goes_on_with_what_is_there(ask, server):
    for number in range(5):
        await ask("POST", CONFIGMAPS, configmap(f"c{number}"))
    _, first = await ask("GET", f"{CONFIGMAPS}?limit=2")
    await ask("DELETE", f"{CONFIGMAPS}/c3")
    server._store.history.floor = server._store.counter
    status, gone = await ask("GET", f"{CONFIGMAPS}?limit=2&continue={first['metadata']['continue']}")
    assert (status, gone["reason"]) == (410, "Expired")
    _, rest = await ask("GET", f"{CONFIGMAPS}?limit=9&continue={gone['metadata']['continue']}")
    assert [item["metadata"]["name"] for item in rest["items"]] == ["c2", "c4"]
    assert rest["metadata"]["resourceVersion"] == str(server._store.counter)


async def test_a_list_at_version_0_has_no_pages(ask):
    for name in ("a", "b"):
        await ask("POST", CONFIGMAPS, configmap(name))
    _, found = await ask("GET", f"{CONFIGMAPS}?limit=1&resourceVersion=0")
    assert (len(found["items"]), found["metadata"].get("continue", "")) == (2, "")


async def test_what_remains_is_told_without_a_selector_only(ask):
    for name in ("a", "b", "c"):
        await ask("POST", CONFIGMAPS, configmap(name, labels={"l": "x"}))
    _, plain = await ask("GET", f"{CONFIGMAPS}?limit=1")
    _, chosen = await ask("GET", f"{CONFIGMAPS}?limit=1&labelSelector=l%3Dx")
    assert plain["metadata"]["remainingItemCount"] == 2
    assert "remainingItemCount" not in chosen["metadata"]
    assert chosen["metadata"]["continue"]


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        ("n=1", ["a"]), ("n==1", ["a"]), ("n!=1", ["b", "c", "d", "e"]), ("n", ["a", "b", "c", "d"]), ("!n", ["e"]),
        ("n in (1,10)", ["a", "b"]), ("n notin (1)", ["b", "c", "d", "e"]), ("n>9", ["b"]), ("n<10", ["a"]),
        ("n>0,n<5", ["a"]),
    ],
)  # fmt: skip
async def test_label_selectors(ask, selector, names):
    for name, label in (("a", "1"), ("b", "10"), ("c", "1_0"), ("d", "x"), ("e", "")):
        await ask("POST", CONFIGMAPS, configmap(name, labels={"n": label} if label else {}))
    _, found = await ask("GET", f"{CONFIGMAPS}?labelSelector={quote(selector)}")
    assert [item["metadata"]["name"] for item in found["items"]] == names


async def test_objects_of_a_definition_go_with_it_through_their_finalizers(ask):
    await ask.add_crd(gizmo_crd())
    await ask("POST", GIZMOS, gizmo("held", finalizers=["example.org/hold"]))
    await ask("DELETE", f"{CRDS}/gizmos.test.example.org")
    await asyncio.sleep(1)
    assert "deletionTimestamp" in (await ask("GET", f"{GIZMOS}/held"))[1]["metadata"]
