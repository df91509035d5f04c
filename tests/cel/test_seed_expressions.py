"""What the seed's and Koreo's documents need of the language."""

import os
from pathlib import Path

import pytest
import yaml

from lambent import cel

NAMES = {"inputs", "parent", "steps", "locals", "resource", "value"}


def run(text, **bindings):
    return cel.compile(text, names=NAMES).evaluate(bindings)


@pytest.mark.parametrize(
    ("text", "bindings", "wanted"),
    [
        ('inputs.name + "-bucket"', {"inputs": {"name": "a"}}, "a-bucket"),
        (r'inputs.name.matches("^(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")', {"inputs": {"name": "my.b"}}, True),
        (r'inputs.name.matches("^(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")', {"inputs": {"name": "my..b"}}, False),
        ("has(resource.status.ackResourceMetadata.arn)", {"resource": {"metadata": {}}}, False),
        ("has(resource.status.ackResourceMetadata.arn)", {"resource": {"status": None}}, False),
        (
            "has(resource.status.ackResourceMetadata.arn)",
            {"resource": {"status": {"ackResourceMetadata": {"arn": "x"}}}},
            True,
        ),
        (
            'has(parent.status.state.bucket.bucketName) ? parent.status.state.bucket.bucketName : ""',
            {"parent": {"status": {"state": None}}},
            "",
        ),
        (
            'inputs.generateSuffix ? (inputs.bucketName + "-" + inputs.uid.split_last("-")) : inputs.bucketName',
            {"inputs": {"generateSuffix": True, "bucketName": "n", "uid": "a-b-c"}},
            "n-c",
        ),
        ('!has(inputs.role) || inputs.role == "writer" ? [1] : [2]', {"inputs": {}}, [1]),
        ('!has(inputs.role) || inputs.role == "writer" ? [1] : [2]', {"inputs": {"role": "reader"}}, [2]),
        (
            'to_json({"Version":"2012-10-17", "Statement": locals.s})',
            {"locals": {"s": [{"Effect": "Allow"}]}},
            '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow"}]}',
        ),
        ("string(resource.id)", {"resource": {"id": "1234"}}, "1234"),
        ("locals.list.map(word, word.lower())", {"locals": {"list": ["A", "b"]}}, ["a", "b"]),
        (
            "inputs.a.overlay(inputs.b)",
            {"inputs": {"a": {"x": {"y": 1}}, "b": {"x": {"z": 2}}}},
            {"x": {"y": 1, "z": 2}},
        ),
        ("inputs.values.int / 2", {"inputs": {"values": {"int": 9}}}, 4),
        ("inputs.selector.size() > 0", {"inputs": {"selector": {}}}, False),
        ("has(inputs.c[0].p[0].n)", {"inputs": {"c": [{"p": []}]}}, False),
        (
            'locals.c["delete-after-n-days"]["enabled"]',
            {"locals": {"c": {"delete-after-n-days": {"enabled": True}}}},
            True,
        ),
        (
            "resource.self_ref()",
            {"resource": {"apiVersion": "v1", "kind": "K", "metadata": {"name": "n", "namespace": "s"}}},
            {"apiVersion": "v1", "kind": "K", "name": "n", "namespace": "s"},
        ),
    ],
)
def test_an_expression_of_the_documents_gives_its_value(text, bindings, wanted):
    assert run(text, **bindings) == wanted


def test_a_missing_key_is_named_with_its_path_and_place_but_no_value():
    with pytest.raises(cel.CelError) as caught:
        run("'a' + resource.status.arn", resource={"status": {"secret": "hunter2"}})
    error = caught.value
    assert (error.code, error.line, error.col) == ("key", 1, 22)
    assert error.message == 'no such key "arn" in resource.status (map)'
    assert "hunter2" not in str(error)


def test_an_undeclared_name_is_found_when_compiling_and_the_nearest_is_named():
    with pytest.raises(cel.CelError, match="did you mean 'inputs'") as caught:
        cel.compile("1 + input.a", names=NAMES)
    assert (caught.value.code, caught.value.names, caught.value.col) == ("undeclared", ("input",), 5)


SHARED = Path(os.environ.get("LAMBENT_SHARED") or Path(__file__).parents[2].parent / "shared")
DOCUMENTS = sorted((SHARED / "conformance" / "koreo").glob("*.yaml"))


def strings_in(value):
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from strings_in(item)
    elif isinstance(value, str):
        yield value


@pytest.mark.skipif(not DOCUMENTS, reason="the Koreo documents are not here")
@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.stem)
def test_every_expression_of_the_documents_compiles(path):
    for document in yaml.load_all(path.read_text(), yaml.CSafeLoader):
        for text in strings_in(document):
            if text.startswith("="):
                assert cel.compile(text.lstrip("="), names=NAMES).references is not None
