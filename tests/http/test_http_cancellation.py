"""What happens to work when the client goes away."""

import asyncio

import pytest

from lambent.http import Request, Response


@pytest.mark.parametrize("leave", ["reset", "end"])
async def test_a_stream_is_closed_when_its_reader_goes(serve, leave):
    began, closed = asyncio.Event(), asyncio.Event()

    async def service(request: Request) -> Response:
        async def parts():
            try:
                yield b"first"
                began.set()
                await asyncio.Event().wait()
            finally:
                closed.set()

        return Response(body=parts())

    running = await serve(service)
    peer = await running.connect()
    await peer.send(b"GET / HTTP/1.1\r\n\r\n")
    await peer.until(b"first\r\n")
    await began.wait()
    peer.abort() if leave == "reset" else await peer.close()
    await asyncio.wait_for(closed.wait(), 5)


async def test_a_stream_nobody_waits_for_is_closed_before_it_begins(serve):
    gone, closed = asyncio.Event(), asyncio.Event()

    class Parts:
        def __aiter__(self):
            return self

        async def __anext__(self) -> bytes:
            raise AssertionError("asked for a chunk")

        async def aclose(self) -> None:
            closed.set()

    at_work = asyncio.Event()

    async def service(request: Request) -> Response:
        at_work.set()
        await gone.wait()
        return Response(body=Parts())

    running = await serve(service)
    peer = await running.connect()
    await peer.send(b"GET / HTTP/1.1\r\n\r\n")
    await at_work.wait()
    peer.abort()
    await running.server.without_connections()
    gone.set()
    await asyncio.wait_for(closed.wait(), 5)


async def test_a_service_at_work_is_finished_though_its_client_went(serve):
    at_work, gone, finished = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def service(request: Request) -> Response:
        at_work.set()
        await gone.wait()
        finished.set()
        return Response(body=b"nobody reads this")

    running = await serve(service)
    peer = await running.connect()
    await peer.send(b"GET / HTTP/1.1\r\n\r\n")
    await at_work.wait()
    peer.abort()
    await running.server.without_connections()
    gone.set()
    await asyncio.wait_for(finished.wait(), 5)


async def test_a_service_is_cancelled_with_its_client_where_the_server_is_told_to(serve):
    at_work, cancelled = asyncio.Event(), asyncio.Event()

    async def service(request: Request) -> Response:
        at_work.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise
        return Response()

    running = await serve(service, cancel_on_disconnect=True)
    peer = await running.connect()
    await peer.send(b"GET / HTTP/1.1\r\n\r\n")
    await at_work.wait()
    peer.abort()
    await asyncio.wait_for(cancelled.wait(), 5)


@pytest.mark.parametrize("cut", range(0, 60, 7))
async def test_a_client_that_leaves_in_mid_request_leaves_nothing_behind(serve, echo_service, cut):
    running = await serve(echo_service)
    peer = await running.connect()
    await peer.send(b"PUT /k HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n0123456789"[:cut])
    peer.abort()
    await running.talk(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert await running.server.shutdown(1) == 0
    assert running.server.connection_count == 0
