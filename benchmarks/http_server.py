"""CPU of the HTTP server per request: the server in a process of its own, a raw client beside it.

`run() -> dict`: microseconds of server CPU per keep-alive request (a 200-byte POST, a
100-byte answer), at 1 and 32 connections.
"""

import asyncio
import json
import multiprocessing
import os
import time
from multiprocessing.connection import Connection
from typing import Any

from lambent.http import HttpServer, Request, Response

REQUEST = (
    b"POST /2015-03-31/functions/echo/invocations HTTP/1.1\r\nHost: localhost:4566\r\nAccept-Encoding: identity\r\n"
    b"User-Agent: Boto3/1.40 md/Botocore#1.40 ua/2.1 os/linux#6 md/arch#x86_64 lang/python#3.11\r\n"
    b"X-Amz-Date: 20260101T000000Z\r\n"
    b"Authorization: AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/lambda/aws4_request,"
    b" SignedHeaders=host;x-amz-date, Signature=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\r\n"
    b"Content-Length: 200\r\n\r\n" + b"x" * 200
)
ANSWER = Response(200, [(b"content-type", b"application/json"), (b"x-amzn-requestid", b"0" * 36)], b"y" * 100)


async def _service(request: Request) -> Response:
    return ANSWER


def _serve(pipe: Connection) -> None:
    import uvloop

    async def main() -> None:
        server = HttpServer(_service)
        pipe.send(await server.startup("127.0.0.1", 0))
        loop = asyncio.get_running_loop()
        while await loop.run_in_executor(None, pipe.recv):
            pipe.send(time.process_time())
        await server.shutdown(1)

    uvloop.run(main())


async def _client(address: tuple[str, int], requests: int, connections: int) -> None:
    async def one() -> None:
        reader, writer = await asyncio.open_connection(*address)
        for _ in range(requests // connections):
            writer.write(REQUEST)
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(100)
            assert head.startswith(b"HTTP/1.1 200")
        writer.close()
        await writer.wait_closed()

    async with asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(one())


def run(requests: int = 16_000) -> dict[str, Any]:
    """`{"us_per_request": {"1": ..., "32": ...}, "requests": n, "cpus": n}`; the client's CPU is not counted."""
    import uvloop

    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs,))
    process.start()
    address = ours.recv()
    result: dict[str, float] = {}
    for connections in (1, 32):
        ours.send(True)
        before = ours.recv()
        uvloop.run(_client(address, requests, connections))
        ours.send(True)
        result[str(connections)] = round((ours.recv() - before) / requests * 1e6, 1)
    ours.send(False)
    process.join(10)
    return {"us_per_request": result, "requests": requests, "cpus": os.cpu_count()}


if __name__ == "__main__":
    print(json.dumps(run()))
