"""Values never reach what people read: status, conditions, Events, logs. Only the objects that are to hold them do."""

import asyncio
import logging
from typing import Any

import orjson
import pytest

from lambent.kube.types import GVK
from tests.workflow.cluster import EVENT, TRIGGER, Cluster
from tests.workflow.things import FUNCTION, WORKFLOW, made_of, trigger

_PLANTED = "pl4nted-s3cret"
_SECRET = GVK("", "v1", "Secret")
_API = {"apiVersion": "v1", "kind": "Secret", "name": "=inputs.name", "namespace": "default"}
_STEPS = [
    {
        "label": "first",
        "ref": {"kind": "ResourceFunction", "name": "thing"},
        "inputs": {"name": "first", "password": "=parent.spec.password"},
        "condition": {"type": "First", "name": "The first"},
    }
]


def _cluster(**function: Any) -> Cluster:
    cluster = Cluster()
    spec = {"apiConfig": _API, "resource": {"stringData": {"p": "=inputs.password"}}, "postconditions": [], **function}
    cluster.put([made_of(WORKFLOW, steps=_STEPS), made_of(FUNCTION, **spec)])
    cluster.put([{**trigger(), "spec": {"password": _PLANTED}}])
    return cluster


def _read_by_people(cluster: Cluster, log: pytest.LogCaptureFixture) -> str:
    told = [cluster.get(TRIGGER, "t").get("status"), cluster.kube.peek_all(EVENT)]
    return orjson.dumps(told).decode() + log.text + "".join(str(record.__dict__) for record in log.records)


@pytest.mark.parametrize(
    "function",
    [
        {"return": {"made": True}},
        {"return": {"a": "=inputs.password.missing"}},
        {"return": {"a": "=int(inputs.password)"}},
        {"return": {"a": "=inputs.password + 1"}},
        {"return": {"a": "={'x': 1}[inputs.password]"}},
        {"resource": {"stringData": {"p": "=inputs.password.split('')[99]"}}},
        {"preconditions": [{"assert": "=inputs.password", "permFail": {"message": "no"}}]},
        {"preconditions": [{"assert": "=false", "permFail": {"message": "=inputs.password.missing"}}]},
        {"apiConfig": {**_API, "name": "=[inputs.password]"}},
    ],
)
async def test_a_planted_secret_is_never_told(function: dict[str, Any], caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG, logger="lambent")
    cluster = _cluster(**function)
    async with cluster.running():
        await asyncio.sleep(40)
        assert cluster.condition(TRIGGER, "t")["message"]
        found = _read_by_people(cluster, caplog)
    assert _PLANTED not in found


async def test_a_changed_secret_is_put_back_without_telling_either_value(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG, logger="lambent")
    cluster = _cluster(resource={"data": {"p": "=inputs.password"}}, **{"return": {}})
    async with cluster.running():
        await asyncio.sleep(40)
        await cluster.kube.patch(_SECRET, "first", {"data": {"p": "0ther-value"}}, namespace="default")
        await asyncio.sleep(1)
        waiting = cluster.condition(TRIGGER, "t", "First")["message"]
        assert cluster.get(_SECRET, "first")["data"] == {"p": _PLANTED}
        found = _read_by_people(cluster, caplog)
    assert "data.p" in found, waiting
    assert _PLANTED not in found
    assert "0ther-value" not in found
