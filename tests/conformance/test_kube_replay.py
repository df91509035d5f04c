"""What a real kube-apiserver answered, asked of the embedded one: requests, and kubectl commands with their output.

The differences that are left stand in `kube_differences.json`, each with its reason. The list may only shrink.
"""

import asyncio
import importlib.util
import json
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from lambent.clock import utc_now
from lambent.kubeserver import KubeServer
from tests.kubeserver.kubectl_programs import programs

HERE = Path(__file__).parent
RECORDED = HERE.parents[1].parent / "shared" / "conformance" / "kube"
BASELINE: dict[str, dict[str, Any]] = json.loads((HERE / "kube_differences.json").read_text())

NO_TIME = "  creationTimestamp: null"
DELETED_FROM = re.compile(r"(?<= deleted) from \S+ namespace")

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not RECORDED.is_dir(), reason="../shared is not here: nothing recorded to compare with"),
]


def _load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"recorded_{name}", RECORDED / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
async def server(tmp_path):
    # Managers are ordered by the seconds of their times: one second for all, wherever a busy machine begins the next.
    moment = utc_now()
    running = KubeServer(state_dir=tmp_path, clock=lambda: moment)
    await running.startup("127.0.0.1", 0)
    yield running
    await running.shutdown()


@pytest.fixture
def scripts(monkeypatch):
    monkeypatch.syspath_prepend(str(RECORDED))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    return _load


def _judge(found: dict[str, str], known: dict[str, Any], asked: set[str]) -> None:
    """Every difference is known, and every known one is still there."""
    assert {key: text for key, text in found.items() if key not in known} == {}
    healed = {key for key, entry in known.items() if entry["always"] and key in asked and key not in found}
    assert healed == set(), "these no longer differ: take them off kube_differences.json"


async def test_every_recorded_request_is_answered_as_a_real_server_answers_it(server, scripts):
    replay, scenarios = scripts("replay"), scripts("scenarios")
    target = replay.Server(server.url.replace("https", "http"), server.token, False)
    answers = await asyncio.to_thread(replay.run, target, scenarios.GROUPS, None)
    want = json.loads((RECORDED / "recorded.json").read_text())
    assert answers.keys() == want.keys()
    differing = {key: replay.differences(want[key], got) for key, got in answers.items()}
    _judge({key: "; ".join(d) for key, d in differing.items() if d}, BASELINE["replay"], set(want))


def _levelled(answer: dict[str, Any], minor: str) -> dict[str, Any]:
    """The answer without what kubectl prints otherwise from 1.34 on: where a thing was deleted from, no null times."""
    if int(minor.split(".")[1]) < 34:
        return answer
    streams = {name: answer[name] for name in ("out", "err") if name in answer}
    level = {name: [DELETED_FROM.sub("", line) for line in lines if line != NO_TIME] for name, lines in streams.items()}
    return answer | level


async def _play(minor: str, folder: Path, script: ModuleType, groups: dict[str, Any]) -> dict[str, Any]:
    """The answers of one minor's kubectl, with a server of its own."""
    server = KubeServer(state_dir=folder / minor)
    await server.startup("127.0.0.1", 0)
    try:
        config = script.kubeconfig(server.url, server.token, True)
        answers: dict[str, Any] = await asyncio.to_thread(script.play, programs()[minor], config, groups, None)
        return answers
    finally:
        await server.shutdown()


@pytest.mark.timeout(480)
async def test_kubectl_prints_what_it_prints_with_a_real_server(tmp_path, scripts):
    """Exit codes and both outputs to the letter, of the minor that was recorded and of the newest other one.

    They play at once, for each waits as much as it works. The kubectl table runs with every minor.
    """
    script, commands = scripts("kubectl"), scripts("commands")
    record = json.loads((RECORDED / "kubectl.recorded.json").read_text())
    others = [minor for minor in programs() if minor != record["kubectl"]]
    played = [*(minor for minor in programs() if minor == record["kubectl"]), *others[-1:]]
    if not played:
        pytest.skip("MISSING kubectl: its transcript cannot be played")
    plays = await asyncio.gather(*(_play(minor, tmp_path, script, commands.GROUPS) for minor in played))
    for minor, answers in zip(played, plays, strict=True):
        pairs = {key: (_levelled(got, minor), _levelled(record["answers"][key], minor)) for key, got in answers.items()}
        differing = {key: json.dumps(got) for key, (got, want) in pairs.items() if got != want}
        _judge(differing, BASELINE["kubectl"], set(answers))
