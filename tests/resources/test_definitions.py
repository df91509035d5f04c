"""The generated definitions hold everything that ACK's hold, and refuse nothing that ACK's admit."""

import json
from pathlib import Path
from typing import Any

import pytest

from lambent.resources import crds
from lambent.resources.kinds import TIER_1

FIELDS = Path(__file__).parents[3] / "shared" / "conformance" / "ack" / "fields.json"
needs_facts = pytest.mark.skipif(not FIELDS.exists(), reason="the recorded facts of ACK's definitions are not here")
DEFINITIONS: dict[str, Any] = {f"{crd['spec']['names']['kind']}.{crd['spec']['group']}": crd for crd in crds()}


def version_of(definition):
    return definition["spec"]["versions"][0]


def flat(schema, path, found):
    """Every place of a schema as fields.json names it."""
    for name, member in schema.get("properties", {}).items():
        place = f"{path}.{name}" if path else name
        found[place] = member | {"required": name in schema.get("required", ())}
        inner = member
        while inner["type"] == "array" or "additionalProperties" in inner:
            place += "[]" if inner["type"] == "array" else "{}"
            inner = inner["items"] if inner["type"] == "array" else inner["additionalProperties"]
        flat(inner, place, found)
    return found


@needs_facts
@pytest.mark.parametrize("name", DEFINITIONS)
def test_every_field_of_ack_is_there_with_its_type_and_rules(name):
    ours = flat(version_of(DEFINITIONS[name])["schema"]["openAPIV3Schema"], "", {})
    for path, fact in json.loads(FIELDS.read_text())[name]["fields"].items():
        member = ours[path]
        assert member["type"] == fact["type"], path
        assert member.get("format") == fact.get("format"), path
        assert member["required"] == fact.get("required", False), path
        assert member.get("x-kubernetes-validations") == fact.get("rules"), path
        assert member.get("items", {}).get("type") == fact.get("items"), path
        assert member.get("additionalProperties", {}).get("type") == fact.get("values"), path


@needs_facts
@pytest.mark.parametrize("name", DEFINITIONS)
def test_names_scope_and_version_are_those_of_ack(name):
    fact = json.loads(FIELDS.read_text())[name]
    spec = DEFINITIONS[name]["spec"]
    assert {key: spec["names"][key] for key in fact["names"]} == fact["names"]
    assert (spec["scope"], version_of(DEFINITIONS[name])["name"]) == (fact["scope"], fact["version"])
    assert list(version_of(DEFINITIONS[name])["subresources"]) == fact["subresources"]


@needs_facts
@pytest.mark.parametrize("name", DEFINITIONS)
def test_the_spec_has_no_field_that_ack_lacks(name):
    """A manifest written for ours must not be refused by ACK's controllers later."""
    known = json.loads(FIELDS.read_text())[name]["fields"]
    ours = flat(version_of(DEFINITIONS[name])["schema"]["openAPIV3Schema"], "", {})
    assert [path for path in ours if path.startswith("spec") and path not in known] == []


@pytest.mark.parametrize("name", DEFINITIONS)
def test_spec_is_not_required_because_adoption_creates_objects_without_one(name):
    assert "required" not in version_of(DEFINITIONS[name])["schema"]["openAPIV3Schema"]


@pytest.mark.parametrize("kind", TIER_1, ids=lambda kind: kind.kind)
def test_every_declared_field_and_reference_is_in_the_schema(kind):
    for path in [field.path for field in kind.fields if field.source] + [ref.ref for ref in kind.refs]:
        assert kind.spec.at(path) is not None
