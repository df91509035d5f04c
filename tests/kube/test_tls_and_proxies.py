"""How a server is reached: whose certificate is believed, for which name, ours, and through a proxy."""

import asyncio
import base64
import json
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from lambent.kube.credentials import ClientCertificate, StaticCredentials
from lambent.kube.errors import Unreachable
from lambent.kube.http_client import HttpClient
from lambent.kube.http_request import RetryPolicy
from lambent.kube.kubeconfig import ClusterConfig, load
from lambent.kubeserver.access.authority import make
from lambent.kubeserver.access.certificates import Certificates
from tests.kube.canned import GIZMO, Canned, client_of, reply

REAL_TIME = True
ONCE = RetryPolicy(tries=1)


@pytest.fixture(scope="module")
def certificates() -> Certificates:
    """For 127.0.0.1, ::1 and localhost."""
    return Certificates(*make())


@asynccontextmanager
async def tls_server(canned: Canned, context: ssl.SSLContext) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", canned.answer)
    server = TestServer(app, scheme="https")
    await server.start_server(ssl=context)
    try:
        yield f"https://127.0.0.1:{server.port}"
    finally:
        await server.close()


@pytest.mark.parametrize(
    ("options", "is_believed"),
    [
        ({}, True),
        ({"tls_server_name": "localhost"}, True),
        ({"tls_server_name": "elsewhere"}, False),
        ({"ca": None}, False),
        ({"ca": None, "insecure_skip_tls_verify": True, "tls_server_name": "elsewhere"}, True),
    ],
    ids=["its authority", "another name of it", "no name of it", "the system's roots", "unverified"],
)
async def test_a_server_is_believed_for_the_name_that_is_asked_of_it(gizmo, certificates, options, is_believed):
    async with tls_server(Canned(reply(gizmo())), certificates.ssl_context()) as url:
        config = ClusterConfig(url, **{"ca": certificates.authority, **options})
        async with HttpClient(config, retry=ONCE) as client:
            if is_believed:
                assert (await client.get(GIZMO, "a"))["kind"] == "Gizmo"
            else:
                with pytest.raises(Unreachable, match="ertificate"):
                    await client.get(GIZMO, "a")


def client_certificate(user: str) -> ClientCertificate:
    """Signed by itself."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, user)])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    dated = builder.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(hours=1))
    made = dated.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True).sign(
        key, hashes.SHA256()
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return ClientCertificate(made.public_bytes(serialization.Encoding.PEM), secret)


async def test_a_client_certificate_is_shown_and_a_renewed_one_too(gizmo, certificates):
    seen: list[object] = []

    class Looking(Canned):
        async def answer(self, request):
            assert request.transport is not None
            seen.append(request.transport.get_extra_info("peercert")["serialNumber"])
            return await super().answer(request)

    pair = [client_certificate("jane"), client_certificate("joe")]
    context = certificates.ssl_context()
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata="".join(one.certificate.decode() for one in pair))

    class Changing(StaticCredentials):
        def certificate(self):
            return pair[0]

    async with tls_server(Looking(reply(gizmo()), reply(gizmo())), context) as url:
        async with HttpClient(ClusterConfig(url, Changing(), ca=certificates.authority), retry=ONCE) as client:
            await client.get(GIZMO, "a")
            pair.reverse()
            await client.get(GIZMO, "a")
        async with HttpClient(ClusterConfig(url, ca=certificates.authority), retry=ONCE) as client:
            with pytest.raises(Unreachable):
                await client.get(GIZMO, "a")
    assert len(set(seen)) == 2


class Proxy:
    """Notes the first line of each connection; opens tunnels, and forwards plain requests as they are.

    With `to` it knows one server alone, whatever name is asked for.
    """

    def __init__(self, to: str = "") -> None:
        self.lines: list[str] = []
        self.heads: list[str] = []
        self._to = to

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        line = head.split(b"\r\n", 1)[0].decode()
        self.lines.append(line)
        self.heads.append(head.decode())
        method, target, _ = line.split()
        place = urlsplit(self._to or (target if "://" in target else f"//{target}"))
        inner, out = await asyncio.open_connection(place.hostname, place.port)
        if method == "CONNECT":
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        else:
            out.write(head)
        await asyncio.gather(self._copy(reader, out), self._copy(inner, writer))

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        writer.close()


@asynccontextmanager
async def proxy(to: str = "") -> AsyncIterator[tuple[Proxy, str]]:
    made = Proxy(to)
    tasks: set[asyncio.Task[None]] = set()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.get_running_loop().create_task(made.serve(reader, writer)))

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield made, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await asyncio.gather(*tasks)


async def test_a_plain_server_is_asked_through_its_proxy(gizmo):
    async with proxy() as (seen, url), client_of(Canned(reply(gizmo())), proxy_url=url) as client:
        assert (await client.get(GIZMO, "a"))["kind"] == "Gizmo"
    assert seen.lines[0].startswith("GET http://127.0.0.1:")


async def test_a_server_with_tls_is_reached_through_a_tunnel(gizmo, certificates):
    async with proxy() as (seen, through), tls_server(Canned(reply(gizmo())), certificates.ssl_context()) as url:
        config = ClusterConfig(url, ca=certificates.authority, proxy_url=through, tls_server_name="localhost")
        async with HttpClient(config, retry=ONCE) as client:
            assert (await client.get(GIZMO, "a"))["kind"] == "Gizmo"
    assert {line.split()[0] for line in seen.lines} == {"CONNECT"}


async def test_a_proxy_that_is_not_there_is_unreachable(gizmo):
    canned = Canned(reply(gizmo()))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{taken.getsockname()[1]}"
        async with client_of(canned, proxy_url=nobody, retry=ONCE) as client:
            with pytest.raises(Unreachable):
                await client.get(GIZMO, "a")
    assert canned.requests == []


@asynccontextmanager
async def plain_server(canned: Canned) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", canned.answer)
    async with TestServer(app) as server:
        yield f"http://127.0.0.1:{server.port}"


def loaded(tmp_path: Path, cluster: dict[str, str], environ: dict[str, str]) -> ClusterConfig:
    file = tmp_path / "config"
    contexts = [{"name": "c", "context": {"cluster": "k"}}]
    file.write_text(
        json.dumps({"current-context": "c", "clusters": [{"name": "k", "cluster": cluster}], "contexts": contexts})
    )
    return load(file, environ=environ)


async def test_a_plain_server_is_asked_through_the_proxy_of_the_environment(gizmo, tmp_path):
    async with plain_server(Canned(reply(gizmo()))) as url, proxy(to=url) as (seen, through):
        environ = {"HTTP_PROXY": through.replace("//", "//jane:p%40@"), "HTTPS_PROXY": "http://elsewhere.invalid"}
        async with HttpClient(loaded(tmp_path, {"server": "http://api.invalid"}, environ), retry=ONCE) as client:
            assert (await client.get(GIZMO, "a"))["kind"] == "Gizmo"
    assert seen.lines[0].startswith("GET http://api.invalid/")
    assert "Proxy-Authorization: Basic amFuZTpwQA==" in seen.heads[0]


async def test_a_server_with_tls_is_reached_through_a_tunnel_of_the_environments_proxy(gizmo, certificates, tmp_path):
    async with (
        tls_server(Canned(reply(gizmo())), certificates.ssl_context()) as url,
        proxy(to=url) as (seen, through),
    ):
        authority = base64.b64encode(certificates.authority).decode()
        cluster = {
            "server": "https://api.invalid",
            "certificate-authority-data": authority,
            "tls-server-name": "localhost",
        }
        config = loaded(tmp_path, cluster, {"https_proxy": through.removeprefix("http://")})
        async with HttpClient(config, retry=ONCE) as client:
            assert (await client.get(GIZMO, "a"))["kind"] == "Gizmo"
    assert {line.split()[:2] == ["CONNECT", "api.invalid:443"] for line in seen.lines} == {True}


async def test_the_proxy_of_the_kubeconfig_goes_before_that_of_the_environment(gizmo, tmp_path):
    async with plain_server(Canned(reply(gizmo()))) as url, proxy(to=url) as (seen, through):
        cluster = {"server": "http://api.invalid", "proxy-url": through}
        # NO_PROXY speaks of the environment's proxy alone.
        config = loaded(tmp_path, cluster, {"HTTP_PROXY": "http://elsewhere.invalid", "NO_PROXY": "*"})
        async with HttpClient(config, retry=ONCE) as client:
            assert (await client.get(GIZMO, "a"))["kind"] == "Gizmo"
    assert len(seen.lines) == 1


async def test_a_server_of_this_machine_is_asked_directly(gizmo, tmp_path):
    async with plain_server(Canned(reply(gizmo()))) as url, proxy() as (seen, through):
        client = HttpClient(loaded(tmp_path, {"server": url}, {"HTTP_PROXY": through}), retry=ONCE)
        assert (await client.get(GIZMO, "a"))["kind"] == "Gizmo"
        await client.close()
    assert seen.lines == []
