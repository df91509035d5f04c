"""The server's answers on the wire, byte by byte."""

import asyncio
from email.utils import formatdate

import pytest

from lambent.http import Limits, Pushing, Request, Response, Shared, wire
from lambent.http.message import Outlet

CLOSE = b"Connection: close\r\n"


async def test_a_get_is_answered_with_length_and_date(serve, echo_service):
    running = await serve(echo_service)
    peer = await running.connect()
    await peer.send(b"GET /a%2Fb?x=%20 HTTP/1.1\r\nHost: h\r\n\r\n")
    head = await peer.until(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\ndate: ")
    assert head.endswith(b"GMT\r\ncontent-length: 17\r\n\r\n")
    assert await peer.exactly(17) == b"GET /a%2Fb?x=%20|"


@pytest.mark.parametrize("second", [0, 951_782_399, 1_709_251_199, 1_795_263_242, 4_102_444_800])
def test_a_date_is_written_as_http_has_it(second, monkeypatch):
    monkeypatch.setattr("lambent.http.wire.time.time", lambda: second + 0.9)
    line = wire.head(204, [], framing=wire.Framing.NONE).split(b"\r\n")[1]
    assert line == f"date: {formatdate(second, usegmt=True)}".encode()


async def test_pipelined_requests_are_answered_in_order(serve):
    first_may_end = asyncio.Event()

    async def service(request: Request) -> Response:
        if request.target == b"/1":
            await first_may_end.wait()
        else:
            first_may_end.set()
        return Response(body=request.target)

    running = await serve(service)
    peer = await running.connect()
    await peer.send(b"GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\nGET /3 HTTP/1.1\r\n%b\r\n" % CLOSE)
    await running.talk(b"GET /free HTTP/1.1\r\n%b\r\n" % CLOSE)
    answer = await peer.rest()
    assert [part[:2] for part in answer.split(b"\r\n\r\n")[1:]] == [b"/1", b"/2", b"/3"]


async def test_hundreds_of_pipelined_requests_are_all_answered(serve, echo_service):
    running = await serve(echo_service)
    requests = b"".join(b"POST /%d HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc" % n for n in range(300))
    answer = await running.talk(requests + b"GET /end HTTP/1.1\r\n%b\r\n" % CLOSE)
    assert answer.count(b"HTTP/1.1 200 OK") == 301
    assert answer.endswith(b"GET /end|")


async def test_a_request_may_arrive_byte_by_byte(serve, echo_service):
    running = await serve(echo_service)
    peer = await running.connect()
    for byte in b"POST /p HTTP/1.1\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi":
        await peer.send(bytes([byte]))
    assert (await peer.rest()).endswith(b"\r\n\r\nPOST /p|hi")


async def test_a_chunked_body_is_joined_and_its_trailers_dropped(serve):
    seen: list[Request] = []

    async def service(request: Request) -> Response:
        seen.append(request)
        return Response(204)

    running = await serve(service)
    body = b"3\r\nabc\r\n2;ext=1\r\nde\r\n0\r\nX-Trailer: t\r\n\r\n"
    answer = await running.talk(b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n%b\r\n%b" % (CLOSE, body))
    assert seen[0].body == b"abcde"
    assert seen[0].header(b"x-trailer") == b""
    assert answer == b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n"


async def test_an_iterator_is_sent_in_chunks(serve):
    async def service(request: Request) -> Response:
        async def parts():
            for part in (b"one", b"", b"three"):
                yield part

        return Response(body=parts())

    running = await serve(service)
    answer = await running.talk(b"GET / HTTP/1.1\r\n%b\r\n" % CLOSE)
    assert answer.endswith(
        b"transfer-encoding: chunked\r\nconnection: close\r\n\r\n3\r\none\r\n5\r\nthree\r\n0\r\n\r\n"
    )


async def test_http_1_0_gets_a_stream_that_ends_with_the_connection(serve):
    async def service(request: Request) -> Response:
        async def parts():
            yield b"one"
            yield b"two"

        return Response(body=parts())

    running = await serve(service)
    answer = await running.talk(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    assert answer == b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nonetwo"


async def test_http_1_0_may_keep_its_connection(serve, echo_service):
    running = await serve(echo_service)
    request = b"GET /%d HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
    answer = await running.talk(request % 1 + request % 2 + b"GET /3 HTTP/1.0\r\n\r\n")
    assert answer.count(b"connection: keep-alive") == 2
    assert answer.endswith(b"connection: close\r\n\r\nGET /3|")


@pytest.mark.parametrize(
    ("method", "status", "expected"),
    [
        (b"HEAD", 200, b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\nconnection: close\r\n\r\n"),
        (b"GET", 204, b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n"),
        (b"GET", 304, b"HTTP/1.1 304 Not Modified\r\nconnection: close\r\n\r\n"),
    ],
)
async def test_answers_without_content_send_none(serve, method, status, expected):
    async def service(request: Request) -> Response:
        return Response(status, body=b"body")

    running = await serve(service)
    assert await running.talk(b"%b / HTTP/1.1\r\n%b\r\n" % (method, CLOSE)) == expected


async def test_a_head_keeps_the_length_its_service_names(serve):
    async def service(request: Request) -> Response:
        return Response(headers=[(b"Content-Length", b"1234567")])

    running = await serve(service)
    answer = await running.talk(b"HEAD / HTTP/1.1\r\n%b\r\n" % CLOSE)
    assert answer == b"HTTP/1.1 200 OK\r\nContent-Length: 1234567\r\nconnection: close\r\n\r\n"


async def test_expect_100_continue_is_answered_before_the_body(serve, echo_service):
    running = await serve(echo_service)
    peer = await running.connect()
    await peer.send(b"PUT /k HTTP/1.1\r\nContent-Length: 4\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n")
    assert await peer.until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    await peer.send(b"body")
    assert (await peer.rest()).endswith(b"PUT /k|body")


async def test_a_body_over_the_limit_is_refused_before_it_is_sent(serve, echo_service):
    running = await serve(echo_service, limits=Limits(body=lambda method, target, headers: 10))
    answer = await running.talk(b"PUT /k HTTP/1.1\r\nContent-Length: 11\r\nExpect: 100-continue\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"100 Continue" not in answer


async def test_a_chunked_body_over_the_limit_is_refused_when_it_gets_there(serve, echo_service):
    running = await serve(echo_service, limits=Limits(body=lambda method, target, headers: 10))
    answer = await running.talk(b"PUT /k HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n6\r\nabcdef\r\n")
    assert answer.startswith(b"HTTP/1.1 413 ")


async def test_the_limit_depends_on_the_route(serve, echo_service):
    running = await serve(echo_service, limits=Limits(body=lambda method, target, headers: len(target)))
    request = b"PUT %b HTTP/1.1\r\nContent-Length: 5\r\n%b\r\n12345"
    assert (await running.talk(request % (b"/four", CLOSE))).startswith(b"HTTP/1.1 200 ")
    assert (await running.talk(request % (b"/abc", CLOSE))).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("pad", [b"x" * 70_000, b"x" * 400_000])
async def test_headers_over_64_kib_are_refused(serve, echo_service, pad):
    running = await serve(echo_service)
    answer = await running.talk(b"GET / HTTP/1.1\r\nX-Pad: %b\r\n\r\n" % pad)
    assert answer.startswith(b"HTTP/1.1 431 ")


async def test_headers_that_never_end_are_refused(serve, echo_service):
    running = await serve(echo_service)
    assert (await running.talk(b"GET / HTTP/1.1\r\nX-Pad: " + b"x" * 200_000)).startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize(
    "wrong",
    [
        b"\x00\x01\x02\x03\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n",
    ],
)
async def test_what_is_not_http_is_answered_400(serve, echo_service, wrong):
    running = await serve(echo_service)
    assert (await running.talk(wrong)).startswith(b"HTTP/1.1 400 ")


async def test_an_error_behind_a_good_request_does_not_overtake_its_answer(serve, echo_service):
    running = await serve(echo_service)
    answer = await running.talk(b"GET /good HTTP/1.1\r\n\r\n\x00bad\r\n\r\n")
    assert answer.index(b"GET /good|") < answer.index(b"HTTP/1.1 400 ")


async def test_an_upgrade_is_ignored_and_the_connection_goes_on(serve, echo_service):
    running = await serve(echo_service)
    upgrade = b"GET /1 HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
    answer = await running.talk(upgrade + b"GET /2 HTTP/1.1\r\n%b\r\n" % CLOSE)
    assert b"GET /1|" in answer
    assert answer.endswith(b"GET /2|")


async def test_a_client_that_closed_its_side_still_gets_its_answer(serve, echo_service):
    running = await serve(echo_service)
    peer = await running.connect()
    await peer.send(b"GET /x HTTP/1.1\r\n\r\n")
    peer.send_eof()
    assert (await peer.rest()).endswith(b"GET /x|")


async def test_a_failing_service_is_answered_500_and_logged(serve, caplog):
    async def service(request: Request) -> Response:
        raise RuntimeError("secret detail")

    running = await serve(service)
    answer = await running.talk(b"GET /x HTTP/1.1\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 500 ")
    assert b"secret detail" not in answer
    assert "the service failed" in caplog.text


async def test_a_header_with_a_line_break_never_reaches_the_wire(serve, caplog):
    async def service(request: Request) -> Response:
        return Response(headers=[(b"x-name", b"a\r\nset-cookie: b")])

    running = await serve(service)
    answer = await running.talk(b"GET /x HTTP/1.1\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 500 ")
    assert b"set-cookie" not in answer


@pytest.mark.parametrize("declared", [b"3", b"5", b"x"])
async def test_a_wrong_length_never_reaches_the_wire(serve, caplog, declared):
    async def service(request: Request) -> Response:
        return Response(headers=[(b"content-length", declared)], body=b"four")

    running = await serve(service)
    assert (await running.talk(b"GET /x HTTP/1.1\r\n\r\n")).startswith(b"HTTP/1.1 500 ")


async def test_a_stream_that_breaks_is_cut_and_not_ended(serve, caplog):
    async def service(request: Request) -> Response:
        async def parts():
            yield b"one"
            raise RuntimeError("midway")

        return Response(body=parts())

    running = await serve(service)
    peer = await running.connect()
    await peer.send(b"GET /x HTTP/1.1\r\n\r\n")
    await peer.until(b"3\r\none\r\n")
    assert await peer.rest() == b""


class _Pushed(Pushing):
    """A body whose chunks are pushed; a refused one is yielded, and None ends it."""

    def __init__(self) -> None:
        self.refused: asyncio.Queue[bytes | None] = asyncio.Queue()

    def attach(self, outlet: Outlet) -> None:
        self.push = outlet

    def send(self, chunk: bytes) -> bool:
        is_sent = self.push(chunk)
        if not is_sent:
            self.refused.put_nowait(chunk)
        return is_sent

    async def __anext__(self):
        chunk = await self.refused.get()
        if chunk is None:
            raise StopAsyncIteration
        return chunk


async def test_a_pushed_chunk_is_framed_like_a_yielded_one(serve):
    body = _Pushed()

    async def service(request: Request) -> Response:
        return Response(body=body)

    running = await serve(service)
    peer = await running.connect()
    await peer.send(b"GET / HTTP/1.1\r\n%b\r\n" % CLOSE)
    await peer.until(b"\r\n\r\n")
    assert [body.send(chunk) for chunk in (b"one", Shared(b"three"), Shared(b"three"), b"x" * 70_000)] == [True] * 4
    body.refused.put_nowait(Shared(b"end"))
    body.refused.put_nowait(None)
    wanted = b"3\r\none\r\n" + 2 * b"5\r\nthree\r\n" + b"11170\r\n%b\r\n3\r\nend\r\n0\r\n\r\n" % (b"x" * 70_000)
    assert await peer.rest() == wanted


async def test_a_push_to_a_peer_that_does_not_read_is_refused_until_it_does(serve):
    body, chunk = _Pushed(), Shared(b"z" * 100_000)

    async def service(request: Request) -> Response:
        return Response(body=body)

    running = await serve(service)
    peer = await running.connect()
    await peer.send(b"GET / HTTP/1.1\r\n%b\r\n" % CLOSE)
    await peer.until(b"\r\n\r\n")
    sent = 1
    while body.send(chunk):
        sent += 1
        await asyncio.sleep(0)
    assert sent > 1
    got = await peer.exactly(sent * len(chunk.framed()))
    assert got == sent * chunk.framed()
    for _ in range(3_000):
        if body.push(b"more"):
            break
        await asyncio.sleep(0.01)
    body.refused.put_nowait(None)
    assert await peer.rest() == b"4\r\nmore\r\n0\r\n\r\n"
