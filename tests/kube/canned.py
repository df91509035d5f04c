"""A server that answers from a list, and a client of it: what the tests of the HTTP client share."""

from contextlib import asynccontextmanager

import orjson
from aiohttp import web
from aiohttp.test_utils import TestServer

from lambent.kube.http_client import HttpClient
from lambent.kube.kubeconfig import ClusterConfig
from lambent.kube.types import GVK

GIZMO = GVK("example.org", "v1", "Gizmo")
BASE = "/apis/example.org/v1/namespaces/default/gizmos"
RESOURCES = {
    "kind": "APIResourceList",
    "groupVersion": "example.org/v1",
    "resources": [
        {"name": "gizmos", "kind": "Gizmo", "namespaced": True, "verbs": ["get"]},
        {"name": "gizmos/status", "kind": "Gizmo", "namespaced": True, "verbs": ["get"]},
    ],
}
CORE = {
    "kind": "APIResourceList",
    "groupVersion": "v1",
    "resources": [{"name": f"{kind.lower()}s", "kind": kind, "namespaced": True} for kind in ("Pod", "Secret")],
}
DISCOVERY = {"/api": {}, "/apis": {}, "/apis/example.org/v1": RESOURCES, "/api/v1": CORE}


def status(code, reason, message="m", **details):
    return {"kind": "Status", "code": code, "reason": reason, "message": message, "details": details}


def reply(body, code=200, **headers):
    return web.Response(
        body=body if isinstance(body, bytes) else orjson.dumps(body),
        status=code,
        content_type="application/json",
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )


class Canned:
    """A server that answers from a list and keeps what it was asked."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.requests = []

    async def answer(self, request: web.Request):
        if request.path in DISCOVERY:
            return reply(DISCOVERY[request.path])
        self.requests.append((request.method, request.path_qs, request.headers, await request.read()))
        answer = self.answers.pop(0)
        if answer == "cut":
            assert request.transport is not None
            request.transport.abort()
            return reply({})
        return answer


@asynccontextmanager
async def client_of(canned, *, retry=None, **config):
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", canned.answer)
    async with TestServer(app) as server:
        url = f"http://127.0.0.1:{server.port}"
        async with HttpClient(ClusterConfig(url, **config), component="test", retry=retry) as client:
            yield client
