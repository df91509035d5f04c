"""A pass of a workflow: order, dependencies, loops, switches, sub-workflows and failures, without I/O."""

import textwrap
from typing import Any

import pytest

from lambent.workflow.engine import (
    Catalog,
    DepSkip,
    Effect,
    Found,
    Ok,
    PermFail,
    Read,
    Refused,
    Retry,
    RunResult,
    Skip,
    TimedOut,
    Unready,
    Workflow,
    WorkflowPass,
    load_catalog,
    prepare,
)
from lambent.workflow.engine.effects import Answer
from lambent.workflow.testing import MemoryApi
from tests.workflow.shared import documents

FUNCTIONS = """
apiVersion: koreo.dev/v1beta1
kind: ValueFunction
metadata: {name: echo}
spec:
  return: {got: =inputs}
---
apiVersion: koreo.dev/v1beta1
kind: ValueFunction
metadata: {name: odd}
spec:
  preconditions:
  - assert: =inputs.n % 2 == 1
    skip: {message: even}
  - assert: =inputs.n < 100
    retry: {message: =string(inputs.n) + " is too much", delay: 7}
  return: {n: =inputs.n}
---
apiVersion: koreo.dev/v1beta1
kind: ResourceFunction
metadata: {name: thing}
spec:
  apiConfig: {apiVersion: example.org/v1, kind: Thing, name: =inputs.name, namespace: ns}
  resource: {spec: {a: 1}}
  return: {name: =resource.metadata.name}
"""


def _catalog(steps: str, more: str = "") -> Catalog:
    head = "apiVersion: koreo.dev/v1beta1\nkind: Workflow\nmetadata: {name: w}\nspec:\n  steps:\n"
    body = textwrap.indent(textwrap.dedent(steps), "  ")
    return load_catalog(documents(f"{FUNCTIONS}\n---\n{head}{body}\n---\n{textwrap.dedent(more)}"))


def _run(
    steps: str,
    *,
    more: str = "",
    parent: dict[str, Any] | None = None,
    api: MemoryApi | None = None,
    answer: Answer | None = None,
) -> RunResult:
    catalog = _catalog(steps, more)
    workflow = catalog.resolve("Workflow", "w", "")
    assert isinstance(workflow, Workflow), getattr(workflow, "diagnostics", workflow)
    store = api or MemoryApi()
    running = WorkflowPass(workflow, parent or {}, catalog)
    effects: list[Effect] = running.start()
    while effects:
        effect = effects.pop(0)
        if answer is not None:
            effects += running.feed(effect, answer)
        elif isinstance(effect, Read):
            effects += running.feed(effect, Found(store.read(effect.ref)))
        else:
            effects += running.feed(effect, Found(store.write(effect.plan)))
    assert running.result is not None
    return running.result


def _outcomes(result: RunResult) -> dict[str, Any]:
    return {label: step.outcome for label, step in result.steps.items()}


ECHO = "ref: {kind: ValueFunction, name: echo}"
ODD = "ref: {kind: ValueFunction, name: odd}"


def test_results_flow_along_the_steps() -> None:
    result = _run(f"""
        - {{label: a, {ECHO}, inputs: {{x: =parent.n}}}}
        - {{label: b, {ECHO}, inputs: {{y: =steps.a.got.x + 1}}, state: {{sum: =value.got.y + parent.n}}}}
        """, parent={"n": 2})  # fmt: skip
    assert _outcomes(result) == {"a": Ok({"got": {"x": 2}}), "b": Ok({"got": {"y": 3}})}
    assert result.outcome == Ok({"sum": 5})


def test_a_dependency_that_is_not_ok_skips_and_is_named() -> None:
    result = _run(f"""
        - {{label: a, {ODD}, inputs: {{n: 2}}}}
        - {{label: b, {ODD}, inputs: {{n: 101}}}}
        - {{label: c, {ECHO}, inputs: {{x: =steps.a, y: =steps.b}}}}
        - {{label: d, {ECHO}, inputs: {{x: 1}}}}
        """)  # fmt: skip
    outcome = _outcomes(result)["c"]
    assert outcome == DepSkip("'a' was skipped (even), 'b' is waiting on dependency (101 is too much)")
    assert isinstance(_outcomes(result)["d"], Ok)
    assert isinstance(result.outcome, Retry)
    assert result.outcome.delay_s == 7


@pytest.mark.parametrize(
    ("n", "when", "ran"),
    [(2, "proceedOnSkip", True), (101, "proceedOnSkip", False), (101, "proceed", True), (2, "depSkip", False)],
)
def test_an_optional_dependency_lets_the_step_run_without_its_value(n: int, when: str, ran: bool) -> None:
    result = _run(f"""
        - {{label: a, {ODD}, inputs: {{n: {n}}}}}
        - label: b
          {ECHO}
          dependsOn: [{{label: a, whenNotOk: {when}}}]
          inputs: {{has: =has(steps.a)}}
        """)  # fmt: skip
    assert (_outcomes(result)["b"] == Ok({"got": {"has": False}})) is ran


def test_skip_if_comes_before_the_inputs() -> None:
    result = _run(f"- {{label: a, {ECHO}, skipIf: =true, inputs: {{x: =parent.nothing}}}}")
    outcome = _outcomes(result)["a"]
    assert isinstance(outcome, Skip)
    assert outcome.message == "skipped by workflow"


def test_skip_if_must_be_a_bool() -> None:
    assert isinstance(_outcomes(_run(f"- {{label: a, {ECHO}, skipIf: =1}}"))["a"], PermFail)


@pytest.mark.parametrize(
    ("items", "extra", "outcome"),
    [
        ("=[]", "", Ok([])),
        ("=[1, 2, 3]", "", Ok([{"n": 1}, None, {"n": 3}])),
        ("=[1, 2, 3]", ", dropSkipped: true", Ok([{"n": 1}, {"n": 3}])),
    ],
)
def test_for_each_keeps_the_order_of_its_items(items: str, extra: str, outcome: Ok) -> None:
    result = _run(f"- {{label: a, {ODD}, forEach: {{itemIn: '{items}', inputKey: n{extra}}}}}")
    assert _outcomes(result)["a"] == outcome


def test_for_each_names_the_items_that_fail() -> None:
    outcome = _outcomes(_run(f"- {{label: a, {ODD}, forEach: {{itemIn: '=[1, 101, 103]', inputKey: n}}}}"))["a"]
    assert isinstance(outcome, Retry)
    assert outcome.message == "[1] 101 is too much, [2] 103 is too much"


def test_for_each_needs_a_list() -> None:
    outcome = _outcomes(_run(f"- {{label: a, {ODD}, forEach: {{itemIn: '=parent', inputKey: n}}}}"))["a"]
    assert isinstance(outcome, PermFail)


def test_for_each_over_resources_runs_every_item_and_records_them_in_order() -> None:
    steps = (
        '- {label: a, ref: {kind: ResourceFunction, name: thing}, forEach: {itemIn: \'=["x", "y"]\', inputKey: name}}'
    )
    api = MemoryApi()
    first = _run(steps, api=api).steps["a"]
    assert [ref.name for ref in first.managed] == ["x", "y"]
    assert isinstance(first.outcome, Retry)
    assert _outcomes(_run(steps, api=api))["a"] == Ok([{"name": "x"}, {"name": "y"}])


SWITCH = """
- label: a
  refSwitch:
    switchOn: %s
    cases:
    - {case: "true", kind: ValueFunction, name: echo}
    - {case: "2", kind: ValueFunction, name: odd%s}
    - {case: unused, kind: ValueFunction, name: missing}
  inputs: {n: 3}
"""


@pytest.mark.parametrize(
    ("switch", "default", "outcome"),
    [
        ("=inputs.n == 3", "", Ok({"got": {"n": 3}})),
        ("=inputs.n - 1", "", Ok({"n": 3})),
        ('="other"', ", default: true", Ok({"n": 3})),
    ],
)
def test_a_switch_compares_strings_ints_and_bools_as_text(switch: str, default: str, outcome: Ok) -> None:
    assert _outcomes(_run(SWITCH % (switch, default)))["a"] == outcome


@pytest.mark.parametrize("switch", ['="other"', "=[1]"])
def test_a_switch_without_a_match_says_what_to_do(switch: str) -> None:
    assert isinstance(_outcomes(_run(SWITCH % (switch, "")))["a"], PermFail)


SUB = """
apiVersion: koreo.dev/v1beta1
kind: Workflow
metadata: {name: sub}
spec:
  steps:
  - {label: x, ref: {kind: ValueFunction, name: odd}, inputs: {n: =parent.n}, state: {n: =value.n}}
  - {label: y, ref: {kind: ResourceFunction, name: thing}, inputs: {name: =parent.name}, state: {name: =value.name}}
"""


def test_a_sub_workflow_gives_its_state_and_nests_its_resources() -> None:
    steps = "- {label: a, ref: {kind: Workflow, name: sub}, inputs: {n: 3, name: q}}"
    api = MemoryApi()
    _run(steps, more=SUB, api=api)
    result = _run(steps, more=SUB, api=api)
    assert _outcomes(result)["a"] == Ok({"n": 3, "name": "q"})
    assert result.steps["a"].managed["y"].name == "q"


def test_a_workflow_that_runs_itself_ends_as_a_failure() -> None:
    result = _run("- {label: a, ref: {kind: Workflow, name: w}}")
    assert isinstance(_outcomes(result)["a"], PermFail)


def test_missing_and_invalid_functions_hold_only_their_own_step() -> None:
    more = "apiVersion: koreo.dev/v1beta1\nkind: ValueFunction\nmetadata: {name: bad}\nspec: {}\n"
    result = _run(
        f"""
        - {{label: a, ref: {{kind: ValueFunction, name: missing}}}}
        - {{label: b, ref: {{kind: ValueFunction, name: bad}}}}
        - {{label: c, {ECHO}}}
        """,
        more=more,
    )
    outcomes = _outcomes(result)
    assert [type(outcome) for outcome in outcomes.values()] == [Retry, Retry, Ok]
    assert (outcomes["a"].delay_s, outcomes["b"].delay_s) == (15, 180)


THING = "- {label: a, ref: {kind: ResourceFunction, name: thing}, inputs: {name: x}}"


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Refused(403, "no"), Retry),
        (Refused(422, "bad"), PermFail),
        (Refused(400, "bad"), PermFail),
        (Refused(429, "slow", retry_after_s=9), Retry),
        (Refused(500, "oops"), Retry),
        (Refused(0, "reset"), Retry),
        (TimedOut(), Retry),
    ],
)
def test_a_refusal_is_an_outcome_of_the_step(answer: Answer, kind: type) -> None:
    outcome = _outcomes(_run(THING, answer=answer))["a"]
    assert isinstance(outcome, kind)
    if isinstance(answer, Refused) and answer.retry_after_s and isinstance(outcome, Retry):
        assert outcome.delay_s == answer.retry_after_s


def test_a_time_out_is_a_retry_in_thirty_seconds() -> None:
    outcome = _outcomes(_run(THING, answer=TimedOut()))["a"]
    assert (outcome.message, outcome.delay_s) == ("Timeout running step", 30)


def test_a_conflict_is_read_and_planned_again_three_times() -> None:
    catalog = _catalog(THING)
    workflow = catalog.resolve("Workflow", "w", "")
    assert isinstance(workflow, Workflow)
    running, live = WorkflowPass(workflow, {}, catalog), {"apiVersion": "example.org/v1", "kind": "Thing"}
    effects, seen = running.start(), []
    while effects:
        effect = effects.pop()
        seen.append(type(effect).__name__)
        found = Found({**live, "metadata": {"name": "x"}, "spec": {}})
        answer: Answer = found if isinstance(effect, Read) else Refused(409, "conflict", "Conflict")
        effects += running.feed(effect, answer)
    assert seen == ["Read", "Write"] * 4
    assert running.result is not None
    assert isinstance(running.result.steps["a"].outcome, Retry)


def test_what_a_cache_shows_never_leads_to_a_write() -> None:
    catalog = _catalog(THING)
    workflow = catalog.resolve("Workflow", "w", "")
    assert isinstance(workflow, Workflow)
    identity = {"apiVersion": "example.org/v1", "kind": "Thing", "metadata": {"name": "x", "namespace": "ns"}}
    running = WorkflowPass(workflow, {}, catalog)
    (read,) = running.start()
    (again,) = running.feed(read, Found({**identity, "spec": {"a": 2}}, is_cached=True))
    assert [isinstance(read, Read) and read.is_live, isinstance(again, Read) and again.is_live] == [False, True]
    assert running.feed(again, Found({**identity, "spec": {"a": 1}})) == []
    assert running.result is not None
    assert running.result.steps["a"].outcome == Ok({"name": "x"})


def test_a_competing_creation_waits_like_a_creation() -> None:
    catalog = _catalog(THING)
    workflow = catalog.resolve("Workflow", "w", "")
    assert isinstance(workflow, Workflow)
    running = WorkflowPass(workflow, {}, catalog)
    (read,) = running.start()
    (write,) = running.feed(read, Found(None))
    assert running.feed(write, Refused(409, "exists", "AlreadyExists")) == []
    assert running.result is not None
    assert running.result.steps["a"].outcome == Retry("Waiting on competing creation", 30, "Workflow/w:spec.steps[0]")


def test_a_failing_state_is_not_a_failure_of_the_step() -> None:
    result = _run(f"- {{label: a, {ECHO}, state: {{x: =value.nothing}}}}", parent={"state": {"x": 1}})
    assert isinstance(_outcomes(result)["a"], Ok)
    assert result.steps["a"].state_failure is not None


def test_state_keys_of_waiting_steps_keep_their_value_and_undeclared_ones_vanish() -> None:
    result = _run(
        f"- {{label: a, {ODD}, inputs: {{n: 2}}, state: {{x: =value.n}}}}", parent={"state": {"x": 1, "y": 2}}
    )
    assert result.state == {"x": 1}


@pytest.mark.parametrize(
    ("expression", "code"),
    [("=steps.b.x", "forward-reference"), ("=steps.a.x", "forward-reference"), ("=steps.z", "unknown-step")],
)
def test_a_step_may_only_refer_to_earlier_steps(expression: str, code: str) -> None:
    head = "apiVersion: koreo.dev/v1beta1\nkind: Workflow\nmetadata: {name: w}\nspec:\n  steps:\n"
    text = f"{head}  - {{label: a, {ECHO}, inputs: {{x: {expression}}}}}\n  - {{label: b, {ECHO}}}\n"
    prepared = prepare(documents(text)[0])
    assert isinstance(prepared, Unready)
    assert [diagnostic.code for diagnostic in prepared.diagnostics] == [code]


def test_five_hundred_steps_in_a_chain_do_not_recurse() -> None:
    steps = "\n".join(
        f"- {{label: s{i}, {ECHO}, inputs: {{x: {f'=steps.s{i - 1}.got.x' if i else 1}}}}}" for i in range(500)
    )
    assert isinstance(_run(steps).outcome, Ok)
