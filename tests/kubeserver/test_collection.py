"""Garbage collection in its three modes, namespaces that end, events that expire; a model for random graphs."""

import asyncio

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lambent.clock import VirtualTimeLoop
from lambent.kubeserver import KubeServer
from tests.kubeserver.asking import CONFIGMAPS, GIZMOS, MERGE, Asker, configmap, gizmo, gizmo_crd

NAMESPACES = "/api/v1/namespaces"


def _owned(name, *owners, **flags):
    refs = [
        {"apiVersion": "v1", "kind": "ConfigMap", "name": o["metadata"]["name"], "uid": o["metadata"]["uid"], **flags}
        for o in owners
    ]
    return configmap(name, ownerReferences=refs)


async def _made(ask, body):
    status, made = await ask("POST", CONFIGMAPS, body)
    assert status == 201
    return made


async def test_in_the_background_dependents_follow_their_owner_down_the_chain(ask):
    owner = await _made(ask, configmap("a"))
    child = await _made(ask, _owned("b", owner))
    await _made(ask, _owned("c", child))
    await ask("DELETE", f"{CONFIGMAPS}/a")
    await ask.gone(f"{CONFIGMAPS}/c")
    await ask.gone(f"{CONFIGMAPS}/b")


async def test_in_the_foreground_the_owner_waits_for_those_that_block_it(ask):
    owner = await _made(ask, configmap("a"))
    blocking = _owned("b", owner, blockOwnerDeletion=True)
    blocking["metadata"]["finalizers"] = ["example.org/hold"]
    await _made(ask, blocking)
    _, waiting = await ask("DELETE", f"{CONFIGMAPS}/a?propagationPolicy=Foreground")
    assert waiting["metadata"]["finalizers"] == ["foregroundDeletion"]
    await asyncio.sleep(1)
    assert (await ask("GET", f"{CONFIGMAPS}/a"))[0] == 200
    assert "deletionTimestamp" in (await ask("GET", f"{CONFIGMAPS}/b"))[1]["metadata"]
    await ask("PATCH", f"{CONFIGMAPS}/b", {"metadata": {"finalizers": None}}, media=MERGE)
    await ask.gone(f"{CONFIGMAPS}/a")


async def test_orphans_lose_the_reference_and_stay(ask):
    owner = await _made(ask, configmap("a"))
    await _made(ask, _owned("b", owner))
    await ask("DELETE", f"{CONFIGMAPS}/a?propagationPolicy=Orphan")
    await ask.gone(f"{CONFIGMAPS}/a")
    _, kept = await ask("GET", f"{CONFIGMAPS}/b")
    assert "ownerReferences" not in kept["metadata"]


async def test_a_dependent_of_two_owners_loses_one_reference(ask):
    first, second = await _made(ask, configmap("a")), await _made(ask, configmap("b"))
    await _made(ask, _owned("c", first, second))
    await ask("DELETE", f"{CONFIGMAPS}/a")
    await asyncio.sleep(1)
    _, kept = await ask("GET", f"{CONFIGMAPS}/c")
    assert [ref["name"] for ref in kept["metadata"]["ownerReferences"]] == ["b"]


async def test_an_object_without_namespace_outlives_an_owner_in_one(ask):
    ghost = {"apiVersion": "v1", "name": "ghost", "uid": "11111111-1111-1111-1111-111111111111"}
    for name, kind in (("kept", "ConfigMap"), ("stray", "Namespace")):
        meta = {"name": name, "ownerReferences": [{**ghost, "kind": kind}]}
        made = await ask("POST", NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": meta})
        assert made[0] == 201
    await ask.gone(f"{NAMESPACES}/stray")
    assert (await ask("GET", f"{NAMESPACES}/kept"))[0] == 200


async def test_a_dangling_owner_means_collection_an_unknown_kind_does_not(ask):
    ghost = {"metadata": {"name": "ghost", "uid": "11111111-1111-1111-1111-111111111111"}}
    await _made(ask, _owned("stray", ghost))
    unknown = _owned("kept", ghost)
    unknown["metadata"]["ownerReferences"][0]["kind"] = "Nothing"
    await _made(ask, unknown)
    await ask.gone(f"{CONFIGMAPS}/stray")
    assert (await ask("GET", f"{CONFIGMAPS}/kept"))[0] == 200


async def test_a_namespace_takes_a_thousand_objects_along_and_says_what_holds_it(ask):
    await ask.add_crd(gizmo_crd())
    await ask("POST", NAMESPACES, {"metadata": {"name": "big"}})
    gizmos = GIZMOS.replace("default", "big")
    for number in range(1_000):
        finalizers = {"finalizers": ["example.org/hold"]} if number == 7 else {}
        await ask("POST", gizmos, gizmo(f"g{number}", **finalizers))
    _, dying = await ask("DELETE", f"{NAMESPACES}/big")
    assert dying["status"]["phase"] == "Terminating"
    status, answer = await ask("POST", gizmos, gizmo("late"))
    assert (status, answer["details"]["causes"][0]["reason"]) == (403, "NamespaceTerminating")
    await asyncio.sleep(1)
    _, held = await ask("GET", f"{NAMESPACES}/big")
    conditions = {condition["type"]: condition for condition in held["status"]["conditions"]}
    assert conditions["NamespaceContentRemaining"]["status"] == "True"
    assert "example.org/hold in 1 resource instances" in conditions["NamespaceFinalizersRemaining"]["message"]
    await ask("PATCH", f"{gizmos}/g7", {"metadata": {"finalizers": None}}, media=MERGE)
    await ask.gone(f"{NAMESPACES}/big")


async def test_the_first_namespaces_may_not_be_deleted(ask):
    for name in ("default", "kube-system"):
        status, answer = await ask("DELETE", f"{NAMESPACES}/{name}")
        assert (status, answer["message"]) == (
            403,
            f'namespaces "{name}" is forbidden: this namespace may not be deleted',
        )


async def test_every_namespace_has_its_default_service_account(ask):
    await ask("POST", NAMESPACES, {"metadata": {"name": "new"}})
    await asyncio.sleep(0.1)
    assert (await ask("GET", f"{NAMESPACES}/new/serviceaccounts/default"))[0] == 200


async def test_an_event_lives_an_hour_and_has_two_faces(ask):
    event = {
        "metadata": {"name": "e"},
        "involvedObject": {"kind": "ConfigMap", "name": "x", "namespace": "default"},
        "reason": "Test",
        "message": "text",
        "type": "Normal",
    }
    await ask("POST", "/api/v1/namespaces/default/events", event)
    newer = "/apis/events.k8s.io/v1/namespaces/default/events"
    _, seen = await ask("GET", f"{newer}/e")
    assert (seen["apiVersion"], seen["note"], seen["regarding"]["name"]) == ("events.k8s.io/v1", "text", "x")
    assert (await ask("POST", newer, {"metadata": {"name": "f"}, "reason": "x"}))[0] == 422
    await asyncio.sleep(3_700)
    await ask.gone("/api/v1/namespaces/default/events/e")


def _expected(parents: list[int | None], deleted: int) -> set[int]:
    """Which nodes of a forest stay when one is deleted in the background."""
    gone = {deleted}
    for node, parent in enumerate(parents):  # a parent always comes before its children
        if parent in gone:
            gone.add(node)
    return set(range(len(parents))) - gone


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.integers(0, 9), min_size=1, max_size=10).flatmap(
        lambda seeds: st.tuples(
            st.just([seed % n if (n := index) and seed % 3 else None for index, seed in enumerate(seeds)]),
            st.integers(0, len(seeds) - 1),
        )
    )
)
def test_what_is_collected_is_what_the_forest_says(case):
    parents, deleted = case

    async def run() -> set[int]:
        server = KubeServer(state_dir=None)
        await server.open()
        ask = Asker(server)
        made: list[dict] = []
        for number, parent in enumerate(parents):
            body = configmap(f"n{number}") if parent is None else _owned(f"n{number}", made[parent])
            made.append(await _made(ask, body))
        await ask("DELETE", f"{CONFIGMAPS}/n{deleted}")
        await asyncio.sleep(5)
        _, found = await ask("GET", CONFIGMAPS)
        await server.shutdown()
        return {int(item["metadata"]["name"][1:]) for item in found["items"]}

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        assert runner.run(run()) == _expected(parents, deleted)
