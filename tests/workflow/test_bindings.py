"""Which names each place of a document may use (specification, 3.2); any other is an error before anything runs."""

from typing import Any

import pytest
import yaml

from lambent.workflow.engine import Ok, ValueFunction, prepare
from tests.workflow.shared import documents

NAMES = ("inputs", "locals", "resource", "parent", "steps", "value", "template", "item", "nowhere")
API = {"apiVersion": "v1", "kind": "Thing", "name": "n", "namespace": "ns"}
REF = {"ref": {"kind": "ValueFunction", "name": "f"}}


def _step(**step: Any) -> dict[str, Any]:
    return {"steps": [{"label": "first", **REF}, {"label": "second", **REF, **step}]}


def _resource(**spec: Any) -> dict[str, Any]:
    return {"apiConfig": API, "resource": {}, **spec}


def _from_template(**spec: Any) -> dict[str, Any]:
    return {"apiConfig": API, "resourceTemplateRef": {"name": "t"}, **spec}


def _check(text: str) -> list[dict[str, Any]]:
    return [{"assert": f"={text} == 1", "skip": {"message": f"=string({text})"}}]


# Per place: kind, the spec with an expression at it, and the names that it may use.
PLACES: dict[str, tuple[str, Any, str]] = {
    "step inputs": ("Workflow", lambda e: _step(inputs={"a": f"={e}"}), "parent steps"),
    "step skipIf": ("Workflow", lambda e: _step(skipIf=f"={e} == 1"), "parent steps"),
    "forEach.itemIn": ("Workflow", lambda e: _step(forEach={"itemIn": f"=[{e}]", "inputKey": "i"}), "parent steps"),
    "refSwitch.switchOn": (
        "Workflow",
        lambda e: {
            "steps": [{"label": "a", "refSwitch": {"switchOn": f"={e}", "cases": [{"case": "1", **REF["ref"]}]}}]
        },
        "inputs parent steps",
    ),
    "step state": ("Workflow", lambda e: _step(state={"a": f"={e}"}), "value parent inputs"),
    "preconditions of a value": ("ValueFunction", lambda e: {"preconditions": _check(e)}, "inputs resource"),
    "locals of a value": (
        "ValueFunction",
        lambda e: {"locals": {"a": f"={e}", "b": 1}, "return": {"a": 1}},
        "inputs resource locals",
    ),
    "return of a value": ("ValueFunction", lambda e: {"return": {"a": f"={e}"}}, "inputs locals resource"),
    "preconditions": ("ResourceFunction", lambda e: _resource(preconditions=_check(e)), "inputs"),
    "locals": ("ResourceFunction", lambda e: _resource(locals={"a": f"={e}", "b": 1}), "inputs locals"),
    "apiConfig.name": ("ResourceFunction", lambda e: _resource(apiConfig={**API, "name": f"={e}"}), "inputs locals"),
    "apiConfig.namespace": (
        "ResourceFunction",
        lambda e: _resource(apiConfig={**API, "namespace": f"={e}"}),
        "inputs locals",
    ),
    "resource": ("ResourceFunction", lambda e: _resource(resource={"spec": {"a": f"={e}"}}), "inputs locals"),
    "resourceTemplateRef.name": (
        "ResourceFunction",
        lambda e: {"apiConfig": API, "resourceTemplateRef": {"name": f"={e}"}},
        "inputs locals",
    ),
    "overlay": (
        "ResourceFunction",
        lambda e: _resource(overlays=[{"overlay": {"a": f"={e}"}}]),
        "inputs locals resource",
    ),
    "overlay on a template": (
        "ResourceFunction",
        lambda e: _from_template(overlays=[{"overlay": {"a": f"={e}"}}]),
        "inputs locals resource template",
    ),
    "overlay skipIf": (
        "ResourceFunction",
        lambda e: _resource(overlays=[{"overlay": {"a": 1}, "skipIf": f"={e} == 1"}]),
        "inputs locals resource",
    ),
    "overlay inputs": (
        "ResourceFunction",
        lambda e: _resource(overlays=[{"overlayRef": REF["ref"], "inputs": {"a": f"={e}"}}]),
        "inputs locals resource",
    ),
    "create.overlay": (
        "ResourceFunction",
        lambda e: _resource(create={"overlay": {"a": f"={e}"}}),
        "inputs locals resource",
    ),
    "postconditions": ("ResourceFunction", lambda e: _resource(postconditions=_check(e)), "inputs locals resource"),
    "return": ("ResourceFunction", lambda e: _resource(**{"return": {"a": f"={e}"}}), "inputs locals resource"),
}
# Read as a member, or a local would wait for itself and a step for all others.
_MEMBER = {"locals": "locals.b", "steps": "steps.first"}


def _refused(place: str, name: str) -> list[str]:
    kind, spec, _ = PLACES[place]
    whole = {"apiVersion": "koreo.dev/v1beta1", "kind": kind, "metadata": {"name": "x"}}
    text = _MEMBER.get(name, name) if place != "refSwitch.switchOn" or name != "steps" else "size(steps)"
    (document,) = documents(yaml.safe_dump({**whole, "spec": spec(text)}, sort_keys=False))
    prepared = prepare(document)
    assert prepared is not None
    return [found.code for found in prepared.diagnostics if found.is_error]


@pytest.mark.parametrize("place", sorted(PLACES))
def test_a_place_may_use_its_names_and_no_other(place: str) -> None:
    allowed = set(PLACES[place][2].split())
    assert {name for name in NAMES if not _refused(place, name)} == allowed
    assert {code for name in set(NAMES) - allowed for code in _refused(place, name)} == {"cel-undeclared"}


RETURNS = """
apiVersion: koreo.dev/v1beta1
kind: ValueFunction
metadata: {name: f}
spec: %s
"""


@pytest.mark.parametrize(
    ("spec", "value"),
    [
        ("{preconditions: [{assert: =true, ok: {}}]}", None),
        ("{preconditions: [{assert: =true, ok: {}}], return: {}}", None),
        ("{locals: {}, return: {a: {}, b: '', c: [], d: null}}", {"a": {}, "b": "", "c": [], "d": None}),
        ("{return: {a: ==1 + 1, b: ' =1', c: \"=1 +\\n 1\"}}", {"a": 2, "b": " =1", "c": 2}),
        ("{return: {'=k': 1, 'a\"b': 2, '': 3}}", {"=k": 1, 'a"b': 2, "": 3}),
    ],
    ids=["none", "an empty one", "empty values", "signs and spaces", "keys"],
)
def test_what_a_function_returns(spec: str, value: Any) -> None:
    function = prepare(documents(RETURNS % spec)[0])
    assert isinstance(function, ValueFunction), getattr(function, "diagnostics", None)
    assert function.evaluate({}) == Ok(value)


@pytest.mark.parametrize(
    ("profile", "annotation", "is_ready"),
    [
        ("koreo", "{}", True),
        ("strict", "{lambent.dev/cel-profile: strict}", False),
        ("other", "{lambent.dev/cel-profile: x}", True),
    ],
)
def test_the_profile_is_chosen_by_the_object(profile: str, annotation: str, is_ready: bool) -> None:
    text = (RETURNS % "{return: {a: =to_json(1)}}").replace("{name: f}", f"{{name: f, annotations: {annotation}}}")
    assert isinstance(prepare(documents(text)[0]), ValueFunction) == is_ready
