"""Server-side apply and strategic merge: who owns what, what conflicts, where list items go."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.kubeserver.status import ApiError
from lambent.kubeserver.writes.ownership import fieldsets
from lambent.kubeserver.writes.strategic import strategic_merge
from tests.kubeserver.asking import APPLY, CONFIGMAPS, MERGE, Asker, configmap

DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"


async def _apply(
    ask: Asker, manager: str, body: Any, *, force: bool = False, base: str = CONFIGMAPS
) -> tuple[int, Any]:
    suffix = "&force=true" if force else ""
    return await ask("PATCH", f"{base}/{body['metadata']['name']}?fieldManager={manager}{suffix}", body, media=APPLY)


def _owners(obj: Any) -> dict[str, Any]:
    return {entry["manager"]: entry["fieldsV1"] for entry in obj["metadata"]["managedFields"]}


async def test_several_conflicts_are_listed_by_manager(ask):
    await _apply(ask, "one", configmap("a", {"a": "1", "b": "1"}))
    status, answer = await _apply(ask, "two", configmap("a", {"a": "2", "b": "2"}))
    assert status == 409
    assert answer["message"] == 'Apply failed with 2 conflicts: conflicts with "one":\n- .data.a\n- .data.b'
    assert {cause["reason"] for cause in answer["details"]["causes"]} == {"FieldManagerConflict"}


async def test_an_update_takes_what_it_changes_and_owns_nothing_else(ask):
    await _apply(ask, "one", configmap("a", {"a": "1", "b": "1"}))
    _, obj = await ask("PATCH", f"{CONFIGMAPS}/a?fieldManager=hand", {"data": {"a": "2"}}, media=MERGE)
    assert _owners(obj) == {"one": {"f:data": {"f:b": {}}}, "hand": {"f:data": {"f:a": {}}}}


async def test_a_removed_field_is_owned_by_nobody(ask):
    await _apply(ask, "one", configmap("a", {"a": "1", "b": "1"}))
    _, obj = await ask("PATCH", f"{CONFIGMAPS}/a", {"data": {"b": None}}, media=MERGE)
    assert _owners(obj) == {"one": {"f:data": {"f:a": {}}}}


async def test_the_time_of_an_entry_moves_only_with_a_change(ask):
    _, first = await _apply(ask, "one", configmap("a", {"a": "1"}))
    _, again = await _apply(ask, "one", configmap("a", {"a": "1"}))
    assert again == first
    _, shared = await _apply(ask, "two", configmap("a", {"a": "1"}))
    assert "time" not in next(e for e in shared["metadata"]["managedFields"] if e["manager"] == "two")


async def test_a_duplicate_list_key_in_an_apply_is_an_error(ask):
    ports = [{"containerPort": 80}, {"containerPort": 80, "protocol": "TCP"}]
    template = {
        "metadata": {"labels": {"a": "b"}},
        "spec": {"containers": [{"name": "x", "image": "y", "ports": ports}]},
    }
    body = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "d"},
        "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": template},
    }
    status, answer = await _apply(ask, "one", body, base=DEPLOYMENTS)
    assert status == 500
    assert "duplicate entries for key" in answer["message"]


_NODES: st.SearchStrategy[Any] = st.recursive(
    st.just({}),
    lambda child: st.dictionaries(st.sampled_from(["f:a", "f:b", "v:1"]), child, min_size=1, max_size=3),
    max_leaves=6,
)
_SETS = st.dictionaries(st.sampled_from(["f:a", "f:b", "f:c"]), _NODES, max_size=3)


def _members(fields: dict[str, Any]) -> set[str]:
    return set(fieldsets.paths(fields))


@given(_SETS, _SETS)
def test_field_sets_obey_the_laws_of_sets(left, right):
    assert _members(fieldsets.union(left, right)) == _members(left) | _members(right)
    assert _members(fieldsets.difference(left, right)) == _members(left) - _members(right)
    assert _members(fieldsets.intersection(left, right)) == _members(left) & _members(right)


_KEYED = {
    "type": "object",
    "properties": {
        "list": {
            "type": "array",
            "x-kubernetes-patch-strategy": "merge",
            "x-kubernetes-patch-merge-key": "name",
            "items": {"type": "object", "properties": {"name": {"type": "string"}, "v": {"type": "integer"}}},
        },
        "words": {"type": "array", "items": {"type": "string"}, "x-kubernetes-patch-strategy": "merge"},
        "whole": {"type": "array", "items": {"type": "string"}},
        "union": {"type": "object", "x-kubernetes-patch-strategy": "retainKeys", "properties": {"a": {}, "b": {}}},
    },
}
_LIVE = {"list": [{"name": "a", "v": 1}, {"name": "b", "v": 2}], "words": ["x", "y"], "whole": ["x"], "union": {"a": 1}}


@pytest.mark.parametrize(
    ("patch", "member", "result"),
    [
        ({"list": [{"name": "b", "v": 9}]}, "list", [{"name": "a", "v": 1}, {"name": "b", "v": 9}]),
        ({"list": [{"name": "c"}]}, "list", [{"name": "c"}, {"name": "a", "v": 1}, {"name": "b", "v": 2}]),
        ({"list": [{"name": "a", "$patch": "delete"}]}, "list", [{"name": "b", "v": 2}]),
        ({"list": [{"$patch": "replace"}, {"name": "z"}]}, "list", [{"name": "z"}]),
        (
            {"$setElementOrder/list": [{"name": "b"}, {"name": "a"}]},
            "list",
            [{"name": "b", "v": 2}, {"name": "a", "v": 1}],
        ),
        ({"words": ["z"]}, "words", ["z", "x", "y"]),
        ({"$deleteFromPrimitiveList/words": ["x"]}, "words", ["y"]),
        ({"whole": ["z"]}, "whole", ["z"]),
        ({"union": {"b": 2, "$retainKeys": ["b"]}}, "union", {"b": 2}),
        ({"union": {"$patch": "replace", "b": 2}}, "union", {"b": 2}),
        ({"union": None}, "union", None),
    ],
)
def test_strategic_merge(patch, member, result):
    assert strategic_merge(_LIVE, patch, _KEYED, {}).get(member) == result


@pytest.mark.parametrize("patch", [{"list": [{"v": 1}]}, {"union": {"$patch": "what"}}])
def test_a_strategic_patch_that_means_nothing_is_an_error(patch):
    with pytest.raises(ApiError) as caught:
        strategic_merge(_LIVE, patch, _KEYED, {})
    assert caught.value.code == 500
