"""Beside ACK: off over its definitions, on after a takeover, and at home on definitions that lack our additions."""

from datetime import timedelta

import pytest

from lambent.clock import rfc3339_micro
from lambent.kube.fake import FakeKube
from lambent.resources import crds
from lambent.resources.beside_ack import kinds_of_ours
from lambent.resources.crds import MARK
from lambent.resources.fake.world import World, loop_clock
from lambent.resources.kinds import FUNCTION, TIER_1

IAM = "iam.services.k8s.aws"
FUNCTION_SPEC = {
    "name": "x",
    "role": "arn:aws:iam::123456789012:role/r",
    "runtime": "python3.12",
    "handler": "a.b",
    "timeout": 9,
    "code": {"s3Bucket": "code", "s3Key": "one.zip"},
}


def cluster(*, foreign=()):
    """A cluster whose definitions of the foreign groups lack our mark."""
    definitions = crds()
    for definition in definitions:
        if definition["spec"]["group"] in foreign:
            del definition["metadata"]["annotations"][MARK]
    return FakeKube(objects=definitions, now=loop_clock)


def lease(age_s):
    renewed = rfc3339_micro(loop_clock() - timedelta(seconds=age_s))
    spec = {"holderIdentity": "ack", "renewTime": renewed, "leaseDurationSeconds": 15}
    meta = {"name": f"ack-{IAM}", "namespace": "ack-system"}
    return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": meta, "spec": spec}


async def names(kube, **more):
    return [kind.kind for kind in await kinds_of_ours(kube, TIER_1, now=loop_clock, **more)]


async def test_all_groups_are_ours_by_our_mark_or_before_the_definitions_exist():
    assert await names(cluster()) == ["Bucket", "Policy", "Role", "Function"]
    assert await names(FakeKube()) == ["Bucket", "Policy", "Role", "Function"]


async def test_a_foreign_group_stays_off_and_the_others_run():
    assert await names(cluster(foreign={IAM})) == ["Bucket", "Function"]


@pytest.mark.parametrize(("age_s", "expected"), [(5, 2), (60, 4)], ids=["alive", "dead"])
async def test_a_takeover_is_refused_while_the_other_controller_lives(age_s, expected):
    kube = cluster(foreign={IAM})
    kube.put(lease(age_s))
    assert len(await names(kube, takeover={IAM})) == expected


class PruningKube(FakeKube):
    """A server with ACK's definitions: members of the status that they lack vanish without an error."""

    async def patch(self, gvk, name, body, **more):
        if gvk == FUNCTION.gvk and isinstance(body.get("status"), dict):
            status = {
                key: value for key, value in body["status"].items() if key not in ("lambent", "observedGeneration")
            }
            found = [
                {k: v for k, v in item.items() if k != "observedGeneration"} for item in status.get("conditions", [])
            ]
            body = {**body, "status": {**status, **({"conditions": found} if "conditions" in status else {})}}
        return await super().patch(gvk, name, body, **more)


@pytest.fixture
async def world():
    found = World(kube=PruningKube(crds=crds(), now=loop_clock), kinds=(FUNCTION,))
    await found.start()
    yield found
    await found.stop()


def is_ready(world):
    return world.condition("Function", "f", "Ready").get("status") == "True"


async def test_without_a_place_in_the_status_the_records_live_in_an_annotation(world):
    await world.apply("Function", "f", FUNCTION_SPEC)
    await world.until(lambda: is_ready(world))
    await world.rest(700)
    calls, writes = len(world.aws.calls), len(world.kube.writes())
    await world.rest(700)
    assert (world.writes_since(calls), list(world.kube.writes()[writes:])) == ([], [])

    await world.edit("Function", "f", {"timeout": None, "code": {"s3Key": "two.zip"}})
    await world.rest(20)
    assert [call.operation for call in world.writes_since(calls)] == [
        "UpdateFunctionCode",
        "UpdateFunctionConfiguration",
    ]
    assert world.aws.functions.functions["x"]["configuration"]["Timeout"] == 3
    assert is_ready(world)


async def test_a_restart_costs_one_write_to_learn_it_again_and_none_to_aws(world):
    await world.apply("Function", "f", FUNCTION_SPEC)
    await world.until(lambda: is_ready(world))
    await world.stop()
    calls, writes = len(world.aws.calls), len(world.kube.writes())
    again = World(kube=world.kube, aws=world.aws, kinds=(FUNCTION,))
    await again.start()
    await again.rest(700)
    assert again.writes_since(calls) == []
    assert len(world.kube.writes()) - writes <= 1
    await again.stop()
