"""What every client of the Protocol must do, whichever server is behind it. Subclasses give the fixture `client`."""

import asyncio
import copy
from contextlib import aclosing, suppress
from typing import Any, cast

import pytest

from lambent.kube.client import KubeClient
from lambent.kube.errors import AlreadyExists, Conflict, Invalid, KubeError, NotFound
from lambent.kube.types import GVK, KubeObject, Preconditions, Selector, WatchOptions

WIDGET = GVK("kit.example.org", "v1", "Widget")
CRD = GVK("apiextensions.k8s.io", "v1", "CustomResourceDefinition")
UNKNOWN = GVK("kit.example.org", "v1", "Unknown")
_OPEN = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
WIDGETS = cast(
    KubeObject,
    {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.kit.example.org"},
        "spec": {
            "group": "kit.example.org",
            "scope": "Namespaced",
            "names": {"kind": "Widget", "plural": "widgets", "singular": "widget", "listKind": "WidgetList"},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": _OPEN, "status": _OPEN}}},
                    "subresources": {"status": {}},
                }
            ],
        },
    },
)


def widget(namespace: str, name: str = "a", **members: Any) -> KubeObject:
    meta = {"name": name, "namespace": namespace, **members.pop("metadata", {})}
    return cast(KubeObject, {"apiVersion": "kit.example.org/v1", "kind": "Widget", "metadata": meta, **members})


async def names_in(client, namespace, **options):
    pages = [page async for page in client.list(WIDGET, namespace=namespace, **options)]
    assert len({page.resource_version for page in pages}) == 1
    return [obj["metadata"]["name"] for page in pages for obj in page.items]


async def events_of(client, namespace, count, *, within_s=10.0, **options):
    """The first `count` events of a watch, bookmarks aside."""
    found = []
    async with asyncio.timeout(within_s), aclosing(client.watch(WIDGET, namespace=namespace, **options)) as stream:
        async for event in stream:
            if event.type != "BOOKMARK":
                found.append((event.type, event.object["metadata"]["name"]))
            if len(found) == count:
                return found
    raise AssertionError(f"the watch ended after {found}")


async def until_resolved(client: KubeClient, gvk: GVK, subresources: set[str]) -> None:
    """A new definition, or a change of one, is served a moment later."""
    async with asyncio.timeout(60):
        while True:
            with suppress(NotFound):
                if (await client.resolve(gvk)).subresources == subresources:
                    return
            await asyncio.sleep(0.2)


class ClientClaims:
    """Each method is one claim; `ns` is an empty namespace. `collection_s`: how long a dependent may stay."""

    collection_s = 10.0

    async def test_a_read_after_a_write_sees_it(self, client: KubeClient, ns: str):
        made = await client.create(widget(ns, spec={"size": 1}))
        assert made["metadata"]["uid"]
        assert (made["apiVersion"], made["kind"]) == ("kit.example.org/v1", "Widget")
        assert await client.get(WIDGET, "a", namespace=ns) == made

    async def test_an_absent_object_is_not_found(self, client: KubeClient, ns: str):
        for call in (
            client.get(WIDGET, "none", namespace=ns),
            client.patch(WIDGET, "none", {"spec": {}}, namespace=ns),
            client.delete(WIDGET, "none", namespace=ns),
        ):
            with pytest.raises(NotFound):
                await call

    async def test_a_kind_that_is_not_served_is_not_found(self, client: KubeClient, ns: str):
        with pytest.raises(NotFound):
            await client.resolve(UNKNOWN)
        info = await client.resolve(WIDGET)
        assert (info.plural, info.namespaced, info.subresources) == ("widgets", True, frozenset({"status"}))

    async def test_a_changed_definition_changes_what_is_known_of_its_kind(self, client: KubeClient, ns: str):
        """Its event passes through the client, which must not hold on to the subresources that were."""
        crd, name = cast(Any, copy.deepcopy(WIDGETS)), "whatnots.changing.example.org"
        crd["metadata"]["name"] = name
        names = {"kind": "Whatnot", "plural": "whatnots", "singular": "whatnot", "listKind": "WhatnotList"}
        crd["spec"] |= {"group": "changing.example.org", "names": names}
        crd["spec"]["versions"][0]["subresources"] = {}
        await client.create(crd)
        await until_resolved(client, GVK("changing.example.org", "v1", "Whatnot"), set())
        more = [{"op": "add", "path": "/spec/versions/0/subresources", "value": {"status": {}}}]
        patched = await client.patch(CRD, name, more, kind="json")
        async with asyncio.timeout(60), aclosing(cast(Any, client.watch(CRD))) as events:
            async for event in events:
                if event.object["metadata"]["resourceVersion"] == patched["metadata"]["resourceVersion"]:
                    break
        await until_resolved(client, GVK("changing.example.org", "v1", "Whatnot"), {"status"})
        await client.delete(CRD, name)

    async def test_a_second_create_finds_it_exists(self, client: KubeClient, ns: str):
        await client.create(widget(ns))
        with pytest.raises(AlreadyExists):
            await client.create(widget(ns))

    async def test_a_stale_replace_is_a_conflict(self, client: KubeClient, ns: str):
        old = await client.create(widget(ns, spec={"size": 1}))
        await client.replace(cast(KubeObject, {**old, "spec": {"size": 2}}))
        with pytest.raises(Conflict):
            await client.replace(cast(KubeObject, {**old, "spec": {"size": 3}}))

    async def test_a_replace_without_a_revision_is_invalid(self, client: KubeClient, ns: str):
        await client.create(widget(ns))
        with pytest.raises(Invalid):
            await client.replace(widget(ns, spec={"size": 2}))

    async def test_generation_moves_with_the_spec_alone(self, client: KubeClient, ns: str):
        made = await client.create(widget(ns, spec={"size": 1}))
        labelled = await client.patch(WIDGET, "a", {"metadata": {"labels": {"x": "y"}}}, namespace=ns)
        seen = await client.patch(WIDGET, "a", {"status": {"n": 1}}, namespace=ns, subresource="status")
        changed = await client.patch(WIDGET, "a", {"spec": {"size": 2}}, namespace=ns)
        assert [obj["metadata"]["generation"] for obj in (made, labelled, seen, changed)] == [1, 1, 1, 2]

    async def test_a_write_that_changes_nothing_keeps_the_revision(self, client: KubeClient, ns: str):
        made = await client.create(widget(ns, spec={"size": 1}))
        for same in (
            await client.patch(WIDGET, "a", {"spec": {"size": 1}}, namespace=ns),
            await client.replace(made),
        ):
            assert same["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]

    async def test_status_is_written_by_its_own_door_only(self, client: KubeClient, ns: str):
        made = await client.create(widget(ns, spec={"size": 1}, status={"n": 1}))
        assert "status" not in made
        body: dict[str, Any] = {"spec": {"size": 9}, "status": {"n": 2}}
        by_status = await client.patch(WIDGET, "a", body, namespace=ns, subresource="status")
        assert (by_status["spec"], by_status["status"]) == ({"size": 1}, {"n": 2})
        by_main = await client.patch(WIDGET, "a", {"spec": {"size": 3}, "status": {"n": 7}}, namespace=ns)
        assert (by_main["spec"], by_main["status"]) == ({"size": 3}, {"n": 2})
        replaced = await client.replace(cast(KubeObject, {**by_main, "status": {"m": 1}}), subresource="status")
        assert replaced["status"] == {"m": 1}

    async def test_a_merge_patch_removes_by_null(self, client: KubeClient, ns: str):
        await client.create(widget(ns, spec={"a": 1, "b": {"c": 2, "d": 3}}))
        patched = await client.patch(WIDGET, "a", {"spec": {"a": None, "b": {"c": None}}}, namespace=ns)
        assert patched["spec"] == {"b": {"d": 3}}

    async def test_a_json_patch_applies_or_fails_as_a_whole(self, client: KubeClient, ns: str):
        await client.create(widget(ns, spec={"list": [1, 2]}))
        good: list[dict[str, Any]] = [
            {"op": "test", "path": "/spec/list/0", "value": 1},
            {"op": "add", "path": "/spec/list/-", "value": 3},
        ]
        patched = await client.patch(WIDGET, "a", good, namespace=ns, kind="json")
        assert patched["spec"]["list"] == [1, 2, 3]
        bad: list[dict[str, Any]] = [
            {"op": "remove", "path": "/spec/list/0"},
            {"op": "test", "path": "/spec/list/0", "value": 77},
        ]
        with pytest.raises(Invalid) as caught:
            await client.patch(WIDGET, "a", bad, namespace=ns, kind="json")
        assert caught.value.code == 422
        assert caught.value.message.startswith("the server rejected our request due to an error in our request")
        assert (await client.get(WIDGET, "a", namespace=ns))["spec"]["list"] == [1, 2, 3]

    async def test_a_strategic_patch_of_a_custom_kind_is_refused(self, client: KubeClient, ns: str):
        await client.create(widget(ns))
        with pytest.raises(KubeError) as caught:
            await client.patch(WIDGET, "a", {"spec": {}}, namespace=ns, kind="strategic")
        assert caught.value.code == 415

    async def test_a_delete_heeds_its_preconditions(self, client: KubeClient, ns: str):
        made = await client.create(widget(ns))
        for wrong in (Preconditions(uid="other"), Preconditions(resource_version="1")):
            with pytest.raises(Conflict):
                await client.delete(WIDGET, "a", namespace=ns, preconditions=wrong)
        meta = made["metadata"]
        right = Preconditions(meta["uid"], meta["resourceVersion"])
        await client.delete(WIDGET, "a", namespace=ns, preconditions=right)
        with pytest.raises(NotFound):
            await client.get(WIDGET, "a", namespace=ns)

    async def test_a_finalizer_holds_and_none_may_come_while_deleting(self, client: KubeClient, ns: str):
        await client.create(widget(ns, metadata={"finalizers": ["example.org/x"]}))
        await client.delete(WIDGET, "a", namespace=ns)
        held = await client.get(WIDGET, "a", namespace=ns)
        assert held["metadata"]["deletionTimestamp"]
        assert held["metadata"]["generation"] == 2
        more = {"metadata": {"finalizers": ["example.org/x", "example.org/y"]}}
        with pytest.raises(Invalid):
            await client.patch(WIDGET, "a", more, namespace=ns)
        await client.patch(WIDGET, "a", {"metadata": {"finalizers": []}}, namespace=ns)
        with pytest.raises(NotFound):
            await client.get(WIDGET, "a", namespace=ns)

    async def test_a_dry_run_leaves_no_trace(self, client: KubeClient, ns: str):
        await client.create(widget(ns, spec={"size": 1}))
        await client.create(widget(ns, "b"), dry_run=True)
        patched = await client.patch(WIDGET, "a", {"spec": {"size": 2}}, namespace=ns, dry_run=True)
        await client.delete(WIDGET, "a", namespace=ns, dry_run=True)
        assert patched["spec"] == {"size": 2}
        assert await names_in(client, ns) == ["a"]
        assert (await client.get(WIDGET, "a", namespace=ns))["spec"] == {"size": 1}

    async def test_a_generated_name_begins_as_asked(self, client: KubeClient, ns: str):
        obj = widget(ns, "")
        obj["metadata"] = cast(Any, {"generateName": "gen-", "namespace": ns})
        made = await client.create(obj)
        assert made["metadata"]["name"].startswith("gen-")
        assert len(made["metadata"]["name"]) > 4

    async def test_a_list_comes_in_pages_of_one_revision(self, client: KubeClient, ns: str):
        wanted = [f"w{number}" for number in range(7)]
        for name in reversed(wanted):
            await client.create(widget(ns, name))
        assert await names_in(client, ns, limit=3) == wanted
        assert await names_in(client, ns) == wanted

    async def test_selectors_choose_by_label_and_field(self, client: KubeClient, ns: str):
        for name, tier in (("a", "web"), ("b", "db"), ("c", "web")):
            await client.create(widget(ns, name, metadata={"labels": {"tier": tier}}))
        assert await names_in(client, ns, selector=Selector("tier=web")) == ["a", "c"]
        assert await names_in(client, ns, selector=Selector("tier notin (web)")) == ["b"]
        assert await names_in(client, ns, selector=Selector(fields="metadata.name=b")) == ["b"]

    async def test_metadata_alone_can_be_asked_for(self, client: KubeClient, ns: str):
        await client.create(widget(ns, spec={"size": 1}))
        selector = Selector(form="metadata")
        pages = [page async for page in client.list(WIDGET, namespace=ns, selector=selector)]
        options = WatchOptions(selector=selector)
        async with aclosing(cast(Any, client.watch(WIDGET, namespace=ns, options=options))) as events:
            watched = (await anext(events)).object
        for obj in (pages[0].items[0], watched):
            assert (obj["kind"], obj["metadata"]["name"]) == ("PartialObjectMetadata", "a")
            assert "spec" not in obj

    async def test_a_watch_goes_on_from_a_revision(self, client: KubeClient, ns: str):
        made = await client.create(widget(ns))
        await client.patch(WIDGET, "a", {"spec": {"size": 1}}, namespace=ns)
        await client.create(widget(ns, "b"))
        await client.delete(WIDGET, "a", namespace=ns)
        options = WatchOptions(made["metadata"]["resourceVersion"])
        assert await events_of(client, ns, 3, options=options) == [("MODIFIED", "a"), ("ADDED", "b"), ("DELETED", "a")]

    async def test_a_watch_without_a_revision_shows_what_is_there(self, client: KubeClient, ns: str):
        await client.create(widget(ns))
        assert await events_of(client, ns, 1) == [("ADDED", "a")]

    async def test_leaving_a_selector_is_a_deletion(self, client: KubeClient, ns: str):
        made = await client.create(widget(ns, metadata={"labels": {"tier": "db"}}))
        for tier in ("web", "db"):
            await client.patch(WIDGET, "a", {"metadata": {"labels": {"tier": tier}}}, namespace=ns)
        options = WatchOptions(made["metadata"]["resourceVersion"], selector=Selector("tier=web"))
        assert await events_of(client, ns, 2, options=options) == [("ADDED", "a"), ("DELETED", "a")]

    async def test_dependents_go_with_their_owner(self, client: KubeClient, ns: str):
        owner = await client.create(widget(ns, "owner"))
        ref = {"apiVersion": "kit.example.org/v1", "kind": "Widget", "name": "owner", "uid": owner["metadata"]["uid"]}
        made = await client.create(widget(ns, "child", metadata={"ownerReferences": [ref]}))
        await client.delete(WIDGET, "owner", namespace=ns)
        options = WatchOptions(made["metadata"]["resourceVersion"], int(self.collection_s))
        events = await events_of(client, ns, 2, within_s=self.collection_s, options=options)
        assert sorted(events) == [("DELETED", "child"), ("DELETED", "owner")]

    async def test_what_a_caller_changes_is_not_the_servers(self, client: KubeClient, ns: str):
        sent = widget(ns, spec={"list": [1]})
        made = await client.create(sent)
        sent["spec"]["list"].append(2)
        made["spec"]["list"].append(3)
        assert (await client.get(WIDGET, "a", namespace=ns))["spec"] == {"list": [1]}


class ApplyClaims:
    """Server-side apply, as far as a controller leans on it."""

    async def test_apply_owns_what_it_names(self, client: KubeClient, ns: str):
        await client.apply(widget(ns, spec={"a": 1, "b": 2}), manager="one")
        await client.apply(widget(ns, spec={"c": 3}), manager="two")
        with pytest.raises(Conflict):
            await client.apply(widget(ns, spec={"a": 5}), manager="two")
        await client.apply(widget(ns, spec={"a": 5, "c": 3}), manager="two", force=True)
        left = await client.apply(widget(ns, spec={"x": 0}), manager="one")
        assert left["spec"] == {"a": 5, "c": 3, "x": 0}

    async def test_apply_conflicts_with_whoever_wrote_a_field_last(self, client: KubeClient, ns: str):
        await client.create(widget(ns, spec={"a": 1, "b": 1}), manager="one")
        await client.patch(WIDGET, "a", {"spec": {"b": 2}}, namespace=ns, manager="two")
        for manager in ("one", "three"):
            with pytest.raises(Conflict) as caught:
                await client.apply(widget(ns, spec={"a": 5, "b": 5}), manager=manager)
            told = {field: message.split(" using ")[0] for field, message in caught.value.causes}
            assert told == {".spec.a": 'conflict with "one"', ".spec.b": 'conflict with "two"'}
        await client.apply(widget(ns, spec={"a": 1, "b": 2}), manager="three")
        forced = await client.apply(widget(ns, spec={"a": 5, "b": 5}), manager="three", force=True)
        assert forced["spec"] == {"a": 5, "b": 5}

    async def test_a_write_takes_the_field_that_it_changes_from_its_applier(self, client: KubeClient, ns: str):
        await client.apply(widget(ns, spec={"a": 1, "b": 1}), manager="one")
        await client.patch(WIDGET, "a", {"spec": {"a": 2, "b": 1}}, namespace=ns, manager="two")
        left = await client.apply(widget(ns, spec={"c": 1}), manager="one")
        assert left["spec"] == {"a": 2, "c": 1}

    async def test_apply_with_a_revision_refuses_a_lost_update(self, client: KubeClient, ns: str):
        made = await client.apply(widget(ns, spec={"a": 1}), manager="one")
        await client.patch(WIDGET, "a", {"spec": {"z": 1}}, namespace=ns)
        stale = {"resourceVersion": made["metadata"]["resourceVersion"]}
        with pytest.raises(Conflict):
            await client.apply(widget(ns, spec={"a": 2}, metadata=stale), manager="one")

    async def test_apply_of_a_status_creates_nothing(self, client: KubeClient, ns: str):
        with pytest.raises(NotFound):
            await client.apply(widget(ns, status={"n": 1}), manager="one", subresource="status")
        await client.create(widget(ns))
        applied = await client.apply(widget(ns, status={"n": 1}), manager="one", subresource="status")
        assert applied["status"] == {"n": 1}
