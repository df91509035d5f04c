"""The generated definitions say the same as the validator, as far as a schema can."""

import copy
from typing import Any

import pytest

from lambent.kube.schema import Schema, compile_schema
from lambent.kube.schema.rules import Rules, compile_rules
from lambent.workflow.crds import VERSION_ANNOTATION, crds
from lambent.workflow.spec import Document, kind_of, load_paths, validate
from tests.workflow.shared import KOREO, SEED, needs_koreo, needs_seed

# Found by the controller, and not by a schema: fields compared with each other, and keys that a server cuts off.
BEYOND_SCHEMA = {"unknown-field", "retired-field"}
Schemas = dict[str, tuple[Schema, Rules | None]]


@pytest.fixture(scope="module")
def schemas() -> Schemas:
    found = {}
    for crd in crds():
        (version,) = crd["spec"]["versions"]
        schema = version["schema"]["openAPIV3Schema"]
        rules = compile_rules(schema)
        assert rules is not None or crd["spec"]["names"]["kind"] in ("ResourceTemplate", "ValueFunction")
        found[crd["spec"]["names"]["kind"]] = (compile_schema(schema), rules)
    return found


def _problems(schemas: Schemas, document: Document) -> list[Any]:
    value = copy.deepcopy(document.value)
    schema, rules = schemas[document.identity.kind]
    return [*schema.admit(value).errors, *(rules.check(value, None) if rules is not None else ())]


def test_every_definition_says_whose_it_is() -> None:
    assert all(VERSION_ANNOTATION in crd["metadata"]["annotations"] for crd in crds())
    assert {crd["metadata"]["name"] for crd in crds()} == {
        "workflows.koreo.dev",
        "valuefunctions.koreo.dev",
        "resourcefunctions.koreo.dev",
        "resourcetemplates.koreo.dev",
        "functiontests.koreo.dev",
        "workflowtests.lambent.dev",
    }


@needs_seed
@needs_koreo
def test_the_schemas_admit_what_the_validator_admits(schemas: Schemas) -> None:
    documents, _ = load_paths([SEED, KOREO])
    ours = [document for document in documents if kind_of(document.value) is not None]
    assert len(ours) > 90
    for document in ours:
        errors = [d for d in validate(document) if d.is_error and d.code not in BEYOND_SCHEMA]
        assert bool(_problems(schemas, document)) == bool(errors), document.identity


def _document(kind: str, spec: Any) -> Document:
    return Document({"apiVersion": "koreo.dev/v1beta1", "kind": kind, "metadata": {"name": "x"}, "spec": spec})


@pytest.mark.parametrize(
    ("kind", "spec"),
    [
        ("Workflow", {"steps": []}),
        ("Workflow", {"steps": [{"label": "a-b", "ref": {"kind": "Workflow", "name": "w"}}]}),
        ("Workflow", {"steps": [{"label": "a"}]}),
        ("ValueFunction", {"locals": {"a": 1}}),
        ("ValueFunction", {"preconditions": [{"assert": "true", "ok": {}}]}),
        ("ValueFunction", {"preconditions": [{"assert": "=true", "ok": {}, "skip": {"message": "m"}}]}),
        ("ResourceFunction", {"apiConfig": {"apiVersion": "v1", "kind": "K", "name": "n", "namespace": "n"}}),
        ("FunctionTest", {"functionRef": {"kind": "ValueFunction", "name": "f"}, "testCases": [{"label": "x"}]}),
    ],
)
def test_both_refuse_the_same(schemas: Schemas, kind: str, spec: Any) -> None:
    document = _document(kind, spec)
    assert [d for d in validate(document) if d.is_error]
    assert _problems(schemas, document)
