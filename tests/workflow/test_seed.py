"""The seed's workload: its twelve cases pass, and its workflow converges."""

import copy
from typing import Any

import pytest

from lambent.workflow.engine import Found, Ok, Read, Retry, Workflow, WorkflowPass, owner_of, parent_of
from lambent.workflow.testing import Loaded, MemoryApi, load, run_tests
from tests.workflow.shared import SEED, needs_seed

pytestmark = needs_seed


@pytest.fixture(scope="module")
def seed() -> Loaded:
    return load([SEED])


def _trigger(seed: Loaded) -> dict[str, Any]:
    trigger = next(d.value for d in seed.documents if d.identity.kind == "LambdaWorkload")
    return {**trigger, "metadata": {**trigger["metadata"], "uid": "a57c1354-9346-42c6-a924-ba307e086138"}}


def _pass(seed: Loaded, trigger: dict[str, Any], api: MemoryApi) -> tuple[Any, int, int]:
    """The result of one pass with the number of its reads and writes."""
    workflow = seed.catalog.resolve("Workflow", "hello-lambda-workload", "koreo-examples")
    assert isinstance(workflow, Workflow)
    running = WorkflowPass(workflow, parent_of(trigger), seed.catalog, owner=owner_of(trigger))
    effects, reads, writes = running.start(), 0, 0
    while effects:
        effect = effects.pop(0)
        if isinstance(effect, Read):
            reads += 1
            effects += running.feed(effect, Found(api.read(effect.ref)))
        else:
            writes += 1
            effects += running.feed(effect, Found(api.write(effect.plan)))
    return running.result, reads, writes


def _make_ready(api: MemoryApi) -> None:
    status = {"ackResourceMetadata": {"arn": "arn:aws:x", "ownerAccountID": "123456789012"}, "policyID": "id"}
    for place, obj in api.objects.items():
        api.objects[place] = {**copy.deepcopy(obj), "status": status}


def test_the_seed_has_no_diagnostics(seed: Loaded) -> None:
    assert [d.render() for d in seed.diagnostics] == []


@pytest.mark.parametrize("mode", ["merge", "legacy"])
def test_the_twelve_cases_of_the_seed_pass_in_both_state_modes(seed: Loaded, mode: Any) -> None:
    report = run_tests(seed, mode=mode)
    assert [case.explain() for test in report.tests for case in test.cases if case.status != "passed"] == []
    assert report.count("passed") == 12


def test_the_seed_converges_in_four_creating_passes_and_one_steady_pass(seed: Loaded) -> None:
    trigger, api, outcomes = _trigger(seed), MemoryApi(), []
    for _ in range(5):
        result, _, writes = _pass(seed, trigger, api)
        outcomes.append((type(result.outcome), writes))
        _make_ready(api)
    assert outcomes == [(Retry, 1)] * 4 + [(Ok, 0)]
    assert [written.ref.kind for written in api.writes] == ["Bucket", "Policy", "Role", "Function"]


def test_a_further_pass_makes_four_reads_and_no_write(seed: Loaded) -> None:
    trigger, api = _trigger(seed), MemoryApi()
    for _ in range(5):
        _pass(seed, trigger, api)
        _make_ready(api)
    _, reads, writes = _pass(seed, trigger, api)
    assert (reads, writes) == (4, 0)


def test_the_published_bucket_name_does_not_lengthen_from_pass_to_pass(seed: Loaded) -> None:
    trigger, api = _trigger(seed), MemoryApi()
    result, _, _ = _pass(seed, trigger, api)
    trigger["status"] = {"state": result.state}
    again, _, _ = _pass(seed, trigger, api)
    assert again.state == result.state == {"bucketName": "my-unique-bucket-name-ba307e086138"}


def test_every_resource_is_owned_by_the_trigger(seed: Loaded) -> None:
    trigger, api = _trigger(seed), MemoryApi()
    _pass(seed, trigger, api)
    (bucket,) = api.objects.values()
    assert bucket["metadata"]["ownerReferences"][0]["uid"] == trigger["metadata"]["uid"]


def test_numbers_as_account_ids_stay_strings(seed: Loaded) -> None:
    trigger, api = _trigger(seed), MemoryApi()
    for _ in range(5):
        _pass(seed, trigger, api)
        _make_ready(api)
    (function,) = (obj for place, obj in api.objects.items() if place[1] == "Function")
    assert function["spec"]["code"]["imageURI"] == (
        "123456789012.dkr.ecr.us-east-1.amazonaws.com/my-lambda-image:0.0.2"
    )
