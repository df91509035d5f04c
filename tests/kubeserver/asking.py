"""Raw requests to a server's service, as an HTTP client would send them, and the objects that tests send."""

import asyncio
from typing import Any

import orjson

from lambent.http.message import Request
from lambent.kubeserver import KubeServer

MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"

CONFIGMAPS = "/api/v1/namespaces/default/configmaps"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
GIZMOS = "/apis/test.example.org/v1/namespaces/default/gizmos"


class Asker:
    """`await ask("GET", path)` -> (status, decoded body); headers of the last answer in `headers`."""

    def __init__(self, server: KubeServer) -> None:
        self.server = server
        self.headers: dict[str, list[str]] = {}

    async def __call__(
        self, method: str, path: str, body: Any = None, *, media: str = "application/json", **headers: str
    ) -> tuple[int, Any]:
        raw = body if isinstance(body, bytes) else b"" if body is None else orjson.dumps(body)
        given = [(b"authorization", f"Bearer {self.server.token}".encode())]
        if raw:
            given.append((b"content-type", media.encode()))
        given += [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        response = await self.server.service(Request(method, path.encode(), given, raw))
        self.headers = {}
        for name, value in response.headers:
            self.headers.setdefault(name.decode(), []).append(value.decode())
        if not isinstance(response.body, bytes):
            return response.status, response.body
        try:
            return response.status, orjson.loads(response.body)
        except orjson.JSONDecodeError:
            return response.status, response.body

    async def events(self, path: str) -> list[Any]:
        """Every line of a watch until the server ends it."""
        _, stream = await self("GET", path)
        return [orjson.loads(line) async for chunk in stream for line in chunk.splitlines()]

    async def gone(self, path: str) -> None:
        """Waits, a few turns of the loop long, until the server's own loops removed it."""
        for _ in range(200):
            if (await self("GET", path))[0] == 404:
                return
            await asyncio.sleep(0)
        raise AssertionError(f"{path} is still there")

    async def add_crd(self, crd: Any) -> None:
        """Adds a definition and waits until the server wrote its status, so that no write of it comes in between."""
        status, body = await self("POST", CRDS, crd)
        assert status == 201, body
        for _ in range(200):
            _, body = await self("GET", f"{CRDS}/{crd['metadata']['name']}")
            if body["status"].get("conditions"):
                return
            await asyncio.sleep(0)


def configmap(name: str, data: dict[str, str] | None = None, **meta: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, **meta}, "data": data or {}}


def gizmo(name: str, spec: Any = None, **meta: Any) -> dict[str, Any]:
    return {
        "apiVersion": "test.example.org/v1",
        "kind": "Gizmo",
        "metadata": {"name": name, **meta},
        "spec": spec or {},
    }


def gizmo_crd(spec_schema: dict[str, Any] | None = None, **version: Any) -> dict[str, Any]:
    spec = spec_schema or {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    schema = {
        "type": "object",
        "properties": {"spec": spec, "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "gizmos.test.example.org"},
        "spec": {
            "group": "test.example.org",
            "scope": "Namespaced",
            "names": {"plural": "gizmos", "kind": "Gizmo", "shortNames": ["gz"]},
            "versions": [
                {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}, **version},
            ],
        },
    }
