"""Evaluation leaves the event loop to others after a few milliseconds. Work is counted here, not timed."""

import asyncio
from dataclasses import fields
from typing import Any

from lambent.kube.fake import FakeKube
from lambent.kube.types import KubeObject
from lambent.workflow.controller.executor import carry_out
from lambent.workflow.controller.pacing import Pacer
from lambent.workflow.engine import (
    Catalog,
    Effect,
    Found,
    Ok,
    Outcome,
    Read,
    RunResult,
    ValueFunction,
    Workflow,
    WorkflowPass,
    load_catalog,
)
from lambent.workflow.spec import load_text

_TEXT = """
apiVersion: koreo.dev/v1beta1
kind: ValueFunction
metadata: {name: f}
spec: {return: {name: =inputs.item}}
---
apiVersion: koreo.dev/v1beta1
kind: Workflow
metadata: {name: each}
spec:
  steps:
  - {label: a, ref: {kind: ValueFunction, name: f}, forEach: {itemIn: =parent.items, inputKey: item}}
---
apiVersion: koreo.dev/v1beta1
kind: Workflow
metadata: {name: nested}
spec:
  steps:
  - {label: a, ref: {kind: Workflow, name: one}, forEach: {itemIn: =parent.items, inputKey: item}}
---
apiVersion: koreo.dev/v1beta1
kind: Workflow
metadata: {name: one}
spec:
  steps:
  - {label: a, ref: {kind: ValueFunction, name: f}, inputs: {item: =parent.item}}
"""
_ITEM_S = 0.001
_SLICE_S = 0.004
# The piece during which the time runs out is not cut.
_MOST = 5


class _Counted(ValueFunction):
    """Counts its evaluations."""

    done = 0

    def evaluate(self, inputs: Any, resource: Any = None, *, has_resource: bool = False) -> Outcome:
        _Counted.done += 1
        return super().evaluate(inputs, resource, has_resource=has_resource)


class _Nothing:
    """An attendant for passes without resources."""

    def at_hand(self, effect: Effect) -> Found | None:
        return None

    async def prepare(self, effect: Effect) -> None:
        raise AssertionError("nothing is to be asked")

    async def observed(self, effect: Read, obj: KubeObject | None) -> bool:
        return False

    def wrote(self, effect: Effect, obj: KubeObject | None) -> None:
        raise AssertionError("nothing is to be written")


class _Loop:
    """What happens at the loop while passes run: the evaluations in each of its turns."""

    def __init__(self) -> None:
        _Counted.done = 0
        self.bursts: list[int] = []
        self.pacer = Pacer(_SLICE_S, clock=lambda: _Counted.done * _ITEM_S)
        self.catalog = _catalog()

    async def watch(self) -> None:
        seen = _Counted.done
        while True:
            await asyncio.sleep(0)
            self.bursts.append(_Counted.done - seen)
            seen = _Counted.done

    async def run(self, name: str, items: int) -> RunResult:
        workflow = self.catalog.resolve("Workflow", name, "")
        assert isinstance(workflow, Workflow)
        pass_ = WorkflowPass(workflow, {"items": list(range(items))}, self.catalog)
        return await carry_out(pass_, FakeKube(), timeout_s=30, attendant=_Nothing(), pacer=self.pacer)


def _catalog() -> Catalog:
    catalog = load_catalog(load_text(_TEXT)[0])
    function = catalog.resolve("ValueFunction", "f", "")
    assert isinstance(function, ValueFunction)
    catalog.add(_Counted(**{field.name: getattr(function, field.name) for field in fields(function)}))
    return catalog


async def _all(loop: _Loop, *passes: Any) -> list[RunResult]:
    watching = asyncio.ensure_future(loop.watch())
    try:
        return list(await asyncio.gather(*passes))
    finally:
        watching.cancel()


async def test_a_huge_for_each_leaves_the_loop_to_others():
    loop = _Loop()
    (result,) = await _all(loop, loop.run("each", 2000))
    assert result.outcome == Ok({})
    assert _Counted.done == 2000
    assert max(loop.bursts) <= _MOST


async def test_items_that_are_workflows_do_so_too():
    loop = _Loop()
    (result,) = await _all(loop, loop.run("nested", 500))
    assert isinstance(result.outcome, Ok)
    assert _Counted.done == 500
    assert max(loop.bursts) <= _MOST


async def test_many_passes_at_once_share_a_turn_of_the_loop():
    loop = _Loop()
    await _all(loop, *(loop.run("each", 100) for _ in range(20)))
    assert _Counted.done == 2000
    assert max(loop.bursts) <= _MOST


async def test_a_small_pass_does_not_wait_for_a_huge_one():
    loop = _Loop()
    finished: list[int] = []

    async def small() -> RunResult:
        await asyncio.sleep(0)
        result = await loop.run("each", 1)
        finished.append(_Counted.done)
        return result

    await _all(loop, loop.run("each", 2000), small())
    assert finished[0] <= 4 * _MOST


async def test_results_do_not_depend_on_the_pace():
    loop = _Loop()
    paced = await loop.run("each", 50)
    workflow = loop.catalog.resolve("Workflow", "each", "")
    assert isinstance(workflow, Workflow)
    whole = WorkflowPass(workflow, {"items": list(range(50))}, loop.catalog)
    assert whole.start() == []
    assert whole.result is not None
    assert paced.steps["a"].outcome == whole.result.steps["a"].outcome == Ok([{"name": item} for item in range(50)])
