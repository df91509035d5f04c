"""More than thirty kubeconfigs resolve as kubectl resolves them."""

import base64
import copy
import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from lambent.errors import UsageError
from lambent.kube.credentials import ExecPlugin, StaticCredentials, TokenFile
from lambent.kube.kubeconfig import ClusterConfig, load

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed"),
]


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def config(cluster=None, user=None, context=None, **top: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "c",
        "clusters": [{"name": "k", "cluster": {"server": "https://one:6443", **(cluster or {})}}],
        "users": [{"name": "u", "user": user or {}}],
        "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u", **(context or {})}}],
        **top,
    }


@dataclass
class Case:
    """`files` are written; `listed` are those in KUBECONFIG; `options` are the flags of kubectl and ours."""

    files: dict[str, Any]
    listed: list[str] = field(default_factory=lambda: ["config"])
    options: dict[str, str] = field(default_factory=dict)


def one(**parts: Any) -> Case:
    return Case({"config": config(**parts)})


EXEC = {"apiVersion": "client.authentication.k8s.io/v1", "command": "cmd", "interactiveMode": "Never"}
TWO = {
    "clusters": [
        {"name": "k", "cluster": {"server": "https://one"}},
        {"name": "l", "cluster": {"server": "https://two", "certificate-authority-data": b64("CA2")}},
    ],
    "users": [{"name": "u", "user": {"token": "t1"}}, {"name": "v", "user": {"token": "t2"}}],
    "contexts": [
        {"name": "c", "context": {"cluster": "k", "user": "u"}},
        {"name": "d", "context": {"cluster": "l", "user": "v", "namespace": "deep"}},
        {"name": "anonymous", "context": {"cluster": "k"}},
        {"name": "torn", "context": {"cluster": "gone", "user": "u"}},
        {"name": "nobody", "context": {"cluster": "k", "user": "gone"}},
    ],
}

CASES: dict[str, Case] = {
    "nothing but a server": one(),
    "port and path": one(cluster={"server": "https://one:8443/clusters/a"}),
    "trailing slash": one(cluster={"server": "https://one/"}),
    "plain http": one(cluster={"server": "http://127.0.0.1:8080"}),
    "ca data": one(cluster={"certificate-authority-data": b64("CA")}),
    "ca file": Case({"config": config(cluster={"certificate-authority": "ca.pem"}), "ca.pem": "CA"}),
    "ca file in a folder": Case({"config": config(cluster={"certificate-authority": "pki/ca"}), "pki/ca": "CA"}),
    "insecure": one(cluster={"insecure-skip-tls-verify": True}),
    "tls server name": one(cluster={"tls-server-name": "inner"}),
    "proxy": one(cluster={"proxy-url": "http://proxy:3128"}),
    "token": one(user={"token": "secret"}),
    "password": one(user={"username": "a", "password": "b"}),
    "certificate data": one(user={"client-certificate-data": b64("C"), "client-key-data": b64("K")}),
    "certificate files": Case(
        {"config": config(user={"client-certificate": "c.pem", "client-key": "./k.pem"}), "c.pem": "C", "k.pem": "K"}
    ),
    "certificate and token": one(
        user={"client-certificate-data": b64("C"), "client-key-data": b64("K"), "token": "secret"}
    ),
    "exec": one(user={"exec": EXEC}),
    "exec with arguments": one(user={"exec": {**EXEC, "args": ["a", "b"], "env": [{"name": "X", "value": "z"}]}}),
    "namespace": one(context={"namespace": "team"}),
    "as": one(user={"token": "t", "as": "jane", "as-groups": ["x", "z"], "as-uid": "7"}),
    "second context": Case({"config": config(**copy.deepcopy(TWO))}, options={"context": "d"}),
    "current context": Case({"config": config(**copy.deepcopy(TWO), **{"current-context": "d"})}),
    "context without user": Case({"config": config(**copy.deepcopy(TWO))}, options={"context": "anonymous"}),
    "unknown context": Case({"config": config(**copy.deepcopy(TWO))}, options={"context": "none"}),
    "no current context": one(**{"current-context": ""}),
    "two files, first wins": Case(
        {"a": config(cluster={"server": "https://first"}), "b": config(cluster={"server": "https://second"})},
        listed=["a", "b"],
    ),
    "two files, parts of one": Case(
        {
            "a": {"clusters": [{"name": "k", "cluster": {"server": "https://apart"}}], "current-context": "c"},
            "b": {"users": [{"name": "u", "user": {"token": "t"}}]},
            "c": {"contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}]},
        },
        listed=["a", "b", "c"],
    ),
    "two files, one name with members in each": Case(
        {
            "a": config(user={"token": "t"}, context={"namespace": "first"}),
            "b": config(
                cluster={"certificate-authority-data": b64("CA"), "tls-server-name": "inner"},
                user={"username": "a", "as": "jane"},
                context={"namespace": "second"},
            ),
        },
        listed=["a", "b"],
    ),
    "extra of who is acted for": one(user={"token": "t", "as": "jane", "as-user-extra": {"scopes": ["a", "b"]}}),
    "a missing file is passed over": Case({"b": config()}, listed=["none", "b"]),
    "a duplicate and an empty entry": Case({"b": config()}, listed=["b", "", "b"]),
    "relative to each file": Case(
        {"x/a": config(cluster={"certificate-authority": "ca"}), "x/ca": "X", "y/b": config(), "y/ca": "Y"},
        listed=["y/none", "x/a", "y/b"],
    ),
    "current context of the second file": Case(
        {"a": config(**{"current-context": ""}), "b": {"current-context": "c"}}, listed=["a", "b"]
    ),
    "json": Case({"config": orjson.dumps(config(user={"token": "t"})).decode()}),
    "unknown members": one(cluster={"extensions": [{"name": "x", "extension": {}}]}, preferences={}),
    "empty file": Case({"config": ""}),
}


def place(case: Case, directory: Path) -> dict[str, str]:
    for name, content in case.files.items():
        file = directory / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    listed = os.pathsep.join(str(directory / name) if name else "" for name in case.listed)
    return {"KUBECONFIG": listed, "HOME": str(directory), "PATH": os.environ["PATH"]}


def of_kubectl(case: Case, environ: dict[str, str]) -> dict[str, Any] | None:
    """What kubectl makes of it; None when it refuses."""
    flags = [f"--{name}={value}" for name, value in case.options.items()]
    command = ["kubectl", "config", "view", "--minify", "--flatten", "--raw", "-o", "json", *flags]
    done = subprocess.run(command, env=environ, capture_output=True, timeout=30, check=False)
    if done.returncode:
        return None
    seen = orjson.loads(done.stdout)
    cluster = seen["clusters"][0]["cluster"]
    user = seen["users"][0]["user"] if seen.get("users") else {}
    plugin = user.get("exec") or {}
    return {
        "server": cluster.get("server", "").rstrip("/"),
        "namespace": seen["contexts"][0]["context"].get("namespace") or "default",
        "ca": cluster.get("certificate-authority-data"),
        "insecure": cluster.get("insecure-skip-tls-verify", False),
        "name": cluster.get("tls-server-name"),
        "proxy": cluster.get("proxy-url"),
        "token": user.get("token", ""),
        "user": user.get("username", ""),
        "certificate": user.get("client-certificate-data"),
        "exec": [plugin["command"], *(plugin.get("args") or [])] if plugin else None,
        "as": [user.get("as", ""), *user.get("as-groups", []), user.get("as-uid", "")],
        "extra": [(name, value) for name, values in user.get("as-user-extra", {}).items() for value in values],
    }


def of_ours(found: ClusterConfig) -> dict[str, Any]:
    credentials = found.credentials
    static = credentials if isinstance(credentials, StaticCredentials) else StaticCredentials()
    certificate = credentials.certificate()
    who = found.impersonation
    return {
        "server": found.server,
        "namespace": found.namespace,
        "ca": base64.b64encode(found.ca).decode() if found.ca else None,
        "insecure": found.insecure_skip_tls_verify,
        "name": found.tls_server_name,
        "proxy": found.proxy_url,
        "token": credentials.fallback if isinstance(credentials, TokenFile) else static.token,
        "user": static.username,
        "certificate": base64.b64encode(certificate.certificate).decode() if certificate else None,
        "exec": [credentials.command, *credentials.args] if isinstance(credentials, ExecPlugin) else None,
        "as": [who.user, *who.groups, who.uid],
        "extra": list(who.extra),
    }


@pytest.mark.parametrize("name", CASES)
def test_a_kubeconfig_resolves_as_kubectl_resolves_it(tmp_path, name):
    case = CASES[name]
    environ = place(case, tmp_path)
    expected = of_kubectl(case, environ)
    try:
        found = of_ours(load(environ=environ, service_account=tmp_path, **case.options))
    except UsageError:
        found = None
    assert found == expected
