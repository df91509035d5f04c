"""A WSGI app behind the server."""

import asyncio
import threading
import urllib.request

import pytest

from lambent.http import Request, Response, WsgiService


def _request(target: bytes = b"/", headers=(), body: bytes = b"") -> Request:
    return Request("POST", target, list(headers), body, peer="127.0.0.1:5")


def _asking(*keys):
    """An app that answers with these parts of its environment."""

    def app(environ, start_response):
        start_response("201 Created", [("X-Method", environ["REQUEST_METHOD"]), ("Content-Type", "text/plain")])
        return [repr(environ.get(key)).encode() + b"\n" for key in keys]

    return app


@pytest.fixture
async def wsgi():
    services: list[WsgiService] = []

    def make(app, **options) -> WsgiService:
        services.append(WsgiService(app, **options))
        return services[-1]

    yield make
    for service in services:
        await service.shutdown()


async def test_an_app_sees_the_decoded_path_and_the_raw_target(wsgi):
    service = wsgi(
        _asking("PATH_INFO", "QUERY_STRING", "RAW_URI", "HTTP_HOST", "SERVER_PORT", "CONTENT_TYPE", "HTTP_X")
    )
    headers = [(b"host", b"localhost:4566"), (b"content-type", b"a/b"), (b"x", b"1"), (b"x", b"2")]
    response: Response = await service(_request(b"/b/a%2Fb%20c?q=%20", headers))
    assert response.status == 201
    assert response.headers[0] == (b"X-Method", b"POST")
    assert isinstance(response.body, bytes)
    assert response.body.decode().split("\n")[:-1] == [
        "'/b/a/b c'", "'q=%20'", "'/b/a%2Fb%20c?q=%20'", "'localhost:4566'", "'4566'", "'a/b'", "'1,2'",
    ]  # fmt: skip


async def test_an_app_reads_the_body(wsgi):
    def app(environ, start_response):
        start_response("200 OK", [])
        return [environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])).upper()]

    response = await wsgi(app)(_request(body=b"body", headers=[(b"transfer-encoding", b"chunked")]))
    assert response.body == b"BODY"


async def test_requests_beyond_threads_and_queue_are_answered_503(wsgi):
    entered, may_end = threading.Semaphore(0), threading.Event()

    def app(environ, start_response):
        entered.release()
        may_end.wait(10)
        start_response("200 OK", [])
        return []

    service = wsgi(app, threads=2, queue=1)
    accepted = [asyncio.ensure_future(service(_request())) for _ in range(3)]
    await asyncio.to_thread(lambda: [entered.acquire(timeout=5) for _ in range(2)])
    refused = await service(_request())
    assert (refused.status, dict(refused.headers)[b"retry-after"]) == (503, b"1")
    may_end.set()
    assert [r.status for r in await asyncio.gather(*accepted)] == [200, 200, 200]
    assert (await service(_request())).status == 200


async def test_requests_that_wait_leave_threads_to_the_others(wsgi):
    may_end = threading.Event()

    def app(environ, start_response):
        if environ["PATH_INFO"] == "/poll":
            may_end.wait(10)
        start_response("200 OK", [])
        return []

    service = wsgi(app, threads=1, may_wait=lambda request: request.target == b"/poll", waiting_threads=2)
    polls = [asyncio.ensure_future(service(_request(b"/poll"))) for _ in range(4)]
    assert (await service(_request(b"/quick"))).status == 200
    may_end.set()
    assert [r.status for r in await asyncio.gather(*polls)] == [200] * 4


async def test_a_caller_that_goes_away_keeps_its_slot_until_the_thread_is_free(wsgi):
    entered, may_end = threading.Event(), threading.Event()

    def app(environ, start_response):
        entered.set()
        may_end.wait(10)
        start_response("200 OK", [])
        return []

    service = wsgi(app, threads=1, queue=0)
    call = asyncio.ensure_future(service(_request()))
    await asyncio.to_thread(entered.wait, 5)
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)
    assert (await service(_request())).status == 503
    may_end.set()
    await service.shutdown()  # waits for the thread


async def test_threads_that_call_the_same_port_do_not_lock_it(wsgi, serve):
    """All of the app's threads call back to the server they run behind; its other routes answer."""
    port = 0

    def app(environ, start_response):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/inner", timeout=5) as answer:
            start_response("200 OK", [])
            return [answer.read()]

    service = wsgi(app, threads=2)

    async def routed(request: Request) -> Response:
        return Response(body=b"inner") if request.target == b"/inner" else await service(request)

    port = (await serve(routed)).port
    answers = await asyncio.gather(*(service(_request(b"/outer")) for _ in range(6)))
    assert [answer.body for answer in answers] == [b"inner"] * 6


async def test_a_shutdown_waits_for_threads_within_its_bound_and_takes_nothing_more(wsgi):
    entered, may_end = threading.Event(), threading.Event()

    def app(environ, start_response):
        entered.set()
        may_end.wait(10)
        start_response("200 OK", [])
        return []

    service = wsgi(app, threads=1)
    running, queued = (asyncio.ensure_future(service(_request())) for _ in range(2))
    await asyncio.to_thread(entered.wait, 5)
    assert await service.shutdown(0.01) == 1
    assert (await service(_request())).status == 503
    may_end.set()
    assert (await running).status == 200
    with pytest.raises(asyncio.CancelledError):
        await queued


async def test_an_app_that_raises_raises_in_the_caller(wsgi):
    def app(environ, start_response):
        raise LookupError("app")

    with pytest.raises(LookupError, match="app"):
        await wsgi(app)(_request())
