"""No document, however malformed, raises out of loading, validation, preparation, checking or running its tests."""

import copy
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lambent.workflow.engine import Unready, prepare
from lambent.workflow.spec import KINDS, Document, load_text
from lambent.workflow.testing import load, run_tests
from lambent.workflow.testing import prepare as prepare_all
from tests.workflow.shared import SEED, needs_seed

QUICK = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])

words = st.sampled_from(
    [
        "",
        "=",
        "=inputs",
        "=steps.a",
        "=1 +",
        "a",
        "Workflow",
        "ValueFunction",
        "=[1]",
        '="x"',
        "==inputs.a",
        "=locals.a",
    ]
)
names = st.sampled_from(
    ["label", "ref", "kind", "name", "steps", "return", "locals", "inputs", "assert", "ok", "skip", "apiConfig",
     "resource", "overlays", "testCases", "functionRef", "template", "a", "x-koreo-compare-as-map", "spec"]
)  # fmt: skip
values = st.recursive(
    words | st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4),
    max_leaves=12,
)
kinds = st.sampled_from([*KINDS, "Other"])


@QUICK
@given(st.text(max_size=60))
def test_any_text_loads_or_is_diagnosed(text: str) -> None:
    load_text(text)


@QUICK
@given(kinds, values)
def test_any_spec_is_prepared_or_refused_with_diagnostics(kind: str, spec: Any) -> None:
    value = {"apiVersion": "koreo.dev/v1beta1", "kind": kind, "metadata": {"name": "x"}, "spec": spec}
    prepared = prepare(Document(value))
    if isinstance(prepared, Unready):
        assert any(diagnostic.is_error for diagnostic in prepared.diagnostics)
        assert len(prepared.reason) < 1000


@QUICK
@given(values, values)
def test_any_object_at_all_is_no_reason_to_raise(metadata: Any, spec: Any) -> None:
    prepare(Document({"apiVersion": metadata, "kind": "Workflow", "metadata": metadata, "spec": spec}))


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path]
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        found += _places(item, (*path, key))
    return found


def _replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    value[path[0]] = _replaced(value[path[0]], path[1:], new)
    return value


@pytest.fixture(scope="module")
def seed() -> list[dict[str, Any]]:
    return [document.value for document in load([SEED]).documents]


@needs_seed
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_the_seed_with_one_value_replaced_loads_and_its_tests_run(seed: list[dict[str, Any]], data: Any) -> None:
    objects = copy.deepcopy(seed)
    index = data.draw(st.integers(0, len(objects) - 1))
    path = data.draw(st.sampled_from(_places(objects[index])))
    changed = _replaced(objects[index], path, data.draw(values))
    objects[index] = changed if isinstance(changed, dict) else {}
    documents, _ = load_text(yaml.safe_dump_all(objects, sort_keys=False), "seed.yaml")
    run_tests(prepare_all(documents))
