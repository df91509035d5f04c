"""Requests changed at random never reach the catch-all, are always answered, and leave the server alive.

`LAMBENT_FUZZ_INPUTS` says how many (a run at scale takes 200 000), `LAMBENT_FUZZ_SEED` which.
"""

import asyncio
import os
from collections import Counter
from typing import Any

import orjson
import yaml

from lambent.clock import VirtualTimeLoop
from lambent.http.message import Request, Response
from lambent.kubeserver import KubeServer
from tests.kubeserver.asking import CONFIGMAPS, GIZMOS, Asker, configmap, gizmo, gizmo_crd
from tests.kubeserver.mutations import DEFINITIONS, TOKEN, Ask, Mutator

INPUTS = int(os.environ.get("LAMBENT_FUZZ_INPUTS", "2000"))
SEED = int(os.environ.get("LAMBENT_FUZZ_SEED", "1"))
PER_SERVER = 2_000
"""Requests until a fresh server, so that a failure has few requests before it."""

WORDED_500 = (
    "failed to create typed ",
    "failed to create manager for existing fields",
    "failed to convert new object",
    "resourceVersion should not be set on objects to be created",
    "strconv.ParseUint",
    "does not contain declared merge key",
    "unknown patch type",
    "json: cannot unmarshal",  # the body of a deletion
    "couldn't get version/kind; json parse error",
    'is registered for version "',
    "The order in patch list:",
    "unable to find api field in struct",
    "list element types are not identical:",
    "merging lists cannot yet be specified",
    "cannot merge lists without merge key",
    "expected a ",  # of the directives of a strategic merge, as the next
    "value for key ",
    "the spec replicas field",
    "value cannot be set because",  # of a scale, where spec is null
    "Object 'apiVersion' is missing in",
    "content is not a list",
    "yaml: ",  # the body of a deletion
    "unsupported map key of type",  # there, too
    "json: unsupported value",  # there, too
)
"""kube-apiserver answers these mistakes of a client with 500 too; clients know the wording."""


async def _server() -> tuple[KubeServer, str]:
    """With a page's token."""
    server = KubeServer(state_dir=None)
    await server.open()
    ask = Asker(server)
    items = {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"}
    spec = {"type": "object", "properties": {"a": {"type": "integer"}, "items": items}}
    await ask.add_crd(gizmo_crd(spec, subresources={"status": {}}))
    for definition in DEFINITIONS:
        await server.service(_request(server, definition))
    await _fill(ask)
    await ask("POST", CONFIGMAPS, configmap("w"))
    _, page = await ask("GET", f"{CONFIGMAPS}?limit=1")
    return server, page["metadata"]["continue"]


async def _fill(ask: Asker) -> None:
    """What most requests aim at; a request may have deleted it."""
    await ask("POST", CONFIGMAPS, configmap("x", {"a": "1"}))
    await ask("POST", GIZMOS, gizmo("x", {"a": 1}))


def _request(server: KubeServer, ask: Ask, token: str = "") -> Request:
    headers = [(b"authorization", f"Bearer {server.token}".encode())]
    headers += [(b"content-type", ask.media.encode())] if ask.media else []
    headers += [(b"accept", ask.accept.encode("latin-1"))] if ask.accept else []
    return Request(ask.method, ask.target.replace(TOKEN, token).encode("latin-1"), headers, ask.body)


async def _body(response: Response) -> bytes:
    if isinstance(response.body, bytes):
        return response.body
    stream: Any = response.body
    async with asyncio.timeout(5):  # of virtual time: a watch goes on, and is left here
        async for chunk in stream:
            await stream.aclose()
            return bytes(chunk)
    return b""


def _complaint(response: Response, body: bytes) -> str:
    """Empty, or what is wrong with an answer."""
    if response.status < 400:
        return ""
    if response.status == 404 and body in (b"404 page not found\n", b""):  # what is no resource has no Status
        return ""
    is_yaml = (b"content-type", b"application/yaml") in response.headers
    try:
        status = yaml.safe_load(body) if is_yaml else orjson.loads(body)
    except (orjson.JSONDecodeError, yaml.YAMLError):
        return f"not a Status: {body[:200]!r}"
    if status.get("kind") != "Status" or status.get("code") != response.status or not status.get("message"):
        return f"not a proper Status: {body[:200]!r}"
    if response.status == 500 and not any(text in status["message"] for text in WORDED_500):
        return f"500: {status['message']}"
    return ""


async def _run(inputs: int) -> Counter[int]:
    mutator, codes = Mutator(SEED), Counter[int]()
    server, token = await _server()
    for number in range(inputs):
        if number % PER_SERVER == PER_SERVER - 1:
            await server.shutdown()
            server, token = await _server()
        elif number % 50 == 0:
            await _fill(Asker(server))
        ask = mutator.next()
        try:
            response = await server.service(_request(server, ask, token))
            body = await _body(response)
        except TimeoutError:
            continue
        codes[response.status] += 1
        complaint = _complaint(response, body)
        assert not complaint, f"input {number} of seed {SEED}: {complaint}\n{ask!r}"
    assert (await Asker(server)("GET", "/readyz"))[0] == 200
    await server.shutdown()
    return codes


def test_no_mutated_request_breaks_the_server(caplog):
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        codes = runner.run(_run(INPUTS))
    print(f"{INPUTS} inputs: {dict(sorted(codes.items()))}")
    assert "a request failed" not in caplog.text
    assert codes[201] + codes[200] > INPUTS / 20, "nearly nothing was accepted: the mutations are too wild to reach far"
