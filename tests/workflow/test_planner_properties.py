"""Properties of the planner over any JSON: pure, idempotent, and true to the values it is given."""

import copy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from lambent.workflow.engine import Context, ResourceFunction, load_catalog, plan
from lambent.workflow.engine.patches import without_nulls
from lambent.workflow.testing.memory_api import after_write
from tests.workflow.shared import documents

FUNCTION = """
apiVersion: koreo.dev/v1beta1
kind: ResourceFunction
metadata: {name: f}
spec:
  apiConfig: {apiVersion: example.org/v1, kind: Thing, name: a, namespace: ns}
  resource: {spec: =inputs.spec}
  return: {spec: =inputs.spec}
"""
CATALOG = load_catalog(documents(FUNCTION))
CONTEXT = Context(CATALOG)
found = CATALOG.resolve("ResourceFunction", "f", "")
assert isinstance(found, ResourceFunction)
THING: ResourceFunction = found

texts = st.sampled_from(["", "a", "007", "1e3", "=x", '{"a": 1}', '{"a":1}', "[]", "nan", 'q"uote', "\n", "é"])
scalars = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.5, 1.0]) | texts
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "=k", 'k"']), inner, max_size=3)
    ),
    max_leaves=8,
)
specs = st.dictionaries(st.sampled_from(["a", "b", "c"]), values, max_size=3)


def _reconciled(spec: Any, live: dict[str, Any] | None) -> dict[str, Any]:
    """The object after one plan that writes; a second one must have nothing to do."""
    made = plan(THING, {"spec": spec}, live, CONTEXT)
    after = after_write(made, live) if made.is_write else live
    assert after is not None
    again = plan(THING, {"spec": spec}, after, CONTEXT)
    assert again.action == "none", again.outcome
    return after


@settings(max_examples=200, deadline=None)
@given(specs, specs, specs)
def test_after_its_own_write_a_plan_has_nothing_to_do(first: Any, second: Any, foreign: Any) -> None:
    live = _reconciled(first, None)
    live = {**live, "spec": {**(live.get("spec") or {}), "foreign": without_nulls(foreign)}}
    after = _reconciled(second, live)
    assert after["spec"]["foreign"] == without_nulls(foreign)


@settings(max_examples=100, deadline=None)
@given(specs)
def test_a_created_object_holds_exactly_the_given_values(spec: Any) -> None:
    assert _reconciled(spec, None).get("spec") == without_nulls(spec)


@settings(max_examples=100, deadline=None)
@given(specs, specs)
def test_a_plan_changes_neither_inputs_nor_live_object_and_repeats_itself(spec: Any, other: Any) -> None:
    live = after_write(plan(THING, {"spec": other}, None, CONTEXT), None)
    before = copy.deepcopy((spec, live))
    assert plan(THING, {"spec": spec}, live, CONTEXT) == plan(THING, {"spec": spec}, live, CONTEXT)
    assert (spec, live) == before


@settings(max_examples=100, deadline=None)
@given(specs)
def test_any_value_comes_out_of_the_return_as_it_went_in(spec: Any) -> None:
    live = _reconciled(spec, None)
    outcome = plan(THING, {"spec": spec}, live, CONTEXT).outcome
    assert getattr(outcome, "value", None) == {"spec": spec}
