"""The table of limits (specification, 2.1): each row at its limit and one beyond it."""

from collections.abc import Callable
from typing import Any

import pytest
import yaml

from lambent.workflow.engine import Catalog, PermFail, Workflow, WorkflowPass, load_catalog, prepare
from lambent.workflow.engine.passes import MAX_DEPTH
from lambent.workflow.engine.publishing import MAX_STATE_BYTES
from lambent.workflow.spec import load_text, validate
from tests.workflow.shared import documents

REF = {"ref": {"kind": "ValueFunction", "name": "f"}}
TRUE = {"assert": "=true", "ok": {}}


def _whole(kind: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "koreo.dev/v1beta1", "kind": kind, "metadata": {"name": "x"}, "spec": spec}


def _workflow(*, steps: int = 1, step: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    made = [{"label": f"s{index}", **REF, **(step or {})} for index in range(steps)]
    return _whole("Workflow", {"steps": made, **spec})


def _cases(count: int) -> dict[str, Any]:
    cases: list[Any] = [{"expectOutcome": {"ok": {}}}] * count
    return _whole("FunctionTest", {"functionRef": {"kind": "ValueFunction", "name": "f"}, "testCases": cases})


def _switch(count: int) -> dict[str, Any]:
    cases = [{"case": str(index), **REF["ref"]} for index in range(count)]
    step = {"label": "a", "refSwitch": {"switchOn": "=parent.a", "cases": cases}}
    return _whole("Workflow", {"steps": [step]})


def _conditions(field: str) -> Callable[[int], dict[str, Any]]:
    api = {"apiVersion": "v1", "kind": "K", "name": "n", "namespace": "n"}
    return lambda count: _whole("ResourceFunction", {"apiConfig": api, "resource": {}, field: [TRUE] * count})


def _condition(**given: str) -> dict[str, Any]:
    return _workflow(step={"condition": {"type": "T1", "name": "n", **given}})


ROWS: dict[str, tuple[Callable[[int], dict[str, Any]], int]] = {
    "steps": (lambda count: _workflow(steps=count), 500),
    "test cases": (_cases, 1000),
    "state keys of a step": (lambda count: _workflow(step={"state": {f"k{i}": 1 for i in range(count)}}), 256),
    "cases of a switch": (_switch, 100),
    "preconditions": (_conditions("preconditions"), 100),
    "postconditions": (_conditions("postconditions"), 100),
    "characters of a label": (lambda count: _workflow(step={"label": "a" * count}), 63),
    "characters of a condition's type": (lambda count: _condition(type="T" + "a" * (count - 1)), 63),
    "characters of a condition's name": (lambda count: _condition(name="a" * count), 200),
    "seconds of a step": (lambda count: _workflow(step={"timeout": f"{count}s"}), 600),
    "seconds of all steps": (lambda count: _workflow(timeouts={"workflow": f"{count}s"}), 600),
    "seconds of each step": (lambda count: _workflow(timeouts={"step": f"{count}s"}), 600),
    "characters of an expression": (
        lambda count: _whole("ValueFunction", {"return": {"a": "=1" + " " * (count - 1)}}),
        65_536,
    ),
    "levels of an expression": (
        lambda count: _whole("ValueFunction", {"return": {"a": "=" + "(" * count + "1" + ")" * count}}),
        250,
    ),
}


def _errors(value: dict[str, Any]) -> list[str]:
    (document,) = documents(yaml.safe_dump(value, sort_keys=False))
    prepared = prepare(document)
    found = prepared.diagnostics if prepared is not None else validate(document)
    return [one.code for one in found if one.is_error]


@pytest.mark.parametrize("row", sorted(ROWS))
def test_a_document_may_go_to_the_limit_and_no_further(row: str) -> None:
    make, limit = ROWS[row]
    assert _errors(make(limit)) == []
    assert len(_errors(make(limit + 1))) == 1


@pytest.mark.parametrize("timeout", ["100ms", "0.1s", "10m"])
def test_a_time_out_may_be_as_short_as_a_tenth_of_a_second(timeout: str) -> None:
    assert _errors(_workflow(timeouts={"step": timeout, "workflow": timeout})) == []
    assert _errors(_workflow(timeouts={"step": "99ms"})) == ["out-of-range"]


def test_no_steps_are_an_error() -> None:
    assert _errors(_whole("Workflow", {"steps": []})) == ["too-few"]


def _prepared(value: dict[str, Any]) -> tuple[Workflow, Catalog]:
    catalog = load_catalog(documents(yaml.safe_dump(value)))
    workflow = catalog.resolve("Workflow", "x", "")
    assert isinstance(workflow, Workflow)
    return workflow, catalog


def test_what_holds_where_a_workflow_says_nothing() -> None:
    workflow, _ = _prepared(_workflow(step={"forEach": {"itemIn": "=[]", "inputKey": "i"}}))
    (step,) = workflow.steps
    assert step.for_each is not None
    assert (step.timeout_s, workflow.timeout_s, workflow.concurrency, step.for_each.concurrency) == (10.0, 30.0, 16, 16)
    assert (MAX_DEPTH, MAX_STATE_BYTES) == (16, 64 * 1024)


def test_more_than_ten_thousand_items_are_refused() -> None:
    workflow, catalog = _prepared(_workflow(step={"forEach": {"itemIn": "=parent.spec.items", "inputKey": "i"}}))
    run = WorkflowPass(workflow, {"spec": {"items": list(range(10_001))}}, catalog)
    run.start()
    assert run.result is not None
    outcome = run.result.steps["s0"].outcome
    assert isinstance(outcome, PermFail)
    assert outcome.message == "itemIn yields more than 10000 items"


def test_aliases_expand_to_a_limit() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 6)]
    assert [found.code for found in load_text("\n".join(lines[:5]), "x")[1]] == []
    assert [found.code for found in load_text("\n".join(lines), "x")[1]] == ["yaml-syntax"]
