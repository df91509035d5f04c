"""The Runtime API in bytes over real sockets, on both event loops: every route, each refusal, hostile peers."""

import asyncio
import json
import random

import pytest

from lambent.runtime.outcomes import Exit

REAL_TIME = True
NEXT = "/runtime/invocation/next"
LIMIT = 6_291_556


def response(request_id: str = "id-1") -> str:
    return f"/runtime/invocation/{request_id}/response"


async def test_an_event_goes_out_and_its_answer_comes_back_unchanged(wires):
    async with wires() as it:
        payload = b'{"text":"gr\xc3\xbc\xc3\x9fe"}'
        task, wire, _ = await it.busy(payload)
        wire.post(response(), b" [1,  2]\n")
        answer = await wire.answer()
        assert (answer.status, json.loads(answer.body)) == (202, {"status": "OK"})
        assert answer.headers["content-type"] == "application/json"
        result = await task
        assert (result.payload, result.is_error) == (b" [1,  2]\n", False)


async def test_the_headers_of_an_event_are_complete(wires):
    async with wires(timeout_s=60) as it:
        it.invoke(b"1", client_context='{"a":"ü"}', tenant_id="t1", trace_id="Root=1-2-3;Parent=4;Sampled=1")
        wire = await it.wire(await it.runtime())
        wire.get(NEXT)
        headers = (await wire.answer()).headers
        assert headers["lambda-runtime-aws-request-id"] == "id-1"
        assert headers["lambda-runtime-invoked-function-arn"].startswith("arn:aws:lambda:")
        assert headers["lambda-runtime-trace-id"] == "Root=1-2-3;Parent=4;Sampled=1"
        assert headers["lambda-runtime-client-context"] == '{"a":"ü"}'
        assert headers["lambda-runtime-aws-tenant-id"] == "t1"
        assert headers["lambda-runtime-invocation-id"]
        assert headers["content-type"] == "application/json"
        assert int(headers["lambda-runtime-deadline-ms"]) > 1_600_000_000_000


async def test_a_trace_header_is_made_when_the_caller_sent_none(wires):
    async with wires() as it:
        it.invoke()
        wire = await it.wire(await it.runtime())
        wire.get(NEXT)
        trace = (await wire.answer()).headers["lambda-runtime-trace-id"]
        root, parent, sampled = trace.split(";")
        assert (len(root), len(parent), sampled) == (len("Root=1-") + 33, len("Parent=") + 16, "Sampled=0")


@pytest.mark.parametrize("value", ["x\r\nEvil: 1", "a\nb", "\x00", "del\x7f"], ids=["crlf", "newline", "nul", "del"])
async def test_a_callers_header_cannot_split_the_head(wires, value):
    async with wires() as it:
        it.invoke(trace_id=value, tenant_id=value, client_context=value)
        wire = await it.wire(await it.runtime())
        wire.get(NEXT)
        answer = await wire.answer()
        assert "evil" not in answer.headers
        assert answer.body == b"{}"


@pytest.mark.parametrize(
    ("request_line", "status", "detail"),
    [
        (b"GET /2018-06-01/ping", 200, b"pong"),
        (b"POST /2018-06-01/ping", 405, b"MethodNotAllowed"),
        (b"POST /2018-06-01/runtime/invocation/next", 405, b"MethodNotAllowed"),
        (b"GET /2018-06-01/runtime/invocation/x/response", 405, b"MethodNotAllowed"),
        (b"GET /2018-06-01/runtime/init/error", 405, b"MethodNotAllowed"),
        (b"GET /", 404, b"NotFound"),
        (b"GET /2018-06-01/runtime/restore/next", 404, b"NotFound"),
        (b"POST /2018-06-01/runtime/invocation/x/other", 404, b"NotFound"),
        (b"POST /2018-06-01/runtime/invocation//response", 400, b"InvalidRequestID"),
        (b"POST /2018-06-01/runtime/invocation/x/response", 400, b"InvalidRequestID"),
        (b"POST /2018-06-01/runtime/invocation/x/error", 400, b"InvalidRequestID"),
    ],
    ids=lambda value: value.decode() if isinstance(value, bytes) else str(value),
)
async def test_routes_and_their_refusals(wires, request_line, status, detail):
    async with wires() as it:
        it.invoke()
        wire = await it.wire(await it.runtime())
        wire.send(request_line, b" HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
        answer = await wire.answer()
        assert answer.status == status
        assert detail in answer.body
        assert ("allow" in answer.headers) == (status == 405)


async def test_an_unknown_response_mode_is_refused_and_the_event_stays_open(wires):
    async with wires() as it:
        task, wire, _ = await it.busy()
        wire.post(response(), b"1", "Lambda-Runtime-Function-Response-Mode: sideways")
        answer = await wire.answer()
        assert (answer.status, answer.error_type) == (400, "Runtime.InvalidResponseModeHeader")
        wire.post(response(), b"2")
        assert (await wire.answer()).status == 202
        assert (await task).payload == b"2"


async def test_a_second_answer_is_refused(wires):
    async with wires() as it:
        task, wire, _ = await it.busy()
        wire.post(response(), b"1")
        await wire.answer()
        wire.post(response(), b"2")
        assert (await wire.answer()).error_type == "InvalidRequestID"
        assert (await task).payload == b"1"


async def test_an_echoed_token_must_be_the_deliverys_own(wires):
    async with wires() as it:
        task, wire, _ = await it.busy()
        wire.post(response(), b"1", "LAMBDA-runtime-INVOCATION-id: other")
        assert (await wire.answer()).status == 400
        wire.post(response(), b"2")
        assert (await task).payload == b"2"


async def test_a_poll_while_busy_is_an_invalid_transition(wires):
    async with wires() as it:
        _, wire, _ = await it.busy()
        wire.get(NEXT)
        answer = await wire.answer()
        assert (answer.status, answer.error_type) == (403, "InvalidStateTransition")


async def test_an_init_error_after_init_is_an_invalid_transition(wires):
    async with wires() as it:
        _, wire, _ = await it.busy()
        wire.post("/runtime/init/error", b"{}")
        assert (await wire.answer()).error_type == "InvalidStateTransition"


async def test_a_posted_error_is_a_function_error_with_its_word(wires):
    async with wires() as it:
        task, wire, _ = await it.busy()
        body = b'{"errorType":"E","errorMessage":"m"}'
        wire.post("/runtime/invocation/id-1/error", body, "Lambda-Runtime-Function-Error-Type: Function.Bad")
        assert (await wire.answer()).status == 202
        result = await task
        assert (result.is_error, result.payload, result.error_type) == (True, body, "Function.Bad")


async def test_an_event_belongs_to_the_instance_it_was_handed_to(wires):
    async with wires(max_concurrency=2) as it:
        first, _, _ = await it.busy(request_id="id-1")
        second, other, _ = await it.busy(request_id="id-2")
        other.post(response("id-1"), b"stolen")
        assert (await other.answer()).error_type == "InvalidRequestID"
        assert not first.done()
        other.post(response("id-2"), b"own")
        assert (await second).payload == b"own"


async def test_chunked_bodies_and_expectations_work(wires):
    async with wires() as it:
        task, wire, _ = await it.busy()
        wire.send(
            b"POST /2018-06-01/runtime/invocation/id-1/response HTTP/1.1\r\nHost: x\r\n",
            b"Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n",
        )
        assert (await wire.answer()).status == 100
        wire.send(b"3\r\nabc\r\n", b"2\r\nde\r\n0\r\n\r\n")
        assert (await wire.answer()).status == 202
        assert (await task).payload == b"abcde"


async def test_a_request_in_single_bytes_is_understood(wires):
    async with wires() as it:
        task, wire, _ = await it.busy()
        raw = b"POST /2018-06-01/runtime/invocation/id-1/response HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nok"
        for byte in raw:
            wire.send(bytes([byte]))
            await asyncio.sleep(0)
        assert (await task).payload == b"ok"


async def test_a_poll_pipelined_behind_a_response_gets_the_next_event(wires):
    async with wires() as it:
        first, wire, _ = await it.busy(b"1", "id-1")
        second = it.invoke(b"2", "id-2")
        wire.post(response("id-1"), b"one")
        wire.get(NEXT)
        assert (await wire.answer()).status == 202
        assert (await wire.answer()).body == b"2"
        wire.post(response("id-2"), b"two")
        assert [(await task).payload for task in (first, second)] == [b"one", b"two"]


async def test_a_request_behind_a_parked_poll_waits_for_it(wires):
    async with wires() as it:
        first, wire, _ = await it.busy(b"1", "id-1")
        wire.post(response("id-1"), b"one")
        await wire.answer()
        wire.get(NEXT)
        wire.get("/ping")
        await first
        it.invoke(b"2", "id-2")
        assert (await wire.answer()).body == b"2"
        assert (await wire.answer()).body == b"pong"


@pytest.mark.parametrize("size", [LIMIT, LIMIT + 1], ids=["at the limit", "above"])
async def test_the_limit_of_a_response(wires, size):
    async with wires() as it:
        task, wire, _ = await it.busy()
        wire.post(response(), b"x" * size)
        answer = await wire.answer()
        result = await task
        if size <= LIMIT:
            assert (answer.status, len(result.payload)) == (202, size)
        else:
            assert (answer.status, answer.error_type) == (413, "RequestEntityTooLarge")
            assert str(LIMIT) in answer.body.decode()
            assert result.error_type == "Function.ResponseSizeTooLarge"
            assert str(LIMIT) in result.payload.decode()
        wire.get(NEXT)
        it.invoke(b"next", "id-2")
        assert (await wire.answer()).body == b"next"


async def test_an_error_body_is_cut_and_accepted(wires):
    async with wires() as it:
        task, wire, _ = await it.busy()
        wire.post("/runtime/invocation/id-1/error", b"x" * 300_000)
        assert (await wire.answer()).status == 202
        assert len((await task).payload) == 262_144


async def test_a_large_event_arrives_whole(wires):
    async with wires() as it:
        payload = b'"' + b"x" * 6_000_000 + b'"'
        await it.busy(payload)


async def test_a_response_cut_short_is_told(wires):
    async with wires() as it:
        task, wire, _ = await it.busy()
        wire.send(
            b"POST /2018-06-01/runtime/invocation/id-1/response HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nab"
        )
        await asyncio.sleep(0)
        wire.close()
        assert (await task).error_type == "Runtime.TruncatedResponse"


async def test_an_event_that_did_not_leave_goes_to_another_runtime(wires):
    async with wires(max_concurrency=2) as it:
        payload = b'"' + b"x" * 6_000_000 + b'"'
        task = it.invoke(payload)
        gone = await it.wire(await it.runtime())
        gone.reader._transport.pause_reading()
        gone.get(NEXT)
        for _ in range(1_000):
            if it.pool.waiting == 0:
                break
            await asyncio.sleep(0.001)
        gone.writer.transport.abort()
        wire = await it.wire(await it.runtime())
        wire.get(NEXT)
        answer = await wire.answer()
        assert (answer.headers["lambda-runtime-aws-request-id"], len(answer.body)) == ("id-1", len(payload))
        wire.post(response(), b"1")
        assert (await task).payload == b"1"


async def test_a_parked_poll_whose_peer_left_swallows_no_event(wires):
    async with wires(max_concurrency=2) as it:
        first, wire, runtime = await it.busy(b"1", "id-1")
        wire.post(response("id-1"), b"one")
        await wire.answer()
        wire.get(NEXT)
        await first
        wire.close()
        await wire.is_closed()
        again = await it.wire(runtime)
        again.get(NEXT)
        it.invoke(b"2", "id-2")
        assert (await again.answer()).body == b"2"


@pytest.mark.parametrize(
    "junk",
    [
        b"\x00\xff" * 50,
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 200 + b"\r\n",
        b"GET / HTTP/1.1\r\na: " + b"b" * 70_000 + b"\r\n\r\n",
        b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n",
        random.Random(7).randbytes(2_000),
    ],
    ids=["bytes", "short", "version", "length", "both lengths", "many headers", "long header", "long target", "random"],
)
async def test_garbage_closes_its_own_connection_and_nothing_else(wires, junk):
    async with wires(max_concurrency=2) as it:
        task, wire, runtime = await it.busy()
        hostile = await it.wire(runtime)
        hostile.send(junk)
        hostile.writer.write_eof()
        async with asyncio.timeout(5):
            await hostile.reader.read()
        wire.post(response(), b"fine")
        assert (await wire.answer()).status == 202
        assert (await task).payload == b"fine"


async def test_connections_beyond_the_limit_are_closed(wires):
    async with wires(connection_limit=3) as it:
        task, wire, runtime = await it.busy()
        others = [await it.wire(runtime) for _ in range(2)]
        assert await (await it.wire(runtime)).is_closed()
        others[0].get("/ping")
        assert (await others[0].answer()).body == b"pong"
        wire.post(response(), b"fine")
        assert (await task).payload == b"fine"


async def test_a_response_read_after_the_exit_still_counts(wires):
    """A runtime that answers and ends at once: its exit may be seen before the bytes in its socket."""
    async with wires() as it:
        task, wire, runtime = await it.busy()
        wire.post(response(), b"last words")
        wire.close()
        runtime.listener.on_exit(Exit(status=0))
        assert (await task).payload == b"last words"


async def test_the_first_instance_takes_the_base_port_when_it_is_free(wires, unused_tcp_port):
    async with wires(base_port=unused_tcp_port, max_concurrency=2) as it:
        it.invoke()
        it.invoke(request_id="id-2")
        ports = [(await it.runtime()).order.api_address.rpartition(":")[2] for _ in range(2)]
        assert str(unused_tcp_port) in ports
        assert len(set(ports)) == 2


async def test_a_runtimes_large_fault_header_is_accepted(wires):
    async with wires() as it:
        task, wire, _ = await it.busy()
        fault = "Lambda-Runtime-Function-XRay-Error-Cause: " + "x" * 1_000_000
        wire.post("/runtime/invocation/id-1/error", b'{"errorType":"RecursionError"}', fault)
        assert (await wire.answer()).status == 202
        assert (await task).payload == b'{"errorType":"RecursionError"}'


async def test_an_endless_header_is_cut_off(wires):
    async with wires() as it:
        task, wire, runtime = await it.busy()
        hostile = await it.wire(runtime)
        hostile.send(b"GET / HTTP/1.1\r\nLambda-Runtime-Function-XRay-Error-Cause: ")
        for _ in range(40):
            hostile.send(b"x" * 65_536)
        assert (await hostile.answer()).status == 400
        wire.post(response(), b"fine")
        assert (await task).payload == b"fine"


async def test_a_connection_that_never_polls_is_closed_when_idle(wires):
    async with wires(idle_connection_s=0.05) as it:
        task, wire, runtime = await it.busy()
        idle = await it.wire(runtime)
        assert await idle.is_closed()
        wire.post(response(), b"fine")
        assert (await task).payload == b"fine"


@pytest.mark.parametrize(
    "trailers", ["", "Lambda-Runtime-Function-Error-Type: Function.Oops\r\n"], ids=["whole", "failed"]
)
async def test_a_streamed_response_is_collected_and_its_trailers_tell_of_failure(wires, trailers):
    async with wires() as it:
        task, wire, _ = await it.busy()
        told = f"{trailers}Lambda-Runtime-Function-Error-Body: eyJhIjoxfQ==\r\n" if trailers else ""
        wire.send(
            b"POST /2018-06-01/runtime/invocation/id-1/response HTTP/1.1\r\nHost: x\r\n",
            b"Lambda-Runtime-Function-Response-Mode: streaming\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"3\r\nabc\r\n3\r\ndef\r\n0\r\n",
            told.encode(),
            b"\r\n",
        )
        assert (await wire.answer()).status == 202
        result = await task
        if trailers:
            assert (result.is_error, result.payload, result.error_type) == (True, b'{"a":1}', "Function.Oops")
        else:
            assert (result.is_error, result.payload) == (False, b"abcdef")
