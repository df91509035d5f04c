"""When the client tries again: throttling, broken connections, silence, old credentials."""

import asyncio
import random
import socket

import orjson
import pytest
from aiohttp import ClientTimeout, web

from lambent.kube import transport as transport_module
from lambent.kube.credentials import TokenFile
from lambent.kube.errors import Throttled, Unauthorized, Unreachable
from lambent.kube.http_client import HttpClient
from lambent.kube.http_request import HttpRequest, RetryPolicy
from lambent.kube.kubeconfig import ClusterConfig
from lambent.kube.transport import Transport
from lambent.kube.types import Preconditions, ResourceInfo
from tests.kube.canned import GIZMO, Canned, client_of, reply, status

REAL_TIME = True


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


async def test_a_call_is_tried_five_times(gizmo):
    canned = Canned(*(reply(status(429, "TooManyRequests"), 429) for _ in range(6)))
    async with client_of(canned, retry=RetryPolicy(first_s=0.001)) as client:
        with pytest.raises(Throttled):
            await client.get(GIZMO, "a")
    assert len(canned.requests) == 5


async def test_tries_are_spread_between_nothing_and_a_doubling_bound():
    transport = Transport(ClusterConfig("http://none"), component="test")
    request = HttpRequest("GET", "/", ("get",), is_repeatable=True)
    for attempt in range(1, 5):
        delays = [transport._retry_delay_s(request, Unreachable("x"), attempt) or 0.0 for _ in range(200)]
        assert 0 <= min(delays) < 0.05 * 2**attempt < max(delays) <= 0.1 * 2**attempt


async def test_a_read_survives_a_cut_connection_and_a_bare_write_does_not(gizmo):
    canned = Canned("cut", reply(gizmo()), "cut", "cut", reply(gizmo()))
    async with client_of(canned) as client:
        await client.get(GIZMO, "a")
        with pytest.raises(Unreachable):
            await client.create(gizmo())
        await client.patch(GIZMO, "a", {"metadata": {"resourceVersion": "5"}})
    assert [method for method, *_ in canned.requests] == ["GET", "GET", "POST", "PATCH", "PATCH"]


@pytest.mark.parametrize("verb", ["replace", "delete", "patch", "create", "apply"])
async def test_a_kept_connection_that_breaks_repeats_no_bare_write(gizmo, verb):
    canned = Canned(reply(gizmo()), "cut", reply(gizmo()))
    async with client_of(canned) as client:
        await client.get(GIZMO, "a")
        calls = {
            "replace": lambda: client.replace(gizmo()),
            "delete": lambda: client.delete(GIZMO, "a", preconditions=Preconditions()),
            "patch": lambda: client.patch(GIZMO, "a", {}),
            "apply": lambda: client.apply(gizmo(), manager="m", force=True),
            "create": lambda: client.create(gizmo()),
        }
        with pytest.raises(Unreachable):
            await calls[verb]()
    assert len(canned.requests) == 2


@pytest.mark.parametrize("verb", ["replace", "delete", "patch", "apply"])
async def test_a_precondition_makes_a_repeat_harmless(gizmo, verb):
    obj = gizmo(metadata={"resourceVersion": "5"})
    canned = Canned("cut", reply(obj))
    async with client_of(canned) as client:
        calls = {
            "replace": lambda: client.replace(obj),
            "delete": lambda: client.delete(GIZMO, "a", preconditions=Preconditions("u")),
            "patch": lambda: client.patch(GIZMO, "a", [{"op": "test", "path": "/x", "value": 1}], kind="json"),
            "apply": lambda: client.apply(obj, manager="m"),
        }
        await calls[verb]()
    assert len(canned.requests) == 2


class Refusals(random.Random):
    """Tells of each wait before another try, which it makes short."""

    def __init__(self):
        self.heard = asyncio.Event()

    def uniform(self, a, b):
        self.heard.set()
        return 0.01


async def test_a_write_of_which_no_byte_left_is_tried_again(gizmo):
    """The port is taken but nobody listens, until the client was refused once."""
    canned = Canned(reply(gizmo()))
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", canned.answer)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        config = ClusterConfig(f"http://127.0.0.1:{taken.getsockname()[1]}")
        async with HttpClient(config, retry=RetryPolicy(tries=10_000)) as client, asyncio.timeout(60):
            client._transport._rng = refusals = Refusals()
            client._kinds[GIZMO] = ResourceInfo(GIZMO, "gizmos", True)
            call = asyncio.create_task(client.create(gizmo()))
            await refusals.heard.wait()
            runner = web.AppRunner(app)
            await runner.setup()
            await web.SockSite(runner, taken).start()
            await call
            await client.close()
            await runner.cleanup()
    assert len(canned.requests) == 1


async def test_a_server_that_is_not_there_is_unreachable(unused_tcp_port):
    config = ClusterConfig(f"http://127.0.0.1:{unused_tcp_port}")
    async with HttpClient(config, retry=RetryPolicy(first_s=0.001)) as client:
        with pytest.raises(Unreachable):
            await client.get(GIZMO, "a")


@pytest.mark.parametrize(
    ("scheme", "name", "limit"),
    [("http", "_SILENCE_S", 0.05), ("https", "_CALL", ClientTimeout(total=None, sock_connect=0.05))],
    ids=["http", "https"],
)
async def test_a_server_that_says_nothing_is_unreachable(monkeypatch, scheme, name, limit):
    """Over TLS the handshake gets no answer, so the limit is the one of connecting."""
    assert (transport_module._CALL.sock_connect, transport_module._SILENCE_S) == (5, 30)
    monkeypatch.setattr(transport_module, name, limit)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        config = ClusterConfig(f"{scheme}://127.0.0.1:{silent.getsockname()[1]}")
        async with HttpClient(config, retry=RetryPolicy(tries=2, first_s=0.001)) as client:
            with pytest.raises(Unreachable, match="no answer in time"):
                await client.get(GIZMO, "a")


@pytest.mark.filterwarnings("ignore:Sending a large body")
async def test_a_server_that_does_not_take_the_request_is_unreachable(monkeypatch, gizmo):
    monkeypatch.setattr(transport_module, "_SILENCE_S", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        config = ClusterConfig(f"http://127.0.0.1:{deaf.getsockname()[1]}")
        async with HttpClient(config, retry=RetryPolicy(tries=1)) as client:
            client._kinds[GIZMO] = ResourceInfo(GIZMO, "gizmos", True)
            with pytest.raises(Unreachable, match="no answer in time"):
                await client.create(gizmo(spec={"text": "x" * 30_000_000}))


async def test_more_watches_than_any_pool_has_starve_no_call(gizmo):
    class Watched(Canned):
        async def answer(self, request):
            if "watch=1" not in request.query_string:
                return await super().answer(request)
            response = web.StreamResponse()
            await response.prepare(request)
            event = {"type": "ADDED", "object": gizmo(metadata={"resourceVersion": "3"})}
            await response.write(orjson.dumps(event) + b"\n")
            await asyncio.Event().wait()
            return response

    async with client_of(Watched(reply(gizmo()))) as client, asyncio.timeout(60):
        streams = [client.watch(GIZMO) for _ in range(120)]
        await asyncio.gather(*(anext(stream) for stream in streams))
        assert (await client.get(GIZMO, "a"))["kind"] == "Gizmo"
        await asyncio.gather(*(stream.aclose() for stream in streams))


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


async def test_a_second_401_is_final(tmp_path):
    token = tmp_path / "token"
    token.write_text("no")
    canned = Canned(*(reply(status(401, "Unauthorized"), 401) for _ in range(4)))
    async with client_of(canned, credentials=TokenFile(token)) as client:
        with pytest.raises(Unauthorized):
            await client.get(GIZMO, "a")
        with pytest.raises(Unauthorized):
            _ = [event async for event in client.watch(GIZMO)]
    assert len(canned.requests) == 4


async def test_a_watch_renews_its_credentials_once(tmp_path):
    token = tmp_path / "token"
    token.write_text("old")
    canned = Canned(reply(b""), reply(status(401, "Unauthorized"), 401), reply(b""))
    async with client_of(canned, credentials=TokenFile(token)) as client:
        assert [event async for event in client.watch(GIZMO)] == []
        token.write_text("new")
        assert [event async for event in client.watch(GIZMO)] == []
    assert [headers["Authorization"] for _, _, headers, _ in canned.requests] == [
        "Bearer old",
        "Bearer old",
        "Bearer new",
    ]
