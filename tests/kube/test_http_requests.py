"""What the client sends for each verb: path, query, media type, headers, body."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import orjson
import pytest
from aiohttp import web

from lambent import __version__
from lambent.kube.errors import Invalid, Throttled
from lambent.kube.fencing import FencedClient
from lambent.kube.kubeconfig import Impersonation
from lambent.kube.leader import Term
from lambent.kube.types import Preconditions, Selector, WatchOptions
from tests.kube.canned import BASE, GIZMO, Canned, client_of, reply, status

REAL_TIME = True


async def test_a_write_says_who_and_how_strictly(gizmo):
    canned = Canned(reply(gizmo()))
    who = Impersonation("jane", ("a", "b"), "7", (("Scopes/x", "view"),))
    async with client_of(canned, impersonation=who) as client:
        await client.create(gizmo(), manager="m")
    ((method, path, headers, _),) = canned.requests
    assert (method, path) == ("POST", f"{BASE}?fieldValidation=Strict&fieldManager=m")
    assert headers["User-Agent"] == f"lambent-test/{__version__}"
    assert [(name, value) for name, value in headers.items() if name.startswith("Impersonate")] == [
        ("Impersonate-User", "jane"),
        ("Impersonate-Group", "a"),
        ("Impersonate-Group", "b"),
        ("Impersonate-Uid", "7"),
        ("Impersonate-Extra-scopes%2Fx", "view"),
    ]


async def test_loopback_is_not_compressed(gizmo):
    canned = Canned(reply(gizmo()))
    async with client_of(canned) as client:
        await client.get(GIZMO, "a")
    assert canned.requests[0][2]["Accept-Encoding"] == "identity"


Send = Callable[..., Awaitable[Any]]
MAIN, STATUS = {"fieldValidation": "Strict"}, {"fieldValidation": "Ignore"}
BY_M = {"fieldManager": "m"}
WRITES: dict[str, tuple[Send, str, dict[str, str], str]] = {
    "create": (lambda client, obj, **o: client.create(obj, **o), "POST ", MAIN, "json"),
    "replace": (lambda client, obj, **o: client.replace(obj, **o), "PUT /a", MAIN, "json"),
    "replace status": (
        lambda client, obj, **o: client.replace(obj, subresource="status", **o),
        "PUT /a/status",
        STATUS,
        "json",
    ),
    "merge": (lambda client, obj, **o: client.patch(GIZMO, "a", obj, **o), "PATCH /a", MAIN, "merge-patch+json"),
    "json": (
        lambda client, obj, **o: client.patch(GIZMO, "a", obj, kind="json", **o),
        "PATCH /a",
        MAIN,
        "json-patch+json",
    ),
    "patch status": (
        lambda client, obj, **o: client.patch(GIZMO, "a", obj, subresource="status", **o),
        "PATCH /a/status",
        STATUS,
        "merge-patch+json",
    ),
    "scale": (
        lambda client, obj, **o: client.patch(GIZMO, "a", obj, subresource="scale", **o),
        "PATCH /a/scale",
        STATUS,
        "merge-patch+json",
    ),
    "apply": (
        lambda client, obj, **o: client.apply(obj, manager="m", **o),
        "PATCH /a",
        MAIN | BY_M,
        "apply-patch+yaml",
    ),
    "apply by force": (
        lambda client, obj, **o: client.apply(obj, manager="m", force=True, **o),
        "PATCH /a",
        MAIN | BY_M | {"force": "true"},
        "apply-patch+yaml",
    ),
    "apply status": (
        lambda client, obj, **o: client.apply(obj, manager="m", subresource="status", **o),
        "PATCH /a/status",
        STATUS | BY_M,
        "apply-patch+yaml",
    ),
}


@pytest.mark.parametrize("name", WRITES)
async def test_each_write_has_its_request(gizmo, name):
    """The body is JSON, also of what is called YAML; a dry run adds one member to the query."""
    write, line, query, media = WRITES[name]
    canned = Canned(reply(gizmo()), reply(gizmo()))
    async with client_of(canned) as client:
        await write(client, gizmo())
        await write(client, gizmo(), dry_run=True)
    method, _, below = line.partition(" ")
    for (sent, path, headers, body), more in zip(canned.requests, ({}, {"dryRun": "All"}), strict=True):
        url = urlsplit(path)
        assert (sent, url.path, dict(parse_qsl(url.query))) == (method, BASE + below, query | more)
        assert headers["Content-Type"] == f"application/{media}"
        assert orjson.loads(body) == gizmo()


async def test_a_strategic_patch_of_a_custom_kind_is_refused_without_a_request():
    canned = Canned()
    async with client_of(canned) as client:
        with pytest.raises(Invalid) as caught:
            await client.patch(GIZMO, "a", {}, kind="strategic")
    assert (caught.value.code, canned.requests) == (415, [])


async def test_a_delete_sends_its_preconditions():
    canned = Canned(reply({"kind": "Status"}))
    async with client_of(canned) as client:
        held = Preconditions("u", "5")
        await client.delete(GIZMO, "a", propagation="Foreground", preconditions=held, dry_run=True)
    body = orjson.loads(canned.requests[0][3])
    assert body["preconditions"] == {"uid": "u", "resourceVersion": "5"}
    assert (body["propagationPolicy"], body["dryRun"]) == ("Foreground", ["All"])


async def test_a_fenced_write_carries_its_term(gizmo):
    canned = Canned(reply(gizmo()), reply(gizmo()))
    async with client_of(canned) as client:
        term = Term("l", 7, asyncio.get_running_loop().time() + 10)
        await FencedClient(client, term).create(gizmo())
        await client.create(gizmo())
    assert [headers.get("Lambent-Fence") for _, _, headers, _ in canned.requests] == ["l/7", None]


async def test_a_log_comes_in_chunks():
    canned = Canned(web.Response(body=b"one\ntwo\n"), web.Response(body=b""))
    async with client_of(canned) as client:
        chunks = [chunk async for chunk in client.logs("p", container="c", tail_lines=2)]
        assert [chunk async for chunk in client.logs("p", namespace="n", follow=True)] == []
    assert b"".join(chunks) == b"one\ntwo\n"
    assert [path for _, path, *_ in canned.requests] == [
        "/api/v1/namespaces/default/pods/p/log?container=c&tailLines=2",
        "/api/v1/namespaces/n/pods/p/log?follow=true",
    ]


async def test_an_eviction_is_asked_for_and_may_be_put_off():
    canned = Canned(reply({"kind": "Status"}, 201), reply(status(429, "TooManyRequests"), 429, Retry_After="60"))
    async with client_of(canned) as client:
        await client.evict("p", preconditions=Preconditions("u"), dry_run=True)
        with pytest.raises(Throttled):
            await client.evict("p")
    method, path, _, body = canned.requests[0]
    assert (method, path) == ("POST", "/api/v1/namespaces/default/pods/p/eviction")
    sent = orjson.loads(body)
    assert (sent["kind"], sent["apiVersion"], sent["metadata"]) == ("Eviction", "policy/v1", {"name": "p"})
    assert (sent["deleteOptions"]["preconditions"], sent["deleteOptions"]["dryRun"]) == ({"uid": "u"}, ["All"])


async def test_the_scale_of_an_object_is_read():
    canned = Canned(reply({"kind": "Scale", "spec": {"replicas": 3}}))
    async with client_of(canned) as client:
        assert (await client.get(GIZMO, "a", subresource="scale"))["spec"] == {"replicas": 3}
    assert canned.requests[0][1] == f"{BASE}/a/scale"


@pytest.mark.parametrize("form", ["full", "metadata"])
async def test_a_list_and_a_watch_ask_for_what_is_wanted(form):
    page = {"items": [], "metadata": {"resourceVersion": "7"}}
    canned = Canned(reply(page), reply(b""))
    selector = Selector("app=x", "metadata.name=a", form)
    async with client_of(canned) as client:
        assert [page.resource_version async for page in client.list(GIZMO, selector=selector)] == ["7"]
        assert [event async for event in client.watch(GIZMO, options=WatchOptions("7", selector=selector))] == []
    chosen = {"labelSelector": "app=x", "fieldSelector": "metadata.name=a"}
    (_, listed, list_headers, _), (_, watched, watch_headers, _) = canned.requests
    assert dict(parse_qsl(urlsplit(listed).query)) == {"limit": "500"} | chosen
    wanted = {"watch": "1", "resourceVersion": "7", "allowWatchBookmarks": "true", "timeoutSeconds": "45"}
    assert dict(parse_qsl(urlsplit(watched).query)) == wanted | chosen
    asks = [headers["Accept"] for headers in (list_headers, watch_headers)]
    if form == "full":
        assert asks == ["application/json"] * 2
    else:
        assert "as=PartialObjectMetadataList;" in asks[0]
        assert "as=PartialObjectMetadata;" in asks[1]


async def test_a_name_that_no_path_may_hold_is_escaped(gizmo):
    canned = Canned(reply(gizmo()))
    async with client_of(canned) as client:
        await client.get(GIZMO, "system:a b?")
    assert canned.requests[0][1] == f"{BASE}/system:a%20b%3F"
