"""The port: TLS and plain HTTP on one, the kubeconfig beside it, tokens that end, and a watch's last chunk."""

import asyncio
import base64
import hmac
import inspect
import socket
import ssl
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from lambent.clock import utc_now
from lambent.kubeserver import KubeServer
from lambent.kubeserver.access import tokens
from lambent.kubeserver.access.tokens import Tokens
from tests.kubeserver.asking import CONFIGMAPS, Asker, configmap

REAL_TIME = True


@pytest.fixture
async def listening(tmp_path):
    server = KubeServer(state_dir=tmp_path / "state")
    await server.startup("127.0.0.1", 0)
    server.write_kubeconfig(tmp_path / "kubeconfig")
    yield server
    await server.shutdown()


def _exchange(port: int, request: bytes, context: ssl.SSLContext | None) -> bytes:
    """All that the server sends until it closes."""
    plain = socket.create_connection(("127.0.0.1", port), timeout=30)
    with context.wrap_socket(plain, server_hostname="127.0.0.1") if context else plain as line:
        line.sendall(request)
        return b"".join(iter(lambda: line.recv(65536), b""))


async def _raw(server: KubeServer, request: bytes, context: ssl.SSLContext | None = None) -> bytes:
    return await asyncio.to_thread(_exchange, int(server.url.rpartition(":")[2]), request, context)


def _get(server: KubeServer, target: str) -> bytes:
    head = (
        f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {server.token}\r\nConnection: close\r\n\r\n"
    )
    return head.encode()


async def test_one_port_speaks_tls_and_plain_http(listening, tmp_path):
    cluster = yaml.safe_load((tmp_path / "kubeconfig").read_text())["clusters"][0]["cluster"]
    authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
    for context in (None, ssl.create_default_context(cadata=authority)):
        assert (await _raw(listening, _get(listening, CONFIGMAPS), context)).startswith(b"HTTP/1.1 200")
        assert (
            await _raw(listening, b"GET /api HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", context)
        ).startswith(b"HTTP/1.1 403")


async def test_the_kubeconfig_is_private_and_has_one_context(listening, tmp_path):
    path = tmp_path / "kubeconfig"
    found = yaml.safe_load(path.read_text())
    assert path.stat().st_mode & 0o777 == 0o600
    assert found["current-context"] == "lambent"
    assert found["clusters"][0]["cluster"]["server"] == listening.url
    assert found["users"][0]["user"]["token"] == listening.token


def test_keys_and_tokens_are_private_and_long(tmp_path):
    async def run() -> str:
        server = KubeServer(state_dir=tmp_path / "state")
        await server.startup("127.0.0.1", 0)
        token = server.token
        await server.shutdown()
        return token

    token = asyncio.run(run())
    assert len(token) >= 256 / 6
    files = [path for path in (tmp_path / "state").rglob("*") if path.is_file()]
    assert {path.name for path in files} >= {"token", "kube.db", "server.key", "ca.crt"}
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}


def test_loopback_is_the_default_address():
    given = inspect.signature(KubeServer.startup).parameters
    assert (given["host"].default, given["port"].default) == ("127.0.0.1", 6444)


def test_tokens_are_compared_in_constant_time(monkeypatch):
    compared: list[tuple[bytes, bytes]] = []

    def compare_digest(left: bytes, right: bytes) -> bool:
        compared.append((left, right))
        return left == right

    monkeypatch.setattr(tokens, "hmac", SimpleNamespace(compare_digest=compare_digest, new=hmac.new))
    kept = Tokens(None, utc_now)
    minted = kept.mint("default", "x", "u", {})["token"]
    compared.clear()
    assert kept.user_of(kept.admin) is not None
    assert kept.user_of("wrong") is None
    assert kept.user_of(f"{minted}x") is None
    assert (b"wrong", kept.admin.encode()) in compared
    assert len(compared) == 5


def test_a_minted_token_ends_with_its_time_and_with_its_key():
    now = utc_now()
    kept = Tokens(None, lambda: now)
    token = kept.mint("default", "x", "u", {"expirationSeconds": 600})["token"]
    found = kept.user_of(token)
    assert found is not None
    assert (found.name, found.uid) == ("system:serviceaccount:default:x", "u")
    now += timedelta(seconds=599)
    assert kept.user_of(token) is not None
    now += timedelta(seconds=2)
    assert kept.user_of(token) is None
    assert Tokens(None, utc_now).user_of(token) is None


async def test_a_watch_ends_with_the_last_chunk(listening):
    await Asker(listening)("POST", CONFIGMAPS, configmap("a"))
    answer = await _raw(listening, _get(listening, f"{CONFIGMAPS}?watch=1&timeoutSeconds=1"))
    assert b"transfer-encoding: chunked" in answer.lower()
    assert b'"type":"ADDED"' in answer
    assert answer.endswith(b"\r\n0\r\n\r\n")


def test_the_state_directory_is_made(tmp_path: Path):
    KubeServer(state_dir=tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700
