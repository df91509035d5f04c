"""Credentials that change while a client runs: token files and exec plug-ins."""

import os
import stat
from datetime import UTC, datetime, timedelta

import orjson
import pytest

from lambent.errors import UsageError
from lambent.kube import credentials as credentials_module
from lambent.kube.credentials import ClientCertificate, ExecPlugin, TokenFile
from lambent.kube.kubeconfig import from_mapping, load
from tests.kube.test_kubeconfig import config

REAL_TIME = True
T0 = datetime(2026, 1, 1, tzinfo=UTC)
V1 = "client.authentication.k8s.io/v1"
BETA = "client.authentication.k8s.io/v1beta1"


@pytest.fixture
def plugin_of(tmp_path):
    """A plug-in that prints `status`, counts its runs and keeps what it was told."""

    def make(status, script="", **options):
        (tmp_path / "answer").write_bytes(orjson.dumps({"status": status}))
        file = tmp_path / "plugin"
        file.write_text(
            f'#!/bin/sh\necho "$KUBERNETES_EXEC_INFO" > {tmp_path}/info\necho $FLAVOUR >> {tmp_path}/runs\n'
            f"{script}\ncat {tmp_path}/answer\n"
        )
        file.chmod(file.stat().st_mode | stat.S_IXUSR)
        return ExecPlugin(str(file), **options)

    return make


def runs(tmp_path):
    return len((tmp_path / "runs").read_text().splitlines())


async def test_a_plugin_runs_once_until_its_token_expires_or_is_refused(plugin_of, tmp_path):
    now = [T0]
    status = {"token": "t", "expirationTimestamp": "2026-01-01T00:10:00Z"}
    plugin = plugin_of(status, now=lambda: now[0])
    for _ in range(2):
        assert await plugin.headers() == {"Authorization": "Bearer t"}
    now[0] += timedelta(minutes=9, seconds=59)
    await plugin.headers()
    assert runs(tmp_path) == 1
    now[0] += timedelta(seconds=1)
    await plugin.headers()
    assert runs(tmp_path) == 2
    assert await plugin.renew()
    assert runs(tmp_path) == 3


@pytest.mark.parametrize("version", [V1, BETA])
async def test_a_plugin_is_told_version_and_cluster_when_it_asks(plugin_of, tmp_path, version):
    plugin_of({"token": "t"})
    users = {"exec": {"command": "./plugin", "apiVersion": version, "env": [{"name": "FLAVOUR", "value": "sweet"}]}}
    for asks in (False, True):
        users["exec"]["provideClusterInfo"] = asks
        file = tmp_path / "config"
        file.write_bytes(orjson.dumps(config(user=users, cluster={"tls-server-name": "inner"})))
        assert await load(file).credentials.headers() == {"Authorization": "Bearer t"}
        info = orjson.loads((tmp_path / "info").read_bytes())
        cluster = {"cluster": {"server": "https://one", "tls-server-name": "inner"}} if asks else {}
        assert info == {"kind": "ExecCredential", "apiVersion": version, "spec": {"interactive": False, **cluster}}
    assert (tmp_path / "runs").read_text() == "sweet\nsweet\n"


async def test_a_plugin_may_give_a_certificate(plugin_of):
    plugin = plugin_of({"clientCertificateData": "C", "clientKeyData": "K"})
    assert await plugin.headers() == {}
    assert plugin.certificate() == ClientCertificate(b"C", b"K")


async def test_a_plugin_that_is_not_installed_gives_its_hint():
    users = {"exec": {"command": "no-such-plugin", "apiVersion": V1, "installHint": "get it"}}
    credentials = from_mapping(config(user=users)).credentials
    with pytest.raises(UsageError, match="get it"):
        await credentials.headers()


@pytest.mark.parametrize(
    ("status", "script", "words"),
    [
        ({"token": "t"}, "exit 3", "exit code 3"),
        ({}, "", "neither a token nor a certificate"),
        ({"token": "t"}, "echo oops", "printed no ExecCredential"),
    ],
    ids=["failed", "empty", "garbage"],
)
async def test_a_plugin_that_gives_no_credentials_says_why(plugin_of, status, script, words):
    with pytest.raises(UsageError, match=words):
        await plugin_of(status, script).headers()


async def test_a_plugin_that_hangs_is_killed_after_half_a_minute(plugin_of, tmp_path, monkeypatch):
    assert credentials_module._EXEC_LIMIT_S == 30
    monkeypatch.setattr(credentials_module, "_EXEC_LIMIT_S", 0.5)
    plugin = plugin_of({"token": "t"}, f"echo $$ > {tmp_path}/pid; exec sleep 600")
    with pytest.raises(UsageError, match="no answer within"):
        await plugin.headers()
    if (tmp_path / "pid").exists():
        with pytest.raises(ProcessLookupError):
            os.kill(int((tmp_path / "pid").read_text()), 0)


async def test_a_token_file_that_cannot_be_read_keeps_the_last_token(tmp_path, caplog):
    token = tmp_path / "token"
    token.write_text("good\n")
    credentials = TokenFile(token)
    assert await credentials.headers() == {"Authorization": "Bearer good"}
    token.unlink()
    assert await credentials.renew()
    assert await credentials.headers() == {"Authorization": "Bearer good"}
    assert "cannot read the token file" in caplog.text
