"""No target is written for ever: after its own write, and after any other's, a plan ends with nothing to do.

The API is truthful: it keeps what it is sent, leaves out nulls of new objects, owns the fields that a server owns and
stores an integer beyond 64 bits as a double. `LAMBENT_FUZZ_EXAMPLES` says how many targets are tried.
"""

import copy
import os
from base64 import b64encode
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lambent.workflow.engine import (
    Context,
    Ok,
    Owner,
    PermFail,
    Plan,
    PreparedTemplate,
    ResourceFunction,
    Unready,
    load_catalog,
    plan,
)
from lambent.workflow.engine.marks import SERVER_FIELDS
from lambent.workflow.testing.memory_api import after_write
from tests.workflow.shared import documents

API = {"apiVersion": "example.org/v1", "kind": "Thing", "name": "a", "namespace": "ns"}
EXAMPLES = int(os.environ.get("LAMBENT_FUZZ_EXAMPLES", "120"))
OWNER = Owner("example.org/v1", "Trigger", "t", "uid-of-t", "ns")


def _examples(count: int) -> settings:
    """The same ones in every run; a slow machine is no failure."""
    checks = list(HealthCheck)
    return settings(max_examples=count, deadline=None, derandomize=True, database=None, suppress_health_check=checks)


def _function(**spec: Any) -> tuple[ResourceFunction, Context]:
    whole = {"apiConfig": API, "resource": {"=k": 0}, **spec}
    head = {"apiVersion": "koreo.dev/v1beta1", "kind": "ResourceFunction", "metadata": {"name": "f"}}
    catalog = load_catalog(documents(yaml.safe_dump({**head, "spec": whole}, sort_keys=False)))
    found = catalog.resolve("ResourceFunction", "f", "")
    assert isinstance(found, ResourceFunction), found
    return found, Context(catalog, OWNER)


PARTS = {"metadata": "=inputs.metadata", "spec": "=inputs.spec", "data": "=inputs.data"}
CREATE = {"overlay": {"spec": {"a": 9, "only": "=inputs.data"}}}
FUNCTIONS = {
    f"{way} {kind}": _function(resource=PARTS, update={way: {}}, **more)
    for way in ("patch", "apply", "recreate")
    for kind, more in (("plain", {}), ("create-only", {"create": CREATE}))
}


def _stored(made: Plan, live: dict[str, Any] | None) -> dict[str, Any] | None:
    """What a truthful server has after a write."""
    after = after_write(made, live)
    if after is None:
        return None
    metadata = dict(after["metadata"])
    old = (live or {}).get("metadata") or {}
    for name in SERVER_FIELDS:
        metadata.pop(name, None)
    served = {"uid": "u", "generation": 2, "creationTimestamp": "2026-01-01T00:00:00Z", "resourceVersion": "7"}
    stored: dict[str, Any] = _doubles({**after, "metadata": {**metadata, **served, **_kept(old)}})
    return stored


def _kept(old: dict[str, Any]) -> dict[str, Any]:
    return {name: old[name] for name in ("uid", "creationTimestamp") if name in old}


def _doubles(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _doubles(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_doubles(item) for item in value]
    return float(value) if type(value) is int and not -(2**63) <= value < 2**64 else value


def _settled(name: str, inputs: dict[str, Any], live: dict[str, Any] | None) -> dict[str, Any] | None:
    """Plans and writes until there is nothing to do; None when the target is refused for good."""
    function, context = FUNCTIONS[name]
    for _ in range(4):
        made = plan(function, inputs, live, context)
        if not made.is_write:
            assert made.action == "none", made
            assert isinstance(made.outcome, Ok | PermFail), made.outcome
            return live if isinstance(made.outcome, Ok) else None
        live = _stored(made, live)
    pytest.fail(f"written for ever: {plan(function, inputs, live, context).outcome}")


names = st.sampled_from(["a", "b", "k", "ownerReferences"])
texts = st.sampled_from(["", "a ", " a", "007", "=x", '{"a": 1}', '{"a":1}', " [1, 2]", "[1,2]", "100m", "é", "\n"])
numbers = st.integers(-2, 2) | st.sampled_from([0.5, 1.0, -0.0, 1e300, 2**53 + 1, 2**63, 10**22 + 1])


def directed(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Maps with compare directives, fitting or not."""
    fields = st.lists(names, max_size=2)
    as_map = st.dictionaries(names, st.just(["k"]) | st.just("k") | st.just(["k", "a"]), max_size=2)
    keyed = st.lists(st.fixed_dictionaries({"k": st.integers(0, 2) | st.booleans()}, optional={"a": inner}), max_size=3)
    scalars = st.lists(st.integers(0, 2) | st.booleans() | texts, max_size=3)
    members = st.dictionaries(names, inner | keyed | scalars, max_size=3)
    directives = st.fixed_dictionaries(
        {},
        optional={
            "x-koreo-compare-as-set": fields,
            "x-koreo-compare-as-map": as_map,
            "x-koreo-compare-last-applied": fields,
            "x-lambent-compare-exact": fields,
        },
    )
    return st.builds(lambda one, other: {**one, **other}, members, directives)


values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3) | directed(inner),
    max_leaves=12,
)
labels = st.none() | st.dictionaries(
    st.sampled_from(["l", "lambent.dev/managed"]), st.none() | st.sampled_from(["x", "true"]), max_size=2
)
annotations = st.none() | st.dictionaries(
    st.sampled_from(
        ["n", "lambent.dev/applied-by", "koreo.dev/last-applied-configuration", "koreo.dev/managed-resources"]
    ),
    st.none() | st.sampled_from(["x", "{}"]),
    max_size=2,
)
metadata = st.fixed_dictionaries(
    {},
    optional={
        "labels": labels,
        "annotations": annotations,
        "finalizers": st.lists(st.sampled_from(["lambent.dev/workflow", "example.org/f"]), max_size=2),
        "creationTimestamp": st.none() | st.just("2020-01-01T00:00:00Z"),
        "uid": st.just("other"),
        "generation": st.just(9),
        "name": st.just("other"),
        "ownerReferences": st.just([{"uid": "foreign"}]),
    },
)
inputs = st.fixed_dictionaries({"metadata": metadata, "spec": directed(values), "data": values})


@_examples(EXAMPLES)
@given(st.sampled_from(sorted(FUNCTIONS)), st.lists(inputs, min_size=1, max_size=3))
def test_any_target_is_reached_from_any_other_and_then_left_alone(name: str, wanted: list[dict[str, Any]]) -> None:
    live = None
    before = copy.deepcopy(wanted)
    for one in wanted:
        live = _settled(name, one, live)
    assert wanted == before


@_examples(EXAMPLES // 3)
@given(inputs, inputs)
def test_the_foreign_fields_of_an_object_are_never_fought_over(wanted: dict[str, Any], other: dict[str, Any]) -> None:
    live = _settled("patch plain", wanted, None)
    if live is None:
        return
    live = {**live, "status": other["spec"], "metadata": {**live["metadata"], "finalizers": ["theirs"]}}
    function, context = FUNCTIONS["patch plain"]
    if "finalizers" not in wanted["metadata"]:
        assert plan(function, wanted, live, context).action == "none"


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"f": "=[{'k': 1}, {'k': 1}]", "x-koreo-compare-as-map": {"f": ["k"]}}, "target has the key (k=1) twice"),
        ({"f": "=[{'n': 1}]", "x-koreo-compare-as-map": {"f": ["k"]}}, 'an element without key field "k"'),
        ({"f": "=[{'k': null}]", "x-koreo-compare-as-map": {"f": ["k"]}}, 'an element without key field "k"'),
        ({"f": "=[1]", "x-koreo-compare-as-map": {"f": ["k"]}}, "holds an element that is not an object"),
        ({"f": "=1.0 / 0.0"}, "infinity"),
    ],
)
@pytest.mark.parametrize("update", ["patch", "recreate", "apply"])
def test_a_target_that_nothing_could_equal_is_a_failure_with_a_place(
    update: str, spec: dict[str, Any], said: str
) -> None:
    function, context = _function(resource={"spec": spec}, update={update: {}})
    for live in (None, {"apiVersion": "example.org/v1", "kind": "Thing", "metadata": {"name": "a"}, "spec": {"f": 3}}):
        made = plan(function, {}, live, context)
        assert made.action == "none"
        assert isinstance(made.outcome, PermFail)
        assert said in made.outcome.message
        assert made.outcome.location.startswith(("ResourceFunction/f", "test.k.yaml"))


def test_two_triggers_that_share_an_object_leave_the_fields_of_each_other() -> None:
    function, context = _function(resource={"data": "=inputs.data"})
    other = Context(context.lookup, Owner("example.org/v1", "Trigger", "t2", "uid-of-t2", "ns"))
    mine, theirs = {"data": {"a": 1}}, {"data": {"b": 2}}
    live = after_write(plan(function, mine, None, context), None)
    live = after_write(plan(function, theirs, live, other), live)
    assert live is not None
    assert live["data"] == {"a": 1, "b": 2}
    for inputs, whose in ((mine, context), (theirs, other)):
        made = plan(function, inputs, live, whose)
        assert (made.action, made.outcome) == ("none", Ok(None))
    removing = plan(function, {"data": {}}, live, other).body
    assert removing is not None
    assert removing["data"] == {"b": None}


def _as_server(made: Plan, live: dict[str, Any] | None) -> dict[str, Any]:
    """A Secret as a real server has it after a write."""
    after = after_write(made, live)
    assert after is not None
    texts = after.pop("stringData", {})
    after["data"] = (after.get("data") or {}) | {key: b64encode(text.encode()).decode() for key, text in texts.items()}
    return after


@pytest.mark.parametrize("store", [_as_server, after_write], ids=["server", "memory"])
@pytest.mark.parametrize("update", ["patch", "apply"])
def test_the_texts_of_a_secret_are_written_once_changed_once_and_removed_once(update: str, store: Any) -> None:
    api = {"apiVersion": "v1", "kind": "Secret", "name": "s", "namespace": "ns"}
    function, context = _function(apiConfig=api, resource={"stringData": "=inputs.texts"}, update={update: {}})
    live: dict[str, Any] | None = None
    for texts in ({"a": "1", "b": "2"}, {"a": "3", "b": "2"}, {"a": "3"}, {"a": "3", "c": "x y "}):
        made = plan(function, {"texts": texts}, live, context)
        assert made.is_write
        live = store(made, live)
        assert live is not None
        again = plan(function, {"texts": texts}, live, context)
        assert (again.action, again.outcome) == ("none", Ok(None))
    if store is _as_server and update == "patch":
        assert live is not None
        assert live["data"] == {"a": "Mw==", "c": "eCB5IA=="}


@pytest.mark.parametrize("field", ["labels", "annotations"])
def test_computed_labels_that_are_no_map_are_a_failure(field: str) -> None:
    function, context = _function(resource={"metadata": {field: "=inputs.x"}})
    outcome = plan(function, {"x": "text"}, None, context).outcome
    assert isinstance(outcome, PermFail)
    assert outcome.message == f"metadata.{field} must be a map from text to text"


def test_metadata_that_is_copied_leaves_out_what_is_not_to_be_copied() -> None:
    """The trigger of a workflow may itself be an object that another workflow manages."""
    copied = {
        "name": "trigger",
        "uid": "u",
        "resourceVersion": "3",
        "generation": 4,
        "creationTimestamp": "2026-01-01T00:00:00Z",
        "managedFields": [{}],
        "finalizers": ["lambent.dev/workflow", "example.org/keep"],
        "labels": {"team": "a", "lambent.dev/managed": "true"},
        "annotations": {"koreo.dev/last-applied-configuration": "{}", "koreo.dev/managed-resources": "{}", "n": "x"},
    }
    function, context = _function(resource={"metadata": "=inputs.metadata"})
    made = plan(function, {"metadata": copied}, None, Context(context.lookup))
    assert made.body is not None
    body = dict(made.body["metadata"])
    assert body.pop("annotations")["n"] == "x"
    assert body == {
        "name": "a",
        "namespace": "ns",
        "finalizers": ["example.org/keep"],
        "labels": {"team": "a", "lambent.dev/managed": "true"},
    }
    assert plan(function, {"metadata": copied}, after_write(made, None), Context(context.lookup)).action == "none"


TEMPLATE = {"apiVersion": "koreo.dev/v1beta1", "kind": "ResourceTemplate", "metadata": {"name": "t"}}


@pytest.mark.parametrize(
    ("metadata", "code", "path"),
    [
        ({"labels": {"lambent.dev/managed": "false"}}, "own-mark", "labels.lambent.dev/managed"),
        (
            {"annotations": {"koreo.dev/last-applied-configuration": "=inputs.x"}},
            "own-mark",
            "annotations.koreo.dev/last-applied-configuration",
        ),
        (
            {"annotations": {"koreo.dev/managed-resources": "x"}},
            "own-mark",
            "annotations.koreo.dev/managed-resources",
        ),
        ({"labels": "x"}, "wrong-type", "labels"),
        ({"annotations": ["x"]}, "wrong-type", "annotations"),
        ({"creationTimestamp": None}, "server-field", "creationTimestamp"),
        ({"resourceVersion": "x"}, "server-field", "resourceVersion"),
    ],
)
@pytest.mark.parametrize("place", ["resource", "overlays[0].overlay", "create.overlay", "template"])
def test_what_is_not_the_documents_to_set_is_found_at_its_place(
    place: str, metadata: dict[str, Any], code: str, path: str
) -> None:
    target = {"metadata": metadata}
    if place == "template":
        spec: dict[str, Any] = {"template": {"apiVersion": "example.org/v1", "kind": "Thing", **target}}
        whole = {**TEMPLATE, "spec": spec}
    else:
        spec = {"apiConfig": API, "resource": {}}
        parts = {
            "resource": target,
            "overlays[0].overlay": [{"overlay": target}],
            "create.overlay": {"overlay": target},
        }
        spec[place.partition("[")[0].partition(".")[0]] = parts[place]
        whole = {**TEMPLATE, "kind": "ResourceFunction", "spec": spec}
    (prepared,) = load_catalog(documents(yaml.safe_dump(whole, sort_keys=False))).all()
    assert isinstance(prepared, Unready | ResourceFunction | PreparedTemplate)
    (found,) = prepared.diagnostics
    assert (found.code, found.path) == (code, f"spec.{place}.metadata.{path}")
    assert found.line > 0
    assert isinstance(prepared, Unready) == (code != "server-field")
