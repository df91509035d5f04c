"""What builtin kinds are accepted with, held against what kube-apiserver 1.34 answered (`warnings.json`)."""

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from lambent.kubeserver.access.authority import make
from lambent.kubeserver.validation.warnings import KINDS
from lambent.kubeserver.validation.warnings.certificates import mismatch
from lambent.kubeserver.validation.warnings.kinds import SOURCES
from lambent.kubeserver.validation.warnings.ports import of_containers
from lambent.kubeserver.validation.warnings.volumes import of_pod
from tests.kubeserver.asking import APPLY, MERGE

RECORDED = json.loads((Path(__file__).parent / "warnings.json").read_text())


def _said(text):
    assert text.startswith('299 - "')
    return text[7:-1].replace('\\"', '"').replace("\\\\", "\\")


@pytest.mark.parametrize("name", RECORDED)
async def test_a_write_is_warned_of_as_by_kube_apiserver(ask, name):
    for step in RECORDED[name]:
        media = step.get("media", "application/json")
        status, answer = await ask(step["method"], step["path"], step.get("body"), media=media)
        assert status == step["status"], answer
        assert [_said(text) for text in ask.headers.get("warning", ())] == step["warnings"], step


async def test_an_apply_and_a_dry_run_are_warned_of_once(ask):
    path = "/api/v1/namespaces/default/services/s?fieldManager=f"
    body = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}}
    body["spec"] = {"ports": [{"port": 1}], "externalName": "a.b"}
    for more, code in (("&dryRun=All", 201), ("", 201), ("", 200)):
        assert (await ask("PATCH", path + more, body, media=APPLY))[0] == code
        assert len(ask.headers["warning"]) == 1
    await ask("PATCH", path.replace("/s?", "/s/status?"), {"status": {}}, media=MERGE)
    assert "warning" not in ask.headers, "a status is no reason to doubt the rest"


async def test_an_ordinary_object_is_taken_without_a_word(ask):
    pod: Any = {"metadata": {"name": "p", "annotations": {"a": "b"}}, "spec": {"containers": [dict(CONTAINER)]}}
    assert (await ask("POST", "/api/v1/namespaces/default/pods", pod))[0] == 201
    assert "warning" not in ask.headers


def test_the_kinds_that_are_looked_at_are_those_with_something_to_tell():
    assert SOURCES.keys() == KINDS


CONTAINER: dict[str, Any] = {
    "name": "c",
    "image": "i",
    "env": [{"name": "a", "value": "1"}, {"name": "b", "value": "$(a)"}, {"name": "a", "value": "$(a)$(b)"}],
    "ports": [{"containerPort": 80}, {"containerPort": 80, "protocol": "UDP"}],
    "resources": {"limits": {"memory": "1.5Gi", "cpu": "1500m"}},
}


def test_many_ports_and_files_that_do_not_meet_are_looked_at_once_each():
    ports = [{"containerPort": 80, "protocol": "TCP", "hostPort": number} for number in range(1, 30_000)]
    assert list(of_containers([({"ports": ports}, "a")])) == []
    items = [{"key": "k", "path": f"d{number}/f"} for number in range(30_000)]
    items += [{"key": "k", "path": "a/" * 500_000}]
    assert list(of_pod([{"name": "v", "configMap": {"name": "m", "items": items}}], "volumes")) == []


def test_a_certificate_and_its_key_are_told_from_those_of_others():
    (_, chain, key), (_, _, other) = make(), make()
    edwards = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    broken = b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"
    assert [mismatch(chain, one) for one in (key, b"text\n" + key, other, edwards, broken, chain)] == [
        "",
        "",
        "tls: private key does not match public key",
        "tls: private key type does not match public key type",
        "tls: failed to parse private key",
        'tls: failed to find PEM block with type ending in "PRIVATE KEY" in key input after skipping PEM blocks of the '
        "following types: [CERTIFICATE CERTIFICATE]",
    ]
    assert mismatch(b"-----BEGIN a:b-----\n" * 50_000, key) == mismatch(b"", key), "and that takes no time"
    assert mismatch(chain[:200], key) == "tls: failed to find any PEM data in certificate input"
    assert mismatch(broken.replace(b"PRIVATE KEY", b"CERTIFICATE"), key) == "x509: malformed certificate"
