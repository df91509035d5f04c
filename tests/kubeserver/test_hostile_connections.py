"""Connections that are slow, broken, half open or too big: each is bounded, and none harms the others."""

import asyncio
import ssl
from collections.abc import AsyncIterator

import orjson
import pytest

from lambent.kubeserver import KubeServer
from tests.kubeserver.asking import CONFIGMAPS, configmap

REAL_TIME = True


class Line:
    """One plain-text connection, written and read by hand."""

    def __init__(self, server: KubeServer, port: int) -> None:
        self._token, self._port = server.token, port

    async def __aenter__(self) -> "Line":
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.close()
        await asyncio.gather(self.writer.wait_closed(), return_exceptions=True)

    def head(self, method: str, path: str, *more: str) -> bytes:
        lines = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {self._token}", *more, "", ""]
        return "\r\n".join(lines).encode()

    async def ask(self, method: str, path: str, body: bytes = b"", *more: str) -> tuple[int, bytes]:
        length = f"Content-Length: {len(body)}"
        self.writer.write(self.head(method, path, length, "Content-Type: application/json", *more) + body)
        return await self.answer()

    async def answer(self) -> tuple[int, bytes]:
        async with asyncio.timeout(5):
            head = await self.reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            return int(head.split()[1]), await self.reader.readexactly(length)


@pytest.fixture
async def server() -> AsyncIterator[KubeServer]:
    running = KubeServer(state_dir=None)
    running.port = await running.startup("127.0.0.1", 0)  # type: ignore[attr-defined]  # only for these tests
    yield running
    await running.shutdown()


@pytest.fixture
async def dial(server):
    """Opens a connection; at the end the server must still answer on a fresh one."""

    def dial() -> Line:
        return Line(server, server.port)

    yield dial
    async with dial() as line:
        assert (await line.ask("GET", "/readyz"))[0] == 200


async def test_bytes_that_are_no_http_are_refused_and_closed(dial):
    for raw in (b"\x00\x01\x02\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"SSH-2.0-x\r\n\r\n"):
        async with dial() as line:
            line.writer.write(raw)
            async with asyncio.timeout(5):
                head, _, body = (await line.reader.read()).partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 400"), raw
            assert orjson.loads(body)["kind"] == "Status"


async def test_two_lengths_of_one_body_are_refused(dial):
    async with dial() as line:
        more = ("Content-Length: 5", "Transfer-Encoding: chunked")
        line.writer.write(line.head("POST", CONFIGMAPS, *more) + b"0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n")
        async with asyncio.timeout(5):
            answer = await line.reader.read()
        assert answer.startswith(b"HTTP/1.1 400")
        assert answer.count(b"HTTP/1.1 ") == 1


async def test_a_head_without_end_is_cut_off(dial):
    async with dial() as line:
        line.writer.write(line.head("GET", "/version")[:-2] + b"X: " + b"x" * 200_000)
        code, body = await line.answer()
        assert (code, orjson.loads(body)["kind"]) == (431, "Status")


async def test_a_body_announced_as_huge_is_refused_before_it_is_sent(dial):
    async with dial() as line:
        line.writer.write(line.head("POST", CONFIGMAPS, f"Content-Length: {10**12}"))
        code, body = await line.answer()
        assert (code, orjson.loads(body)["reason"]) == (413, "RequestEntityTooLarge")


async def test_a_body_over_the_limit_of_the_api_is_a_status(dial):
    async with dial() as line:
        code, body = await line.ask("POST", CONFIGMAPS, b"x" * (4 * 1024 * 1024))
        status = orjson.loads(body)
        assert (code, status["reason"]) == (413, "RequestEntityTooLarge")


async def test_a_client_that_sends_byte_by_byte_holds_up_nobody(dial):
    raw = orjson.dumps(configmap("slow"))
    async with dial() as slow, dial() as fast:
        head = slow.head("POST", CONFIGMAPS, f"Content-Length: {len(raw)}", "Content-Type: application/json")
        for byte in head + raw[:-1]:
            slow.writer.write(bytes([byte]))
            await slow.writer.drain()
        for number in range(20):
            assert (await fast.ask("POST", CONFIGMAPS, orjson.dumps(configmap(f"c{number}"))))[0] == 201
        slow.writer.write(raw[-1:])
        assert (await slow.answer())[0] == 201


async def test_watches_whose_reader_left_or_sleeps_delay_no_write_and_are_given_up(dial, server):
    lines = [dial() for _ in range(20)]
    async with dial() as writer:
        for line in lines:
            await line.__aenter__()
            line.writer.write(line.head("GET", f"{CONFIGMAPS}?watch=1"))
            await line.reader.readuntil(b"\r\n\r\n")
        for line in lines[:10]:
            line.writer.transport.abort()
        async with asyncio.timeout(20):
            for number in range(100):
                body = orjson.dumps(configmap(f"c{number}", {"a": "x" * 20_000}))
                assert (await writer.ask("POST", CONFIGMAPS, body))[0] == 201
    for line in lines:
        await line.__aexit__()


async def test_a_request_after_another_on_one_connection_is_answered_in_order(dial):
    async with dial() as line:
        line.writer.write(line.head("GET", "/version") + line.head("GET", "/nothing") + line.head("GET", "/api/v1"))
        assert [(await line.answer())[0] for _ in range(3)] == [200, 404, 200]


async def test_a_handshake_that_stops_halfway_harms_nobody(dial, server):
    async with dial() as line:
        line.writer.write(b"\x16\x03\x01\x02\x00\x01")
        async with dial() as other:
            assert (await other.ask("GET", "/version"))[0] == 200


async def test_a_client_that_trusts_another_authority_is_not_talked_to(server):
    with pytest.raises(ssl.SSLCertVerificationError):
        await asyncio.open_connection("127.0.0.1", server.port, ssl=ssl.create_default_context())


@pytest.mark.parametrize(
    ("more", "code"),
    [(("Host: evil.example.org",), 403), (("Origin: https://evil.example.org",), 403), (("Origin: null",), 403)],
    ids=["host", "origin", "no-origin"],
)
async def test_a_page_of_another_site_is_refused_with_a_status(dial, more, code):
    async with dial() as line:
        head = line.head("GET", CONFIGMAPS, *more)
        line.writer.write(head.replace(b"Host: localhost\r\n", b"") if more[0].startswith("Host") else head)
        status, body = await line.answer()
        assert (status, orjson.loads(body)["reason"]) == (code, "Forbidden")
