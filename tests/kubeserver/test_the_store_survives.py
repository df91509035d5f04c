"""Persistence: what was answered is there after a restart, also after kill -9, and the counter never goes back."""

import asyncio
import random
import sys
from pathlib import Path

import pytest

from lambent.errors import UsageError
from lambent.kubeserver import KubeServer
from tests.kubeserver.asking import CONFIGMAPS, GIZMOS, Asker, configmap, gizmo, gizmo_crd
from tests.promises.killing import KILLS, WRITERS, Program

REAL_TIME = True

FULL_DISK = """
import asyncio, pathlib, resource, sys
from lambent.http.message import Request
from lambent.kube.errors import KubeError
from lambent.kubeserver import KubeServer

async def main():
    server = KubeServer(state_dir=pathlib.Path(sys.argv[1]))
    await server.open()
    client = server.local_client()
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, resource.RLIM_INFINITY))
    number = 0
    try:
        while True:
            meta = {"name": f"c{number}", "namespace": "default"}
            data = {"x": "y" * 50_000}
            await client.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data})
            number += 1
    except KubeError as error:
        refused = error.code
    ready = await server.service(Request("GET", b"/readyz", []))
    alive = await server.service(Request("GET", b"/livez", []))
    shown = [len(page.items) async for page in client.list(*KIND, namespace="default")]
    print(number, refused, ready.status, alive.status, sum(shown), flush=True)

from lambent.kube.types import GVK
KIND = (GVK("", "v1", "ConfigMap"),)
asyncio.run(main())
"""

WRITER = f"""
import asyncio, os, pathlib
from lambent.kubeserver import KubeServer

async def create(client):
    while True:
        name = f"w{{os.urandom(6).hex()}}"
        obj = {{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {{"name": name, "namespace": "default"}}}}
        made = await client.create(obj)
        print(name, made["metadata"]["resourceVersion"], flush=True)

async def main(state):
    server = KubeServer(state_dir=pathlib.Path(state))
    await server.open()
    client = server.local_client()
    await asyncio.gather(*(create(client) for _ in range({WRITERS})))

def write(state):
    asyncio.run(main(state))
"""


async def _opened(path: Path) -> KubeServer:
    server = KubeServer(state_dir=path)
    await server.open()
    return server


async def test_objects_kinds_and_the_counter_survive_a_restart(tmp_path):
    first = await _opened(tmp_path)
    ask = Asker(first)
    await ask.add_crd(gizmo_crd())
    await ask("POST", CONFIGMAPS, configmap("kept", {"a": "1"}))
    _, made = await ask("POST", GIZMOS, gizmo("one", {"size": 3}))
    await first.shutdown()

    second = await _opened(tmp_path)
    again = Asker(second)
    assert (await again("GET", f"{CONFIGMAPS}/kept"))[1]["data"] == {"a": "1"}
    assert (await again("GET", f"{GIZMOS}/one"))[1] == made
    _, later = await again("POST", GIZMOS, gizmo("two"))
    await second.shutdown()
    assert int(later["metadata"]["resourceVersion"]) > int(made["metadata"]["resourceVersion"])
    assert second.token == first.token


async def test_a_watch_resumes_over_a_restart(tmp_path):
    first = await _opened(tmp_path)
    ask = Asker(first)
    _, made = await ask("POST", CONFIGMAPS, configmap("a"))
    await ask("PUT", f"{CONFIGMAPS}/a", configmap("a", {"x": "1"}))
    await ask("DELETE", f"{CONFIGMAPS}/a")
    await first.shutdown()

    second = await _opened(tmp_path)
    rv = made["metadata"]["resourceVersion"]
    events = await Asker(second).events(f"{CONFIGMAPS}?watch=1&resourceVersion={rv}&timeoutSeconds=1")
    await second.shutdown()
    assert [event["type"] for event in events] == ["MODIFIED", "DELETED"]


async def test_the_graph_of_owners_survives_a_restart(tmp_path):
    first = await _opened(tmp_path)
    ask = Asker(first)
    _, owner = await ask("POST", CONFIGMAPS, configmap("a"))
    ref = {"apiVersion": "v1", "kind": "ConfigMap", "name": "a", "uid": owner["metadata"]["uid"]}
    _, made = await ask("POST", CONFIGMAPS, configmap("b", ownerReferences=[ref]))
    await first.shutdown()
    second = await _opened(tmp_path)
    ask = Asker(second)
    query = f"watch=1&resourceVersion={made['metadata']['resourceVersion']}&timeoutSeconds=60"
    _, stream = await ask("GET", f"{CONFIGMAPS}?{query}")
    await ask("DELETE", f"{CONFIGMAPS}/a")
    told = b""
    async for chunk in stream:
        told += chunk
        if told.count(b"DELETED") == 2:
            break
    await stream.aclose()
    await second.shutdown()
    assert told.count(b"DELETED") == 2


@pytest.mark.parametrize(("keep_s", "kept"), [(300.0, True), (0.0, False)], ids=["of the last minutes", "older"])
async def test_a_restart_reaches_back_as_far_as_the_running_server(tmp_path, monkeypatch, keep_s, kept):
    monkeypatch.setattr("lambent.kubeserver.storage.history.KEEP_COUNT", 5)
    monkeypatch.setattr("lambent.kubeserver.storage.history.KEEP_S", keep_s)
    monkeypatch.setattr("lambent.kubeserver.storage.journal._TRIM_EVERY", 1)
    monkeypatch.setattr("lambent.kubeserver.storage.journal._UNFOLDED", 0)
    first = await _opened(tmp_path)
    ask = Asker(first)
    _, made = await ask("POST", CONFIGMAPS, configmap("a"))
    for number in range(20):
        await ask("PUT", f"{CONFIGMAPS}/a", configmap("a", {"x": str(number)}))
    await first.shutdown()
    second = await _opened(tmp_path)
    rv = made["metadata"]["resourceVersion"]
    events = await Asker(second).events(f"{CONFIGMAPS}?watch=1&resourceVersion={rv}&timeoutSeconds=1")
    await second.shutdown()
    assert [event["type"] for event in events] == (["MODIFIED"] * 20 if kept else ["ERROR"])


async def test_a_second_server_on_one_file_is_told_so(tmp_path):
    first = await _opened(tmp_path)
    with pytest.raises(UsageError, match="another server"):
        await _opened(tmp_path)
    await first.shutdown()


@pytest.mark.e2e
@pytest.mark.timeout(30 + 6 * KILLS)
async def test_no_acknowledged_write_is_lost_by_kill_9(tmp_path):
    state, chance, last, acknowledged = tmp_path / "state", random.Random(1), 0, set[str]()
    with Program(WRITER, tmp_path) as program:
        for _ in range(KILLS):
            acknowledged |= set(program.killed_after(chance.randrange(1, 400), state))
            server = await _opened(state)
            _, found = await Asker(server)("GET", CONFIGMAPS)
            await server.shutdown()
            held = {f"{item['metadata']['name']} {item['metadata']['resourceVersion']}" for item in found["items"]}
            assert acknowledged <= held
            assert int(found["metadata"]["resourceVersion"]) > last
            last = int(found["metadata"]["resourceVersion"])


@pytest.mark.e2e
async def test_a_full_disk_refuses_writes_shows_only_what_is_committed_and_loses_nothing(tmp_path):
    command = (sys.executable, "-c", FULL_DISK, str(tmp_path))
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    out, _ = await asyncio.wait_for(process.communicate(), 30)
    written, refused, ready, alive, shown = (int(word) for word in out.split())
    assert (refused, ready, alive, shown) == (500, 500, 200, written)
    server = await _opened(tmp_path)
    _, found = await Asker(server)("GET", CONFIGMAPS)
    await server.shutdown()
    assert len(found["items"]) == written > 0


def test_the_state_is_private(tmp_path):
    async def run() -> None:
        server = await _opened(tmp_path / "state")
        await server.shutdown()

    asyncio.run(run())
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700
    for name in ("kube.db", "token"):
        assert (tmp_path / "state" / name).stat().st_mode & 0o777 == 0o600
