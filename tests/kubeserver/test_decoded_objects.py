"""Objects written last are kept decoded for their next write: few, and nothing that is done with one changes it."""

import random
from typing import Any

import orjson
import pytest

from lambent.kubeserver.storage import store as module
from tests.kubeserver.asking import CONFIGMAPS, GIZMOS, MERGE, configmap, gizmo_crd

WRITES = 300
APPLY = "application/apply-patch+yaml"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"


def _decoded(ask):
    return [record for record in ask.server._store._decoded if record.decoded is not None]


def _metadata(draw):
    out: dict[str, Any] = {
        "name": "a",
        "labels": {"x": str(draw.randint(0, 2))},
        "annotations": {"y": str(draw.randint(0, 2))},
    }
    if draw.random() < 0.3:
        out["finalizers"] = draw.sample(["e.org/a", "e.org/b"], draw.randint(0, 2))
    if draw.random() < 0.2:
        uid = f"00000000-0000-0000-0000-{draw.randint(0, 3):012}"
        out["ownerReferences"] = [{"apiVersion": "v1", "kind": "ConfigMap", "name": "o", "uid": uid}] * 2
    return out


def _gizmo(draw):
    size = draw.choice((1, 2, 2.0, 3.5, "wrong"))  # a refused write must leave no trace either
    spec = {"size": size, "tags": draw.sample("abc", 2), "more": {"x": draw.choice((1, 1.0, None))}}
    envelope = {"apiVersion": "test.example.org/v1", "kind": "Gizmo", "metadata": _metadata(draw)}
    return envelope | {"spec": spec, "status": {"at": draw.randint(0, 2)}}


def _deployment(draw):
    labels = {"app": "a"}
    container = {"name": "c", "image": draw.choice(("i:1", "i:2", ""))}
    pod = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    spec = {"replicas": draw.choice((0, 1, "none")), "selector": {"matchLabels": labels}, "template": pod}
    envelope = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": _metadata(draw)}
    condition = {"type": "Available", "status": "True"}
    return envelope | {"spec": spec, "status": {"replicas": draw.randint(0, 2), "conditions": [condition]}}


@pytest.mark.parametrize(("root", "make"), [(GIZMOS, _gizmo), (DEPLOYMENTS, _deployment)])
@pytest.mark.parametrize("seed", range(3))
async def test_what_is_kept_decoded_stays_what_is_stored(ask, seed, root, make):
    draw = random.Random(seed)
    await ask.add_crd(gizmo_crd())
    seen = 0
    for _ in range(WRITES):
        dry = draw.choice(("", "&dryRun=All"))
        path, body = f"{root}/a{draw.choice(('', '', '/status'))}", make(draw)
        match draw.choice(("POST", "PUT", "PUT", "merge", "apply", "DELETE")):
            case "POST":
                await ask("POST", root, body)
            case "PUT":
                _, stored = await ask("GET", f"{root}/a")
                body["metadata"]["resourceVersion"] = stored["metadata"].get("resourceVersion", "")
                await ask("PUT", f"{path}?{dry}", body)
            case "merge":
                part = {name: body[name] for name in ("metadata", "spec", "status") if draw.random() < 0.7}
                await ask("PATCH", f"{path}?{dry}", part, media=MERGE)
            case "apply":
                await ask("PATCH", f"{path}?fieldManager=m&force={draw.randint(0, 1)}{dry}", body, media=APPLY)
            case "DELETE" if draw.random() < 0.2:
                await ask("DELETE", path)
        for record in _decoded(ask):
            assert orjson.dumps(record.decoded, option=orjson.OPT_SORT_KEYS) == orjson.dumps(
                record.load(), option=orjson.OPT_SORT_KEYS
            )
            seen += 1
    assert seen > WRITES


async def test_few_objects_are_kept_decoded_and_none_that_is_large(ask, monkeypatch):
    monkeypatch.setattr(module, "_DECODED_COUNT", 5)
    for number in range(8):
        await ask("POST", CONFIGMAPS, configmap(f"c{number}"))
    assert [record.name for record in _decoded(ask)] == [f"c{number}" for number in range(3, 8)]
    await ask("POST", CONFIGMAPS, configmap("large", {"x": "y" * 20_000}))
    assert "large" not in [record.name for record in _decoded(ask)]
