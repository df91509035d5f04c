"""The client on the wire: what it sends, when it tries again, what an answer means."""

import asyncio
from contextlib import aclosing, asynccontextmanager

import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from lambent.kube.credentials import TokenFile
from lambent.kube.errors import (
    Conflict,
    Gone,
    Invalid,
    KubeError,
    NotFound,
    ServerError,
    Throttled,
    Unauthorized,
    Unreachable,
)
from lambent.kube.fencing import FencedClient
from lambent.kube.http_client import HttpClient
from lambent.kube.http_request import RetryPolicy
from lambent.kube.kubeconfig import ClusterConfig, Impersonation
from lambent.kube.leader import Term
from lambent.kube.types import GVK, Preconditions, Selector, WatchOptions

REAL_TIME = True
GIZMO = GVK("example.org", "v1", "Gizmo")
BASE = "/apis/example.org/v1/namespaces/default/gizmos"
RESOURCES = {
    "kind": "APIResourceList",
    "groupVersion": "example.org/v1",
    "resources": [
        {"name": "gizmos", "kind": "Gizmo", "namespaced": True, "verbs": ["get"]},
        {"name": "gizmos/status", "kind": "Gizmo", "namespaced": True, "verbs": ["get"]},
    ],
}
DISCOVERY = {"/api": {}, "/apis": {}, "/apis/example.org/v1": RESOURCES}


def status(code, reason, message="m", **details):
    return {"kind": "Status", "code": code, "reason": reason, "message": message, "details": details}


def reply(body, code=200, **headers):
    return web.Response(
        body=body if isinstance(body, bytes) else orjson.dumps(body),
        status=code,
        content_type="application/json",
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )


class Canned:
    """A server that answers from a list and keeps what it was asked."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.requests = []

    async def answer(self, request: web.Request):
        if request.path in DISCOVERY:
            return reply(DISCOVERY[request.path])
        self.requests.append((request.method, request.path_qs, dict(request.headers), await request.read()))
        answer = self.answers.pop(0)
        if answer == "cut":
            assert request.transport is not None
            request.transport.abort()
            return reply({})
        return answer


@asynccontextmanager
async def client_of(canned, **config):
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", canned.answer)
    async with TestServer(app) as server:
        url = f"http://127.0.0.1:{server.port}"
        async with HttpClient(ClusterConfig(url, **config), component="test") as client:
            yield client


async def test_a_write_says_who_and_how_strictly(gizmo):
    canned = Canned(reply(gizmo()), reply(gizmo()))
    async with client_of(canned, impersonation=Impersonation("jane", ("a", "b"))) as client:
        await client.create(gizmo(), manager="m", dry_run=True)
        await client.patch(GIZMO, "a", {"status": {}}, subresource="status")
    (method, path, headers, _), (_, patch_path, patch_headers, _) = canned.requests
    assert (method, path) == ("POST", f"{BASE}?fieldValidation=Strict&fieldManager=m&dryRun=All")
    assert headers["User-Agent"].startswith("lambent-test/")
    assert headers["Impersonate-User"] == "jane"
    assert patch_path == f"{BASE}/a/status?fieldValidation=Ignore"
    assert patch_headers["Content-Type"] == "application/merge-patch+json"


async def test_a_delete_sends_its_preconditions():
    canned = Canned(reply({"kind": "Status"}))
    async with client_of(canned) as client:
        await client.delete(GIZMO, "a", propagation="Foreground", preconditions=Preconditions("u", "5"))
    body = orjson.loads(canned.requests[0][3])
    assert body["preconditions"] == {"uid": "u", "resourceVersion": "5"}
    assert body["propagationPolicy"] == "Foreground"


@pytest.mark.parametrize(
    ("code", "body", "error"),
    [
        (404, status(404, "NotFound", 'gizmos "a" not found'), NotFound),
        (409, status(409, "Conflict"), Conflict),
        (422, status(422, "Invalid", causes=[{"field": "spec.x", "message": "Required value"}]), Invalid),
        (410, status(410, "Expired"), Gone),
        (500, b"<html>oops", ServerError),
        (401, status(401, "Unauthorized"), Unauthorized),
        (302, b"", KubeError),
    ],
    ids=["404", "409", "422", "410", "500-page", "401", "redirect"],
)
async def test_an_answer_that_is_no_success_is_its_error(gizmo, code, body, error):
    canned = Canned(reply(body, code))
    async with client_of(canned) as client:
        with pytest.raises(error) as caught:
            await client.create(gizmo())
    assert caught.value.what == "create Gizmo a"
    if code == 422:
        assert caught.value.causes == (("spec.x", "Required value"),)


async def test_throttling_is_waited_out_and_a_long_wait_is_the_callers(gizmo):
    busy = {"code": 429, "body": status(429, "TooManyRequests")}
    canned = Canned(
        reply(busy["body"], 429, Retry_After="0"),
        reply(busy["body"], 503, Retry_After="0"),
        reply(gizmo()),
        reply(busy["body"], 429, Retry_After="60"),
    )
    async with client_of(canned) as client:
        await client.create(gizmo())
        with pytest.raises(Throttled) as caught:
            await client.create(gizmo())
    assert caught.value.retry_after_s == 60
    assert len(canned.requests) == 4


async def test_a_read_survives_a_cut_connection_and_a_bare_write_does_not(gizmo):
    canned = Canned("cut", reply(gizmo()), "cut", "cut", reply(gizmo()))
    async with client_of(canned) as client:
        await client.get(GIZMO, "a")
        with pytest.raises(Unreachable):
            await client.create(gizmo())
        await client.patch(GIZMO, "a", {"metadata": {"resourceVersion": "5"}})
    assert [method for method, *_ in canned.requests] == ["GET", "GET", "POST", "PATCH", "PATCH"]


async def test_a_server_that_is_not_there_is_unreachable(unused_tcp_port):
    config = ClusterConfig(f"http://127.0.0.1:{unused_tcp_port}")
    async with HttpClient(config, retry=RetryPolicy(first_s=0.001)) as client:
        with pytest.raises(Unreachable):
            await client.get(GIZMO, "a")


async def test_a_rotated_token_is_read_after_a_401(tmp_path, gizmo):
    token = tmp_path / "token"
    token.write_text("old\n")
    canned = Canned(reply(gizmo()), reply(status(401, "Unauthorized"), 401), reply(gizmo()))
    async with client_of(canned, credentials=TokenFile(token)) as client:
        await client.get(GIZMO, "a")
        token.write_text("new\n")
        await client.get(GIZMO, "a")
    sent = [headers["Authorization"] for _, _, headers, _ in canned.requests]
    assert sent == ["Bearer old", "Bearer old", "Bearer new"]


async def test_a_list_whose_page_token_expired_starts_again_once(gizmo):
    def page(name, token=""):
        return reply({"items": [gizmo(name)], "metadata": {"resourceVersion": "7", "continue": token}})

    canned = Canned(page("a", "t"), reply(status(410, "Expired"), 410), page("a", "t"), page("b"))
    async with client_of(canned) as client:
        pages = [page async for page in client.list(GIZMO, namespace="default", selector=Selector("app=x"), limit=1)]
    assert [obj["metadata"]["name"] for page in pages for obj in page.items] == ["a", "b"]
    assert canned.requests[1][1] == f"{BASE}?limit=1&labelSelector=app%3Dx&continue=t"


async def test_a_watch_yields_events_until_its_end_and_raises_gone(gizmo):
    event = {"type": "ADDED", "object": gizmo(metadata={"resourceVersion": "3"})}
    gone = {"type": "ERROR", "object": status(410, "Expired")}
    canned = Canned(reply(orjson.dumps(event) + b"\n"), reply(orjson.dumps(gone) + b"\n"))
    async with client_of(canned) as client:
        options = WatchOptions("2")
        events = [event async for event in client.watch(GIZMO, options=options)]
        with pytest.raises(Gone):
            _ = [event async for event in client.watch(GIZMO, options=options)]
    assert [event.type for event in events] == ["ADDED"]
    assert "resourceVersion=2" in canned.requests[0][1]


async def test_a_kind_that_is_gone_is_looked_up_again(gizmo):
    canned = Canned(reply(b"404 page not found", 404), reply(gizmo()))
    async with client_of(canned) as client:
        with pytest.raises(NotFound):
            await client.get(GIZMO, "a")
        assert GIZMO not in client._kinds
        await client.get(GIZMO, "a")
        with pytest.raises(NotFound):
            await client.resolve(GVK("example.org", "v1", "Unknown"))


async def test_a_fenced_write_carries_its_term(gizmo):
    canned = Canned(reply(gizmo()), reply(gizmo()))
    async with client_of(canned) as client:
        term = Term("l", 7, asyncio.get_running_loop().time() + 10)
        await FencedClient(client, term).create(gizmo())
        await client.create(gizmo())
    assert [headers.get("Lambent-Fence") for _, _, headers, _ in canned.requests] == ["l/7", None]


class Slow(Canned):
    """Waits before each answer until told."""

    def __init__(self, *answers):
        super().__init__(*answers)
        self.arrived, self.go_on = asyncio.Event(), asyncio.Event()

    async def answer(self, request):
        if request.path not in DISCOVERY:
            self.arrived.set()
            await self.go_on.wait()
        return await super().answer(request)


async def test_a_cancelled_call_leaves_the_client_usable(gizmo):
    canned = Slow(reply(gizmo()), reply(gizmo()))
    async with client_of(canned) as client:
        call = asyncio.create_task(client.get(GIZMO, "a"))
        await canned.arrived.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        canned.go_on.set()
        assert (await client.get(GIZMO, "a"))["kind"] == "Gizmo"


async def test_a_watch_left_early_closes_its_connection(gizmo):
    closed = asyncio.Event()

    class Endless(Canned):
        async def answer(self, request):
            if request.path in DISCOVERY:
                return await super().answer(request)
            response = web.StreamResponse()
            await response.prepare(request)
            event = {"type": "ADDED", "object": gizmo(metadata={"resourceVersion": "3"})}
            await response.write(orjson.dumps(event) + b"\n")
            try:
                await asyncio.Event().wait()
            finally:
                closed.set()
            return response

    async with client_of(Endless()) as client, asyncio.timeout(10):
        async with aclosing(client.watch(GIZMO)) as stream:
            assert (await anext(stream)).type == "ADDED"
        await closed.wait()


async def test_a_log_comes_in_chunks():
    pods = {
        "kind": "APIResourceList",
        "groupVersion": "v1",
        "resources": [{"name": "pods", "kind": "Pod", "namespaced": True}],
    }
    canned = Canned(web.Response(body=b"one\ntwo\n"))
    with_pods = {**DISCOVERY, "/api/v1": pods}

    class Pods(Canned):
        async def answer(self, request):
            if request.path in with_pods:
                return reply(with_pods[request.path])
            return await canned.answer(request)

    async with client_of(Pods()) as client:
        chunks = [chunk async for chunk in client.logs("p", container="c", tail_lines=2)]
    assert b"".join(chunks) == b"one\ntwo\n"
    assert canned.requests[0][1] == "/api/v1/namespaces/default/pods/p/log?container=c&tailLines=2"


async def test_an_error_about_a_secret_shows_no_value():
    core = {
        "kind": "APIResourceList",
        "groupVersion": "v1",
        "resources": [{"name": "secrets", "kind": "Secret", "namespaced": True}],
    }
    cause = {"field": "data[key]", "message": 'Invalid value: "canary"'}
    refusal = status(422, "Invalid", 'Secret "a" is invalid: data[key]: Invalid value: "canary"', causes=[cause])

    class Secrets(Canned):
        async def answer(self, request):
            return reply(core) if request.path == "/api/v1" else await super().answer(request)

    async with client_of(Secrets(reply(refusal, 422))) as client:
        with pytest.raises(Invalid) as caught:
            await client.patch(GVK("", "v1", "Secret"), "a", {"data": {"key": "canary"}})
    assert "canary" not in repr(caught.value.__dict__)
    assert "data[key]" in str(caught.value)
