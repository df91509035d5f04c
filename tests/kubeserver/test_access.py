"""Who is let in: tokens, host names, open paths; what the server tells of itself."""

import json
from typing import Any

import pytest

from lambent.http.message import Request
from lambent.kubeserver import KubeServer
from tests.kubeserver.asking import CONFIGMAPS, configmap


async def _status(server, path, **headers):
    given = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return (await server.service(Request("GET", path, given))).status


@pytest.mark.parametrize("authorization", ["", "Bearer wrong", "Basic abc", "Bearer a.b.c"])
async def test_without_the_token_nothing_is_shown(server, authorization):
    assert await _status(server, CONFIGMAPS.encode(), authorization=authorization) == 401


@pytest.mark.parametrize("path", [b"/livez", b"/readyz", b"/healthz", b"/version"])
async def test_health_and_version_are_open(server, path):
    assert await _status(server, path) == 200


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"host": "127.0.0.1:6444"}, 200),
        ({"host": "localhost:6444"}, 200),
        ({"host": "[::1]:6444"}, 200),
        ({"host": "evil.example.com:6444"}, 403),
        ({"host": "127.0.0.1:6444", "origin": "http://evil.example.com"}, 403),
        ({"host": "127.0.0.1:6444", "origin": "http://localhost:4580"}, 200),
    ],
)
async def test_a_page_that_rebinds_its_name_is_refused(server, headers, code):
    assert await _status(server, CONFIGMAPS.encode(), authorization=f"Bearer {server.token}", **headers) == code


async def test_a_service_account_token_says_who_it_is_and_expires(ask, server):
    await ask("POST", "/api/v1/namespaces/default/serviceaccounts", {"metadata": {"name": "runner"}})
    path = "/api/v1/namespaces/default/serviceaccounts/runner/token"
    status, made = await ask("POST", path, {"spec": {"expirationSeconds": 600}})
    assert status == 201
    token = made["status"]["token"]
    assert await _status(server, CONFIGMAPS.encode(), authorization=f"Bearer {token}") == 200
    review = "/apis/authentication.k8s.io/v1/tokenreviews"
    _, seen = await ask("POST", review, {"spec": {"token": token}})
    assert seen["status"]["user"]["username"] == "system:serviceaccount:default:runner"
    _, seen = await ask("POST", review, {"spec": {"token": token + "x"}})
    assert "authenticated" not in seen["status"]


@pytest.mark.parametrize(
    ("headers", "user"),
    [
        ([("User", "bob")], {"username": "bob", "groups": ["system:authenticated"]}),
        ([("User", "bob"), ("Group", "g"), ("Group", "h"), ("Uid", "7")],
         {"username": "bob", "groups": ["g", "h", "system:authenticated"], "uid": "7"}),
        ([("User", "system:serviceaccount:n:x")],
         {"username": "system:serviceaccount:n:x",
          "groups": ["system:serviceaccounts", "system:serviceaccounts:n", "system:authenticated"]}),
        ([("User", "system:serviceaccount:n:x"), ("Group", "g")],
         {"username": "system:serviceaccount:n:x", "groups": ["g", "system:authenticated"]}),
        ([("User", "system:serviceaccount:x")],
         {"username": "system:serviceaccount:x", "groups": ["system:authenticated"]}),
    ],
)  # fmt: skip
async def test_a_request_acts_as_whom_it_says(server, headers, user):
    """The answers of kube-apiserver 1.34 to `kubectl auth whoami --as`."""
    assert await _who(server, headers) == (201, user)


async def test_groups_without_a_user_are_refused(server):
    assert (await _who(server, [("Group", "g")]))[0] == 500


async def _who(server: KubeServer, headers: list[tuple[str, str]]) -> tuple[int, Any]:
    path = b"/apis/authentication.k8s.io/v1/selfsubjectreviews"
    sent = [(f"impersonate-{name.lower()}".encode(), value.encode()) for name, value in headers]
    sent += [(b"authorization", f"Bearer {server.token}".encode()), (b"content-type", b"application/json")]
    response = await server.service(Request("POST", path, sent, b"{}"))
    assert isinstance(response.body, bytes)
    return response.status, json.loads(response.body).get("status", {}).get(
        "userInfo"
    ) if response.status < 400 else None


async def test_a_write_under_an_old_term_is_refused(ask):
    lease = {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": "leader"},
        "spec": {"leaseTransitions": 3},
    }
    await ask("POST", "/apis/coordination.k8s.io/v1/namespaces/default/leases", lease)
    assert (await ask("POST", CONFIGMAPS, configmap("a"), lambent_fence="leader/2"))[0] == 409
    assert (await ask("POST", CONFIGMAPS, configmap("a"), lambent_fence="default/leader/3"))[0] == 201
    assert (await ask("GET", CONFIGMAPS, lambent_fence="leader/2"))[0] == 200
    assert (await ask("POST", CONFIGMAPS, configmap("b"), lambent_fence="nonsense"))[0] == 400


async def test_the_audit_sink_hears_every_request():
    from lambent.kubeserver import AuditEvent, KubeServer
    from tests.kubeserver.asking import Asker

    heard: list[AuditEvent] = []
    server = KubeServer(state_dir=None, audit=heard.append)
    await server.open()
    await Asker(server)("GET", f"{CONFIGMAPS}/none")
    await server.shutdown()
    assert heard == [AuditEvent("get", "", "configmaps", "", "default", "none", "lambent:admin", 404)]
