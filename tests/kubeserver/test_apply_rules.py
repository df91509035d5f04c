"""Server-side apply by its rules: merging, giving up, lists by their declared type, entries of managers."""

from typing import Any

import pytest

from tests.kubeserver.asking import APPLY, CONFIGMAPS, GIZMOS, MERGE, configmap, gizmo, gizmo_crd

TEXT = {"type": "string"}
KEYED = {
    "type": "array",
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["k"],
    "items": {"type": "object", "required": ["k"], "properties": {"k": TEXT, "v": TEXT}},
}
SCHEMA = {
    "type": "object",
    "properties": {
        "plain": {"type": "array", "items": TEXT},
        "set": {"type": "array", "items": TEXT, "x-kubernetes-list-type": "set"},
        "keyed": KEYED,
        "map": {"type": "object", "additionalProperties": TEXT},
        "whole": {"type": "object", "additionalProperties": TEXT, "x-kubernetes-map-type": "atomic"},
        "size": {"type": "integer"},
    },
}
DEPLOYMENT = "/apis/apps/v1/namespaces/default/deployments/d"


@pytest.fixture
async def apply(ask):
    """`await apply(manager, spec)` -> (status, object)."""
    await ask.add_crd(gizmo_crd(SCHEMA, subresources={"status": {}}))

    async def send(manager: str, spec: Any, *, query: str = "") -> tuple[int, Any]:
        path = f"{GIZMOS}/a?fieldManager={manager}{query}"
        answer: tuple[int, Any] = await ask("PATCH", path, gizmo("a", spec), media=APPLY)
        return answer

    return send


def _entries(obj: Any) -> dict[tuple[str, str, str], Any]:
    return {
        (one["manager"], one["operation"], one.get("subresource", "")): one["fieldsV1"]
        for one in obj["metadata"].get("managedFields", ())
    }


async def test_an_apply_creates_what_is_absent(apply):
    assert (await apply("one", {"size": 1}))[0] == 201
    assert (await apply("one", {"size": 1}))[0] == 200


async def test_what_its_only_owner_no_longer_names_is_removed(apply):
    await apply("one", {"map": {"a": "1", "b": "1"}, "size": 1})
    _, kept = await apply("one", {"map": {"a": "1"}})
    assert kept["spec"] == {"map": {"a": "1"}}


async def test_what_another_owns_too_stays(apply):
    await apply("one", {"map": {"a": "1", "b": "1"}})
    await apply("two", {"map": {"b": "1"}})
    _, kept = await apply("one", {"map": {"a": "1"}})
    assert kept["spec"] == {"map": {"a": "1", "b": "1"}}


async def test_equal_values_are_shared_and_other_ones_conflict_unless_forced(apply):
    await apply("one", {"size": 1})
    status, shared = await apply("two", {"size": 1})
    assert (status, len(_entries(shared))) == (200, 2)
    status, refused = await apply("two", {"size": 2})
    assert (status, [cause["field"] for cause in refused["details"]["causes"]]) == (409, [".spec.size"])
    status, forced = await apply("two", {"size": 2}, query="&force=true")
    assert (status, forced["spec"]) == (200, {"size": 2})
    assert [key[0] for key in _entries(forced)] == ["two"]


@pytest.mark.parametrize(
    ("member", "first", "second", "code", "result"),
    [
        ("plain", ["a"], ["b"], 409, ["a"]),
        ("set", ["a"], ["b"], 200, ["a", "b"]),
        ("keyed", [{"k": "a", "v": "1"}], [{"k": "b", "v": "2"}], 200, [{"k": "a", "v": "1"}, {"k": "b", "v": "2"}]),
        ("keyed", [{"k": "a", "v": "1"}], [{"k": "a", "v": "2"}], 409, [{"k": "a", "v": "1"}]),
        ("map", {"a": "1"}, {"b": "2"}, 200, {"a": "1", "b": "2"}),
        ("whole", {"a": "1"}, {"b": "2"}, 409, {"a": "1"}),
    ],
    ids=[
        "a list is one value",
        "sets join",
        "items by key",
        "one key twice",
        "maps join",
        "an atomic map is one value",
    ],
)
async def test_two_appliers_meet_as_the_schema_says(ask, apply, member, first, second, code, result):
    await apply("one", {member: first})
    assert (await apply("two", {member: second}))[0] == code
    assert (await ask("GET", f"{GIZMOS}/a"))[1]["spec"][member] == result


@pytest.mark.parametrize(
    ("spec", "code"), [({"set": ["a", "a"]}, 500), ({"keyed": [{"k": "a"}, {"k": "a"}]}, 500), ({"size": None}, 422)]
)
async def test_what_cannot_be_owned_is_refused(apply, spec, code):
    assert (await apply("one", spec))[0] == code


async def test_other_writes_own_under_their_manager_or_the_name_of_their_program(ask):
    await ask("POST", CONFIGMAPS, configmap("a", {"x": "1"}), user_agent="kubectl/1.34 (linux)")
    await ask("PATCH", f"{CONFIGMAPS}/a?fieldManager=hand", {"data": {"y": "1"}}, media=MERGE, user_agent="kubectl/1")
    _, obj = await ask("GET", f"{CONFIGMAPS}/a")
    assert _entries(obj).keys() == {("kubectl", "Update", ""), ("hand", "Update", "")}


async def test_an_empty_list_of_managers_resets_a_builtin_and_no_custom_object(ask, apply):
    _, made = await apply("one", {"size": 1})
    patch: dict[str, Any] = {"metadata": {"managedFields": []}}
    _, custom = await ask("PATCH", f"{GIZMOS}/a", patch, media=MERGE)
    assert ("one", "Apply", "") in _entries(custom)
    await ask("POST", CONFIGMAPS, configmap("a", {"x": "1"}))
    _, builtin = await ask("PATCH", f"{CONFIGMAPS}/a", patch, media=MERGE)
    assert _entries(builtin) == {}
    _, reset = await ask("PATCH", f"{GIZMOS}/a", {"metadata": {"managedFields": [{}]}}, media=MERGE)
    assert _entries(reset) == {}
    assert made["metadata"]["managedFields"]


async def test_appliers_come_first_then_the_older_ones(ask, apply):
    await ask("POST", GIZMOS, gizmo("a", {"map": {"x": "1"}}), user_agent="first/1")
    await ask("PATCH", f"{GIZMOS}/a", {"spec": {"map": {"y": "1"}}}, media=MERGE, user_agent="second/1")
    _, obj = await apply("last", {"size": 1})
    assert [key[0] for key in _entries(obj)] == ["last", "first", "second"]


async def test_a_subresource_has_entries_of_its_own(ask, apply):
    await apply("one", {"size": 1})
    body = {**gizmo("a"), "status": {"phase": "Ready"}}
    del body["spec"]
    await ask("PATCH", f"{GIZMOS}/a/status?fieldManager=one", body, media=APPLY)
    _, obj = await ask("GET", f"{GIZMOS}/a")
    assert _entries(obj) == {
        ("one", "Apply", ""): {"f:spec": {"f:size": {}}},
        ("one", "Apply", "status"): {"f:status": {"f:phase": {}}},
    }


PORTS = [{"containerPort": 80, "protocol": "TCP"}, {"containerPort": 80, "protocol": "UDP"}]


def _deployment(ports: Any) -> Any:
    pod = {"containers": [{"name": "c", "image": "i", "ports": ports}]}
    template = {"metadata": {"labels": {"a": "b"}}, "spec": pod}
    spec = {"selector": {"matchLabels": {"a": "b"}}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "spec": spec}


async def test_apply_tells_ports_by_protocol_too_and_a_strategic_merge_does_not(ask):
    strategic = "application/strategic-merge-patch+json"
    assert (await ask("PATCH", f"{DEPLOYMENT}?fieldManager=one", _deployment(PORTS[:1]), media=APPLY))[0] == 201
    body = _deployment(PORTS[1:])
    _, both = await ask("PATCH", f"{DEPLOYMENT}?fieldManager=two", body, media=APPLY)
    assert both["spec"]["template"]["spec"]["containers"][0]["ports"] == PORTS
    await ask("DELETE", DEPLOYMENT)
    await ask("POST", DEPLOYMENT.removesuffix("/d"), _deployment(PORTS[:1]))
    patch = {"spec": {"template": {"spec": body["spec"]["template"]["spec"]}}}
    _, merged = await ask("PATCH", DEPLOYMENT, patch, media=strategic)
    assert merged["spec"]["template"]["spec"]["containers"][0]["ports"] == PORTS[1:]
