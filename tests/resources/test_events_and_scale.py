"""What users see as events, and what a restart over many objects costs."""

import json

from lambent.kube.types import GVK
from lambent.resources.fake.world import World
from lambent.resources.kinds import ROLE

TRUST = json.dumps({"Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}}]})
EVENT = GVK("", "v1", "Event")


def role(name, **more):
    return {"name": name, "assumeRolePolicyDocument": TRUST, **more}


def events(world):
    return [(event["reason"], event["message"]) for event in world.kube.peek_all(EVENT)]


async def test_creation_change_and_drift_are_events_with_field_names(world):
    await world.apply("Role", "r", role("x"))
    await world.synced("Role", "r")
    await world.edit("Role", "r", {"description": "secret-looking text"})
    await world.synced("Role", "r")
    world.aws.iam.roles["x"]["role"]["Description"] = "foreign"
    await world.rest(700)
    assert sorted(events(world)) == [
        ("Created", "created Role x in AWS"),
        ("DriftCorrected", "Role x: wrote description"),
        ("Updated", "Role x: wrote description"),
    ]


async def test_a_blocked_deletion_is_one_event_however_often_it_is_tried(world):
    await world.apply("Role", "r", role("x"))
    await world.synced("Role", "r")
    world.aws.iam.profiles["web"] = ["x"]
    await world.delete("Role", "r")
    await world.rest(300)
    blocked = [event for event in world.kube.peek_all(EVENT) if event["reason"] == "DeletionBlocked"]
    assert [event["count"] for event in blocked] == [1]


async def test_a_restart_over_many_objects_reads_each_and_writes_nothing():
    first = World(kinds=(ROLE,))
    await first.start()
    for number in range(100):
        await first.apply("Role", f"r{number}", role(f"r{number}"))
    await first.rest(60)
    await first.stop()
    calls, writes = len(first.aws.calls), len(first.kube.writes())
    second = World(kube=first.kube, aws=first.aws, kinds=(ROLE,))
    await second.start()
    await second.rest(60)
    await second.stop()
    assert second.writes_since(calls) == []
    assert list(first.kube.writes()[writes:]) == []
    assert len(first.aws.calls) - calls == 300
