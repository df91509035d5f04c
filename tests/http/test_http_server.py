"""The server as a whole: ports, TLS beside plain text, draining, foreign clients."""

import asyncio
import datetime
import ssl

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from lambent.errors import UsageError
from lambent.http import HttpServer, Limits, Request, Response


async def test_a_taken_port_names_itself_and_what_to_do(serve, echo_service):
    running = await serve(echo_service)
    second = HttpServer(echo_service)
    with pytest.raises(UsageError, match=rf"port {running.port} on 127.0.0.1 is taken .* choose another port"):
        await second.startup("127.0.0.1", running.port)


@pytest.mark.parametrize("port", [-1, 65_536])
async def test_a_number_that_is_no_port_is_told_what_ports_are(echo_service, port):
    with pytest.raises(UsageError, match=rf"{port} is no port: they are 0 to 65535"):
        await HttpServer(echo_service).startup("127.0.0.1", port)


async def test_aiohttp_reuses_one_connection_for_many_requests(serve):
    peers: set[str] = set()

    async def service(request: Request) -> Response:
        peers.add(request.peer)
        return Response(headers=[(b"content-type", b"text/plain")], body=request.body[::-1])

    running = await serve(service, limits=Limits(body=lambda *_: 10**7))
    url = f"http://{running.host}:{running.port}/"
    async with aiohttp.ClientSession() as session:
        for size in (0, 1, 70_000, 500_000):
            async with session.put(url, data=b"ab" * size) as response:
                assert await response.read() == b"ba" * size
    assert len(peers) == 1


async def test_a_reader_slower_than_the_service_gets_every_byte(serve):
    chunk = b"z" * 65536

    async def service(request: Request) -> Response:
        async def parts():
            for _ in range(200):
                yield chunk

        return Response(body=parts())

    running = await serve(service)
    url = f"http://{running.host}:{running.port}/"
    total = 0
    async with aiohttp.ClientSession(read_bufsize=1024) as session, session.get(url) as response:
        async for part in response.content.iter_any():
            total += len(part)
    assert total == 200 * len(chunk)


async def test_writing_waits_for_a_peer_that_does_not_read(serve):
    made = 0
    first_made = asyncio.Event()

    async def service(request: Request) -> Response:
        async def parts():
            nonlocal made
            for _ in range(1000):
                made += 1
                first_made.set()
                yield b"z" * 1_000_000

        return Response(body=parts())

    running = await serve(service)
    peer = await running.connect()
    await peer.send(b"GET / HTTP/1.1\r\n\r\n")
    await first_made.wait()
    for _ in range(50):
        await asyncio.sleep(0)
    assert made < 20


async def test_shutdown_finishes_what_is_at_work_and_refuses_the_rest(serve):
    at_work, may_end = asyncio.Event(), asyncio.Event()

    async def service(request: Request) -> Response:
        at_work.set()
        await may_end.wait()
        return Response(body=b"finished")

    running = await serve(service)
    busy, idle = await running.connect(), await running.connect()
    await busy.send(b"GET / HTTP/1.1\r\n\r\n")
    await at_work.wait()
    stopping = asyncio.create_task(running.server.shutdown(5))
    assert await idle.rest() == b""
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(running.host, running.port)
    may_end.set()
    assert await stopping == 0
    assert (await busy.rest()).endswith(b"connection: close\r\n\r\nfinished")


async def test_shutdown_reports_how_many_requests_it_cancelled(serve):
    at_work = asyncio.Event()

    async def service(request: Request) -> Response:
        at_work.set()
        await asyncio.Event().wait()
        return Response()

    running = await serve(service)
    peer = await running.connect()
    await peer.send(b"GET / HTTP/1.1\r\n\r\n")
    await at_work.wait()
    assert await running.server.shutdown(0.01) == 1
    assert await peer.rest() == b""


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> str:
    """A self-signed certificate and its key for 127.0.0.1, in one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return str(path)


async def test_one_port_speaks_tls_and_plain_text(serve, certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    async def service(request: Request) -> Response:
        return Response(body=request.scheme.encode())

    running = await serve(service, ssl_context=context)
    async with aiohttp.ClientSession() as session:
        for scheme in ("http", "https", "http"):
            url = f"{scheme}://{running.host}:{running.port}/"
            async with session.get(url, ssl=False) as response:
                assert await response.text() == scheme


@pytest.mark.parametrize("with_tls", [False, True])
async def test_connections_beyond_the_limit_are_closed(serve, certificate, echo_service, with_tls):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    running = await serve(echo_service, limits=Limits(connections=2), ssl_context=context if with_tls else None)
    peers = [await running.connect() for _ in range(2)]
    for peer in peers:
        await peer.send(b"GET / HTTP/1.1\r\n\r\n")
        await peer.until(b"|")
    assert await (await running.connect()).rest() == b""
    await peers[0].send(b"GET / HTTP/1.1\r\n\r\n")
    await peers[0].until(b"|")


async def test_a_connection_that_says_nothing_does_not_hold_up_shutdown(serve, certificate, echo_service):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    running = await serve(echo_service, ssl_context=context)
    silent, talking = await running.connect(), await running.connect()
    await talking.send(b"GET /1 HTTP/1.1\r\n\r\n")
    await talking.until(b"|")
    assert await running.server.shutdown(0.1) == 0
    assert await silent.rest() == b""
