"""Conditions and status: spelling, order, stability, and never before a fact."""

import json

import pytest

from lambent.kube.errors import Conflict, Unreachable
from lambent.resources.conditions import Verdict, conditions

TRUST = json.dumps({"Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}}]})
ROLE = {"name": "x", "assumeRolePolicyDocument": TRUST}


def types(found):
    return [(item["type"], item["status"]) for item in found]


def fresh(verdict, old=(), now="2026-01-01T00:00:00Z"):
    return conditions(old, verdict, generation=1, now=now)


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        (Verdict(True, "synced"), [("ACK.ResourceSynced", "True"), ("Ready", "True")]),
        (
            Verdict(False, "terminal", terminal="bad"),
            [("ACK.Terminal", "True"), ("ACK.ResourceSynced", "False"), ("Ready", "False")],
        ),
        (
            Verdict(None, "transient", reason="lost", recoverable="lost"),
            [("ACK.Recoverable", "True"), ("ACK.ResourceSynced", "Unknown"), ("Ready", "False")],
        ),
        (
            Verdict(
                True, "synced", references=("True", ""), late_initialized=True, advisories=(("A", "a"), ("B", "b"))
            ),
            [
                ("ACK.ReferencesResolved", "True"),
                ("ACK.LateInitialized", "True"),
                ("ACK.Advisory", "True"),
                ("ACK.Advisory", "True"),
                ("ACK.ResourceSynced", "True"),
                ("Ready", "True"),
            ],
        ),
    ],
    ids=["synced", "terminal", "unknown", "everything"],
)
def test_conditions_come_in_the_order_that_health_checks_need(verdict, expected):
    assert types(fresh(verdict)) == expected


def test_ready_repeats_terminal_with_its_message():
    assert fresh(Verdict(False, "terminal", terminal="bad"))[-1] | {"lastTransitionTime": ""} == {
        "type": "Ready",
        "status": "False",
        "reason": "ACK.Terminal",
        "message": "bad",
        "lastTransitionTime": "",
        "observedGeneration": 1,
    }


def test_the_transition_time_moves_only_with_the_status():
    first = fresh(Verdict(False, "unsynced", "one"))
    second = fresh(Verdict(False, "unsynced", "two"), first, now="2026-02-02T00:00:00Z")
    third = fresh(Verdict(True, "synced"), second, now="2026-03-03T00:00:00Z")
    stamps = [found[-1]["lastTransitionTime"] for found in (first, second, third)]
    assert stamps == ["2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", "2026-03-03T00:00:00Z"]
    assert second[-1]["message"] == "two"


def test_another_request_id_is_no_change():
    first = fresh(Verdict(False, "transient", recoverable="E: x (RequestID: aaa-1)"))
    second = fresh(Verdict(False, "transient", recoverable="E: x (RequestID: bbb-2)"), first)
    assert second == first


def test_conditions_of_others_are_kept():
    foreign = {"type": "Audited", "status": "True"}
    assert fresh(Verdict(True, "synced"), [foreign])[-1] == foreign


async def test_there_is_no_status_before_the_resource_exists(world):
    seen = []

    original = world.aws.iam.create_role

    def spy(**params):
        seen.append(world.status("Role", "r"))
        return original(**params)

    world.aws.iam.create_role = spy
    await world.apply("Role", "r", ROLE)
    await world.synced("Role", "r")
    assert seen == [{}]
    first = next(call for call in world.kube.calls if call.subresource == "status")
    assert first.name == "r"


async def test_throttling_is_not_told_before_the_sixth_try(world):
    world.aws.fail("GetRole", "Throttling", "slow down", times=6)
    await world.apply("Role", "r", ROLE)
    await world.until(lambda: world.condition("Role", "r", "ACK.Recoverable"), within_s=400)
    assert len([call for call in world.aws.calls if call.operation == "GetRole"]) == 6
    await world.synced("Role", "r", within_s=400)
    assert world.condition("Role", "r", "ACK.Recoverable") == {}


async def test_a_passing_trouble_of_a_healthy_object_is_not_told(world):
    await world.apply("Role", "r", ROLE)
    await world.synced("Role", "r")
    before = world.status("Role", "r")
    world.aws.fail("GetRole", "InternalError", status=500, times=2)
    await world.rest(700)
    assert world.status("Role", "r") == before


async def test_an_arn_is_told_even_with_the_first_passing_trouble(world):
    world.aws.fail("AttachRolePolicy", "Throttling", times=1)
    await world.apply("Role", "r", ROLE | {"policies": ["arn:aws:iam::aws:policy/A"]})
    await world.until(lambda: "arn" in world.status("Role", "r").get("ackResourceMetadata", {}))
    assert world.condition("Role", "r", "Ready")["status"] == "False"
    await world.synced("Role", "r")


async def test_a_failed_attachment_still_tells_the_arn(world):
    world.aws.fail("AttachRolePolicy", "AccessDenied", "no", status=403)
    await world.apply("Role", "r", ROLE | {"policies": ["arn:aws:iam::aws:policy/A"]})
    await world.until(lambda: world.condition("Role", "r", "ACK.Recoverable"))
    status = world.status("Role", "r")
    assert status["ackResourceMetadata"]["arn"] == "arn:aws:iam::123456789012:role/x"
    assert world.condition("Role", "r", "ACK.ResourceSynced")["status"] == "False"
    await world.synced("Role", "r")


async def test_a_terminal_creation_is_sent_again_only_for_a_new_spec(world):
    world.aws.fail("CreateRole", "MalformedPolicyDocument", "syntax")
    await world.apply("Role", "r", ROLE)
    await world.until(lambda: world.condition("Role", "r", "ACK.Terminal"))
    await world.rest(1300)
    assert len(world.aws.writes()) == 1
    await world.edit("Role", "r", {"description": "now it is right"})
    await world.synced("Role", "r")
    assert world.condition("Role", "r", "ACK.Terminal") == {}


async def test_a_paused_object_costs_no_call(world):
    await world.apply("Role", "r", ROLE, annotations={"lambent.dev/paused": "true"})
    await world.until(lambda: world.condition("Role", "r", "ACK.Advisory"))
    assert world.condition("Role", "r", "ACK.Advisory")["reason"] == "ReconcilePaused"
    assert world.aws.calls == []
    await world.edit("Role", "r", annotations={"lambent.dev/paused": None})
    await world.synced("Role", "r", within_s=2)


async def test_another_region_than_the_recorded_one_is_terminal_without_a_call(world):
    await world.apply("Role", "r", ROLE)
    await world.synced("Role", "r")
    mark = len(world.aws.calls)
    await world.edit("Role", "r", annotations={"services.k8s.aws/region": "eu-west-1"})
    await world.until(lambda: world.condition("Role", "r", "ACK.Terminal"))
    assert len(world.aws.calls) == mark


async def test_a_changed_name_is_terminal_and_the_old_resource_goes_with_the_object(world):
    await world.apply("Role", "r", ROLE)
    await world.synced("Role", "r")
    await world.edit("Role", "r", {"name": "y"})
    await world.until(lambda: world.condition("Role", "r", "ACK.Terminal"))
    await world.delete("Role", "r")
    await world.gone("Role", "r")
    assert world.aws.iam.roles == {}


async def test_poking_runs_a_pass_and_is_recorded(world):
    await world.apply("Role", "r", ROLE)
    await world.synced("Role", "r")
    world.aws.iam.roles["x"]["role"]["Description"] = "foreign"
    await world.edit("Role", "r", {"description": "mine"})
    await world.synced("Role", "r")
    world.aws.iam.roles["x"]["role"]["Description"] = "foreign"
    await world.edit("Role", "r", annotations={"lambent.dev/reconcile": "1"})
    await world.until(lambda: world.aws.iam.roles["x"]["role"]["Description"] == "mine", within_s=2)
    await world.until(lambda: world.status("Role", "r")["lambent"].get("poked") == "1")


async def test_a_conflict_while_writing_the_status_is_no_failure(world):
    world.kube.fail("patch", world.gvk("Role"), Conflict("stale", code=409), times=2)
    await world.apply("Role", "r", ROLE)
    await world.synced("Role", "r", within_s=5)
    assert [call.operation for call in world.aws.writes()] == ["CreateRole"]


async def test_a_status_that_could_not_be_written_is_written_by_the_next_pass(world):
    await world.apply("Role", "r", ROLE)
    await world.synced("Role", "r")
    await world.rest(5)
    await world.edit("Role", "r", {"description": "changed"})
    world.kube.fail("patch", world.gvk("Role"), Unreachable("connection refused"), times=2)
    await world.synced("Role", "r", within_s=5)


async def test_after_synced_the_object_is_not_written_again(world):
    """Clients read, edit and send back the whole object: any write of ours in between would be their conflict."""
    await world.apply("Role", "r", ROLE)
    await world.synced("Role", "r")
    version = world.peek("Role", "r")["metadata"]["resourceVersion"]
    await world.rest(30)
    assert world.peek("Role", "r")["metadata"]["resourceVersion"] == version


async def test_late_initialisation_ends_before_synced_and_stays_removed(world):
    await world.apply("Role", "r", ROLE)
    await world.synced("Role", "r")
    assert world.peek("Role", "r")["spec"]["maxSessionDuration"] == 3600
    assert world.condition("Role", "r", "ACK.LateInitialized")["message"] == "Late initialization successful"
    await world.edit("Role", "r", {"maxSessionDuration": None})
    await world.synced("Role", "r")
    await world.rest(700)
    assert "maxSessionDuration" not in world.peek("Role", "r")["spec"]
