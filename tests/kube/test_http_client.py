"""The client on the wire: what an answer means, and what a cancelled call leaves behind."""

import asyncio
from contextlib import aclosing

import orjson
import pytest
from aiohttp import web

from lambent.kube import metrics
from lambent.kube.errors import Conflict, Gone, Invalid, KubeError, NotFound, ServerError, Unauthorized
from lambent.kube.types import GVK, Selector, WatchOptions
from tests.kube.canned import BASE, DISCOVERY, GIZMO, Canned, client_of, reply, status

REAL_TIME = True


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
    assert caught.value.what == "create Gizmo default/a"
    assert caught.value.code == code
    if code == 422:
        assert caught.value.causes == (("spec.x", "Required value"),)


async def test_a_list_whose_page_token_expired_starts_again_once(gizmo):
    def page(name, token=""):
        return reply({"items": [gizmo(name)], "metadata": {"resourceVersion": "7", "continue": token}})

    canned = Canned(page("a", "t"), reply(status(410, "Expired"), 410), page("a", "t"), page("b"))
    async with client_of(canned) as client:
        pages = [page async for page in client.list(GIZMO, namespace="default", selector=Selector("app=x"), limit=1)]
    assert [obj["metadata"]["name"] for page in pages for obj in page.items] == ["a", "b"]
    assert canned.requests[1][1] == f"{BASE}?limit=1&labelSelector=app%3Dx&continue=t"


async def test_a_list_whose_page_token_expired_twice_is_gone(gizmo):
    first = {"items": [gizmo("a")], "metadata": {"resourceVersion": "7", "continue": "t"}}
    canned = Canned(*(reply(*answer) for _ in range(2) for answer in ((first, 200), (status(410, "Expired"), 410))))
    async with client_of(canned) as client:
        with pytest.raises(Gone):
            _ = [page async for page in client.list(GIZMO)]
    assert len(canned.requests) == 4


async def test_a_watch_yields_events_until_its_end_and_raises_gone(gizmo):
    event = {"type": "ADDED", "object": gizmo(metadata={"resourceVersion": "3"})}
    gone = {"type": "ERROR", "object": status(410, "Expired")}
    canned = Canned(
        reply(orjson.dumps(event) + b"\n"), reply(orjson.dumps(gone) + b"\n"), reply(status(410, "Expired"), 410)
    )
    async with client_of(canned) as client:
        options = WatchOptions("2")
        events = [event async for event in client.watch(GIZMO, options=options)]
        for _ in ("as an event", "as a status"):
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


async def test_an_error_about_a_secret_shows_no_value():
    cause = {"field": "data[key]", "message": 'Invalid value: "canary"'}
    refusal = status(422, "Invalid", 'Secret "a" is invalid: data[key]: Invalid value: "canary"', causes=[cause])
    absent = status(404, "NotFound", 'secrets "a" not found')
    secret = GVK("", "v1", "Secret")
    async with client_of(Canned(reply(refusal, 422), reply(absent, 404))) as client:
        with pytest.raises(Invalid) as caught:
            await client.patch(secret, "a", {"data": {"key": "canary"}})
        with pytest.raises(NotFound, match="get Secret default/a: secrets"):
            await client.get(secret, "a")
        assert secret in client._kinds
    assert "canary" not in repr(caught.value.__dict__)
    assert "data[key]" in str(caught.value)


AGGREGATED = {
    "kind": "APIGroupDiscoveryList",
    "items": [
        {
            "metadata": {"name": "example.org"},
            "versions": [
                {
                    "version": "v1",
                    "resources": [
                        {
                            "resource": "gizmos",
                            "responseKind": {"group": "example.org", "version": "v1", "kind": "Gizmo"},
                            "scope": "Namespaced",
                            "verbs": ["get"],
                            "subresources": [{"subresource": "status"}],
                        }
                    ],
                }
            ],
        }
    ],
}


@pytest.mark.parametrize("is_aggregated", [True, False])
async def test_discovery_is_asked_once_in_the_newest_form_that_is_served(is_aggregated):
    asked: list[tuple[str, str]] = []

    class Discovering(Canned):
        async def answer(self, request):
            asked.append((request.path, request.headers["Accept"]))
            if is_aggregated and "g=apidiscovery.k8s.io" in request.headers["Accept"]:
                return reply(AGGREGATED if request.path == "/apis" else {"kind": "APIGroupDiscoveryList", "items": []})
            return reply(DISCOVERY[request.path])

    async with client_of(Discovering()) as client:
        for _ in range(2):
            info = await client.resolve(GIZMO)
    assert (info.plural, info.namespaced, info.subresources) == ("gizmos", True, {"status"})
    assert [path for path, _ in asked] == ["/api", "/apis", *([] if is_aggregated else ["/apis/example.org/v1"])]
    assert asked[0][1].startswith("application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList")


async def test_requests_are_counted_with_verb_kind_and_code(gizmo):
    canned = Canned(reply(gizmo()), reply(status(409, "Conflict"), 409), reply(b""))

    def counted(verb, code):
        return metrics.REQUESTS.labels(verb, "Gizmo", code).value

    before = counted("get", "200"), counted("patch", "409"), counted("watch", "200")
    async with client_of(canned) as client:
        await client.get(GIZMO, "a")
        with pytest.raises(Conflict):
            await client.patch(GIZMO, "a", {})
        assert [event async for event in client.watch(GIZMO)] == []
    after = counted("get", "200"), counted("patch", "409"), counted("watch", "200")
    assert [new - old for new, old in zip(after, before, strict=True)] == [1, 1, 1]


class Raw(Canned):
    """Keeps the paths as they came."""

    def __init__(self, *answers):
        super().__init__(*answers)
        self.paths = []

    async def answer(self, request: web.Request):
        if request.path not in DISCOVERY:
            self.paths.append(request.raw_path)
        return await super().answer(request)


@pytest.mark.parametrize(
    ("namespace", "name", "path"),
    [
        ("default?a=", "a", "default%3Fa%3D/gizmos/a"),
        ("default", "a b?c#d", "default/gizmos/a%20b%3Fc%23d"),
        ("default", "system:a", "default/gizmos/system:a"),
    ],
)
async def test_a_name_and_a_namespace_are_one_segment_of_a_path_each(gizmo, namespace, name, path):
    canned = Raw(reply(gizmo()), reply({"items": []}), reply(gizmo()))
    async with client_of(canned) as client:
        await client.get(GIZMO, name, namespace=namespace)
        assert [page.items async for page in client.list(GIZMO, namespace=namespace)] == [[]]
        await client.create({**gizmo(), "metadata": {"name": "a", "namespace": namespace}})
    written = f"{BASE.partition('default')[0]}{path}"
    collection = written.rpartition("/")[0]
    assert [path.partition("?")[0] for path in canned.paths] == [written, collection, collection]


@pytest.mark.parametrize("name", [".", "..", "a/b", "../../nodes/n", "a%2Fb"])
async def test_what_could_be_taken_for_more_of_a_path_than_a_name_is_refused(name):
    canned = Canned()
    async with client_of(canned) as client:
        with pytest.raises(Invalid):
            await client.delete(GIZMO, name, namespace="default")
        with pytest.raises(Invalid):
            await client.get(GIZMO, "a", namespace=name)
    assert canned.requests == []
