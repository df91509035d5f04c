"""Definitions held against what kube-apiserver 1.34's own validation says of them.

`definitions.json` has whole definitions, `rules.json` rules of one schema, each with every refusal: field and message.
Both were recorded from `apiextensions-apiserver` 0.34.4.
"""

import copy
import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lambent.clock import utc_now
from lambent.kubeserver import definitions
from lambent.kubeserver.draft import Draft

HERE = Path(__file__).parent
DEFINITIONS: dict[str, Any] = json.loads((HERE / "definitions.json").read_text())
RULED: dict[str, Any] = json.loads((HERE / "rules.json").read_text())
SPEC = "spec.validation.openAPIV3Schema.properties[spec]"
_RULE_SHOWN = re.compile(r'^Invalid value: \{"Rule".*?\}: ', re.DOTALL)


def judged(definition: Any) -> list[list[str]]:
    """What the server refuses of a new definition."""
    resource: Any = SimpleNamespace()
    call: Any = SimpleNamespace(warnings=[])
    draft = Draft(call, resource, copy.deepcopy(definition), utc_now())
    definitions.defaults(draft)
    found = definitions.problems(draft)
    return sorted([one.path, one.message] for one in (*draft.problems, *found))


def of_schema(schema: Any) -> Any:
    names = {"kind": "Odd", "listKind": "OddList", "plural": "odds", "singular": "odd"}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    spec = {"group": "same.example.dev", "scope": "Namespaced", "names": names, "versions": [version]}
    return {"metadata": {"name": "odds.same.example.dev"}, "spec": spec}


def test_definitions_are_refused_as_recorded():
    got = {say: judged(found["definition"]) for say, found in DEFINITIONS.items()}
    assert {say: found for say, found in got.items() if found != DEFINITIONS[say]["refused"]} == {}


@pytest.mark.parametrize("place", ["alone", "of many"])
def test_rules_are_refused_as_recorded(place):
    """Of many: in the items of a list without bound, with an expression for its message."""
    got = {rule: refusals(rule, place) for rule in RULED["rules"]}
    assert {rule: found for rule, found in got.items() if found != RULED["rules"][rule][place]} == {}


def refusals(rule: str, place: str) -> list[list[str]]:
    ruled: Any = {**RULED["schema"], "x-kubernetes-validations": [{"rule": rule}]}
    if place == "of many":
        ruled["x-kubernetes-validations"][0]["messageExpression"] = "'a' + self.u"
        ruled = {"type": "array", "items": ruled}
    found = judged(of_schema({"type": "object", "properties": {"spec": ruled}}))
    return [[path.replace(SPEC, ""), _RULE_SHOWN.sub("", message)] for path, message in found]
