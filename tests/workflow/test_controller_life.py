"""The controller beyond the seed: refusals, deletion, fights, choices of workflow, and what others wrote."""

import asyncio
from typing import Any, cast

import pytest

from lambent.kube.errors import Conflict, Forbidden, Invalid, KubeError, ServerError, Throttled, Unreachable
from lambent.kube.fake import FakeKube
from lambent.kube.types import GVK, KubeObject
from lambent.workflow.crds import crds
from tests.workflow.cluster import EVENT, THING, TRIGGER, Cluster
from tests.workflow.things import DESTROY, FUNCTION, WORKFLOW, cluster_of, made_of, trigger, until_ready


async def test_a_trigger_with_a_status_subresource_carries_the_generation():
    cluster = cluster_of()
    async with cluster.running():
        await until_ready(cluster)
        assert cluster.get(TRIGGER, "t")["status"]["observedGeneration"] == 1
        assert cluster.condition(TRIGGER, "t")["observedGeneration"] == 1


async def test_a_waiting_step_says_why_in_the_words_of_the_resource():
    cluster = cluster_of(ready_after_s=None)
    async with cluster.running():
        await asyncio.sleep(1)
        message = "AccessDenied: not allowed, request id: 1234-abcd"
        condition = {"type": "ACK.Recoverable", "status": "True", "message": message}
        thing = cluster.get(THING, "first")
        cluster.put([{**thing, "status": {"conditions": [condition]}}])
        await asyncio.sleep(1)
        said = cluster.condition(TRIGGER, "t", "First")["message"]
    assert said == (
        "Awaiting The first to be ready (Thing is not ready Thing/first: ACK.Recoverable: AccessDenied: not allowed)."
    )


@pytest.mark.parametrize(
    "error",
    [
        Forbidden("no", code=403),
        Throttled("slow", code=429),
        ServerError("oops", code=500),
        Unreachable("reset"),
        Conflict("changed", code=409, status_reason="Conflict"),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("verb", ["get", "create"])
async def test_a_refused_call_is_tried_again_until_it_succeeds(verb: str, error: KubeError):
    cluster = cluster_of()
    cluster.kube.fail(verb, THING, error, times=3)
    async with cluster.running():
        await until_ready(cluster, within_s=60)


async def test_an_invalid_object_is_a_failure_that_a_new_spec_ends():
    cluster = cluster_of()
    cluster.kube.fail("create", THING, Invalid("spec.size: too small", code=422))
    async with cluster.running():
        await asyncio.sleep(1)
        ready = cluster.condition(TRIGGER, "t")
        assert (ready["status"], ready["reason"]) == ("False", "Failure")
        assert "too small" in ready["message"]
        assert cluster.condition(TRIGGER, "t", "Stalled")["status"] == "True"
        await cluster.kube.patch(TRIGGER, "t", {"spec": {"size": 2}}, namespace="default")
        await until_ready(cluster)
        assert cluster.condition(TRIGGER, "t", "Stalled") == {}


async def test_a_changed_function_runs_its_triggers_again_at_once():
    cluster = cluster_of()
    async with cluster.running():
        await until_ready(cluster)
        changed = made_of(FUNCTION, resource={"spec": {"size": "=inputs.size", "colour": "red"}})
        cluster.put([changed])
        await asyncio.sleep(1)
        assert cluster.get(THING, "second")["spec"]["colour"] == "red"


async def test_a_manual_request_runs_a_pass():
    cluster = cluster_of()
    async with cluster.running():
        await until_ready(cluster)
        await asyncio.sleep(1)
        before = len(cluster.kube.calls)
        body = {"metadata": {"annotations": {"koreo.dev/last-manual-reconcile": "now"}}}
        await cluster.kube.patch(TRIGGER, "t", body, namespace="default")
        await asyncio.sleep(1)
        assert [call.verb for call in cluster.kube.calls[before:] if call.gvk == THING] == ["get", "get"]


async def test_foreign_conditions_and_status_members_stay():
    cluster = cluster_of()
    foreign = {"type": "Foreign", "status": "True"}
    cluster.put([{**trigger(), "status": {"conditions": [foreign], "other": {"kept": 1}}}])
    async with cluster.running():
        await until_ready(cluster)
        status = cluster.get(TRIGGER, "t")["status"]
    assert status["conditions"][0] == foreign
    assert status["other"] == {"kept": 1}


async def test_a_field_that_the_server_always_changes_is_not_fought_over():
    cluster = cluster_of()
    rounds = 0
    async with cluster.running():
        await until_ready(cluster)
        before = len(cluster.mutations())
        for _ in range(40):
            await cluster.kube.patch(THING, "second", {"spec": {"size": 9}}, namespace="default")
            await asyncio.sleep(0.1)
            rounds += 1
        patches = [call for call in cluster.mutations()[before:] if call == "patch Thing"]
    assert len(patches) - rounds <= 10


FINALIZER = "lambent.dev/workflow"


async def test_no_finalizer_where_owner_references_do_the_work():
    cluster = cluster_of()
    async with cluster.running():
        await until_ready(cluster)
    assert "finalizers" not in cluster.get(TRIGGER, "t")["metadata"]


async def test_the_finalizer_stands_before_the_first_create():
    cluster = cluster_of(**DESTROY)
    async with cluster.running():
        await until_ready(cluster)
    writes = [f"{call.verb} {call.gvk.kind}" for call in cluster.kube.writes() if call.gvk in (TRIGGER, THING)]
    assert writes.index("patch Trigger") < writes.index("create Thing")
    assert cluster.get(TRIGGER, "t")["metadata"]["finalizers"] == [FINALIZER]


async def test_destroyed_resources_go_in_reverse_order_and_each_before_the_next():
    cluster = cluster_of(**DESTROY)
    async with cluster.running():
        await until_ready(cluster)
        thing = cluster.get(THING, "second")
        thing["metadata"]["finalizers"] = ["example.org/held"]
        cluster.put([thing])
        await cluster.kube.delete(TRIGGER, "t", namespace="default")
        await asyncio.sleep(2)
        blocked = cluster.condition(TRIGGER, "t")
        assert (blocked["reason"], blocked["message"]) == (
            "Deleting",
            "Waiting for Thing/second to be deleted, held by finalizers example.org/held.",
        )
        assert cluster.get(THING, "first")["metadata"].get("deletionTimestamp") is None
        await cluster.kube.patch(THING, "second", {"metadata": {"finalizers": None}}, namespace="default")
        await asyncio.sleep(2)
    assert [cluster.kube.peek(gvk, name, "default") for gvk, name in ((THING, "first"), (TRIGGER, "t"))] == [None, None]


async def test_a_blocked_deletion_can_be_abandoned():
    cluster = cluster_of(**DESTROY)
    async with cluster.running():
        await until_ready(cluster)
        thing = cluster.get(THING, "second")
        thing["metadata"]["finalizers"] = ["example.org/held"]
        cluster.put([thing])
        await cluster.kube.delete(TRIGGER, "t", namespace="default")
        await asyncio.sleep(1)
        body = {"metadata": {"annotations": {"lambent.dev/abandon": "true"}}}
        await cluster.kube.patch(TRIGGER, "t", body, namespace="default")
        await asyncio.sleep(1)
    assert cluster.kube.peek(TRIGGER, "t", "default") is None


async def test_a_deletion_needs_neither_workflow_nor_function():
    cluster = cluster_of(**DESTROY)
    async with cluster.running():
        await until_ready(cluster)
        await cluster.kube.delete(GVK("koreo.dev", "v1beta1", "ResourceFunction"), "thing", namespace="default")
        await asyncio.sleep(1)
        await cluster.kube.delete(TRIGGER, "t", namespace="default")
        await asyncio.sleep(2)
    assert cluster.kube.peek(TRIGGER, "t", "default") is None
    assert cluster.kube.peek_all(THING) == []


async def test_two_workflows_for_one_kind_need_a_choice():
    cluster = cluster_of()
    other = made_of(WORKFLOW)
    other["metadata"]["name"] = "other"
    cluster.put([other])
    async with cluster.running():
        await asyncio.sleep(1)
        ready = cluster.condition(TRIGGER, "t")
        assert (ready["reason"], "Workflow/default/other" in ready["message"]) == ("MultipleWorkflows", True)
        body = {"metadata": {"annotations": {"koreo.dev/workflow": "other"}}}
        await cluster.kube.patch(TRIGGER, "t", body, namespace="default")
        await until_ready(cluster)


async def test_an_invalid_workflow_is_said_on_the_trigger_and_on_itself():
    cluster = cluster_of()
    cluster.put(
        [made_of(WORKFLOW, steps=[{"label": "a", "ref": {"kind": "ValueFunction", "name": "f"}, "skipIf": "=1 +"}])]
    )
    async with cluster.running():
        await asyncio.sleep(1)
        assert cluster.condition(TRIGGER, "t")["reason"] == "WorkflowNotReady"
        workflow = GVK("koreo.dev", "v1beta1", "Workflow")
        assert cluster.condition(workflow, "w")["reason"] == "Invalid"
        assert "skipIf" in cluster.get(workflow, "w")["status"]["diagnostics"][0]


async def test_definitions_that_are_valid_say_so_once():
    cluster = cluster_of()
    async with cluster.running():
        await until_ready(cluster)
        assert cluster.condition(GVK("koreo.dev", "v1beta1", "ResourceFunction"), "thing")["status"] == "True"
        before = len(cluster.mutations())
        await asyncio.sleep(5000)
        assert len(cluster.mutations()) == before


async def test_another_controllers_definitions_are_left_alone():
    cluster = cluster_of()
    crd = next(crd for crd in crds() if crd["spec"]["names"]["kind"] == "Workflow")
    cluster.kube.put(cast(KubeObject, {**crd, "metadata": {"name": "workflows.koreo.dev"}}))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(30), cluster.running():
            pass
    assert "create Thing" not in cluster.mutations()


async def test_events_tell_of_creations_and_of_readiness():
    cluster = cluster_of()
    async with cluster.running():
        await until_ready(cluster)
        await asyncio.sleep(1)
    events = [cast(dict[str, Any], event) for event in cluster.kube.peek_all(EVENT)]
    assert {"Created", "Ready", "Waiting"} <= {event["reason"] for event in events}


async def test_a_removed_workflow_stops_the_watch_on_its_trigger_kind():
    cluster = cluster_of()
    async with cluster.running() as controller:
        await until_ready(cluster)
        assert controller.trigger_kinds == {TRIGGER}
        await cluster.kube.delete(GVK("koreo.dev", "v1beta1", "Workflow"), "w", namespace="default")
        await asyncio.sleep(1)
        assert controller.trigger_kinds == frozenset()


async def test_a_workflow_with_missing_functions_names_them_until_they_appear():
    cluster = Cluster(ready_after_s=0.0)
    cluster.put([made_of(WORKFLOW)])
    workflow = GVK("koreo.dev", "v1beta1", "Workflow")
    async with cluster.running():
        await asyncio.sleep(1)
        ready = cluster.condition(workflow, "w")
        assert (ready["reason"], "ResourceFunction thing not found" in ready["message"]) == ("Unresolved", True)
        cluster.put([made_of(FUNCTION)])
        await asyncio.sleep(1)
        assert cluster.condition(workflow, "w")["status"] == "True"


ONE_STEP = [
    {"label": "first", "ref": {"kind": "ResourceFunction", "name": "thing"}, "inputs": {"name": "first", "size": 1}}
]


@pytest.mark.parametrize(("orphans", "is_gone"), [("keep", False), ("delete", True)])
async def test_the_resource_of_a_removed_step_is_kept_or_deleted_as_the_workflow_says(orphans: str, is_gone: bool):
    cluster = cluster_of()
    cluster.put([made_of(WORKFLOW, orphans=orphans)])
    async with cluster.running():
        await until_ready(cluster)
        cluster.put([made_of(WORKFLOW, orphans=orphans, steps=ONE_STEP)])
        await asyncio.sleep(2)
        assert (cluster.kube.peek(THING, "second", "default") is None) is is_gone
        assert cluster.get(THING, "first")
        annotation = cluster.get(TRIGGER, "t")["metadata"]["annotations"]["koreo.dev/managed-resources"]
        assert ('"orphans":[{' in annotation) is not is_gone


async def test_an_object_that_others_made_anew_is_not_deleted():
    cluster = cluster_of(**DESTROY)
    async with cluster.running():
        await until_ready(cluster)
        await asyncio.sleep(1)
    thing = cluster.get(THING, "second")
    await cluster.kube.delete(THING, "second", namespace="default")
    metadata = {"name": "second", "namespace": "default"}
    await cluster.kube.create(cast(KubeObject, {**thing, "metadata": metadata}))
    await cluster.kube.delete(TRIGGER, "t", namespace="default")
    async with cluster.running():
        await asyncio.sleep(2)
    assert cluster.kube.peek(TRIGGER, "t", "default") is None
    assert cluster.kube.peek(THING, "first", "default") is None
    assert cluster.kube.peek(THING, "second", "default") is not None


async def test_a_kind_that_cannot_be_watched_whole_is_refused_as_a_trigger_and_stops_nothing():
    cluster = cluster_of()
    other = made_of(WORKFLOW, crdRef={"apiGroup": "", "version": "v1", "kind": "Secret"})
    other["metadata"]["name"] = "other"
    cluster.put([other])
    async with cluster.running():
        await until_ready(cluster)


async def test_a_delay_of_nothing_is_not_a_busy_loop():
    waiting = [{"assert": "=has(resource.status.ready)", "retry": {"message": "m", "delay": 0}}]
    cluster = cluster_of(ready_after_s=None, postconditions=waiting)
    async with cluster.running():
        await asyncio.sleep(10)
    assert len([call for call in cluster.kube.calls if call.gvk == THING and call.verb == "get"]) < 120


async def test_an_object_of_others_that_is_left_as_it_is_wakes_its_trigger_too():
    cluster = cluster_of(ready_after_s=None)
    made = {"apiVersion": "example.org/v1", "kind": "Thing", "spec": {"size": 1}}
    owner = {
        "apiVersion": "example.org/v1",
        "kind": "Trigger",
        "name": "t",
        "uid": cluster.get(TRIGGER, "t")["metadata"]["uid"],
    }
    for name in ("first", "second"):
        cluster.put([{**made, "metadata": {"name": name, "namespace": "default", "ownerReferences": [owner]}}])
    async with cluster.running():
        await asyncio.sleep(1)
        for name in ("first", "second"):
            cluster.put([{**cluster.get(THING, name), "status": {"ready": True}}])
            await asyncio.sleep(0.5)
        assert cluster.condition(TRIGGER, "t")["status"] == "True"
    assert "patch Thing" not in cluster.mutations()


async def test_a_workflow_may_manage_its_own_trigger():
    cluster = Cluster()
    api = {
        "apiVersion": "example.org/v1",
        "kind": "Trigger",
        "name": "=inputs.name",
        "namespace": "default",
        "owned": False,
    }
    resource = {"metadata": {"labels": {"hello": "=inputs.name"}}}
    cluster.put([made_of(FUNCTION, apiConfig=api, resource=resource, create={"enabled": False}, postconditions=None)])
    step = {
        "label": "a",
        "ref": {"kind": "ResourceFunction", "name": "thing"},
        "inputs": {"name": "=parent.metadata.name"},
    }
    cluster.put([made_of(WORKFLOW, steps=[step]), trigger()])
    async with cluster.running():
        await until_ready(cluster)
        assert cluster.get(TRIGGER, "t")["metadata"]["labels"]["hello"] == "t"
        await asyncio.sleep(5)
        before = cluster.mutations()
        await asyncio.sleep(5000)
        assert cluster.mutations()[len(before) :] == []


async def test_an_object_that_is_deleted_again_and_again_is_not_recreated_without_pause():
    cluster = cluster_of()
    async with cluster.running():
        await until_ready(cluster)
        before = len(cluster.mutations())
        for _ in range(40):
            await asyncio.sleep(0.1)
            if cluster.kube.peek(THING, "second", "default") is not None:
                await cluster.kube.delete(THING, "second", namespace="default")
        creations = [call for call in cluster.mutations()[before:] if call == "create Thing"]
    assert len(creations) <= 10


class DroppingKube(FakeKube):
    """Drops what the status of a trigger may not have, as the schemas of built-in kinds do."""

    async def patch(self, gvk: GVK, name: str, body: Any, **options: Any) -> KubeObject:
        if gvk == TRIGGER and "status" in body:
            conditions = [{"type": item["type"], "status": item["status"]} for item in body["status"]["conditions"]]
            body = {**body, "status": {"conditions": conditions}}
        return await super().patch(gvk, name, body, **options)


async def test_a_status_that_the_server_cuts_is_not_written_in_every_pass():
    cluster = Cluster(ready_after_s=0.0, kube=DroppingKube(crds=crds()))
    cluster.put([made_of(WORKFLOW), made_of(FUNCTION), trigger()])
    async with cluster.running():
        await until_ready(cluster)
        await asyncio.sleep(5)
        before = cluster.mutations()
        await asyncio.sleep(10_000)
        assert cluster.mutations()[len(before) :] == []


async def test_a_server_that_refuses_at_the_start_is_asked_again():
    cluster = cluster_of()
    cluster.put([trigger()])
    cluster.kube.fail("get", None, ServerError("etcd is changing its leader", code=503), times=3)
    async with asyncio.timeout(30), cluster.running():
        await asyncio.sleep(1)
        assert cluster.get(THING, "first")
