"""YAML, JSON with line breaks, and the documents that tell of paths: what the recorded scenarios do not compare."""

from dataclasses import replace
from datetime import UTC, datetime

import orjson
import pytest
import yaml

from lambent.http.message import Request
from lambent.kubeserver.answers.go_yaml import yaml_text
from lambent.kubeserver.answers.tables import layout
from lambent.kubeserver.builtin.table import builtin_resources
from lambent.kubeserver.requests.durations import check_duration
from lambent.kubeserver.resources import Column
from lambent.kubeserver.status import ApiError
from tests.kubeserver.asking import CONFIGMAPS, CRDS, GIZMOS, configmap, gizmo, gizmo_crd

SAMPLE = {
    "a10": 1,
    "a2": [{"x": 1.5, "n": ["z", ""]}, [1], []],
    "on": "yes",
    "when": "2026-01-01T00:00:00Z",
    "one": "1",
    "hex": "0x1F",
    "id": "5198e048-8f5e",
    "lines": "a\nb\n",
    "big": 1e30,
    "none": None,
    "empty": {},
    "long": "only the following media types are accepted: application/json;stream=watch, and some others after that",
}
AS_YAML = """\
a2:
- "n":
  - z
  - ""
  x: 1.5
- - 1
- []
a10: 1
big: 1e+30
empty: {}
hex: "0x1F"
id: 5198e048-8f5e
lines: |
  a
  b
long: 'only the following media types are accepted: application/json;stream=watch,
  and some others after that'
none: null
"on": "yes"
one: "1"
when: "2026-01-01T00:00:00Z"
"""


def test_yaml_is_as_go_writes_it():
    assert yaml_text(SAMPLE).decode() == AS_YAML


@pytest.mark.parametrize(
    ("kind", "value", "cell"),
    [
        ("integer", 1e30, -(1 << 63)),
        ("integer", 2.9, 2),
        ("integer", True, None),
        ("number", (1 << 53) + 1, 1 << 53),
        ("number", 2.5, 2.5),
        ("string", {"<&>": "<é>"}, '{"\\u003c\\u0026\\u003e":"\\u003cé\\u003e"}'),
        ("date", "2999-01-01T00:00:00Z", "<invalid>"),
        ("date", "2026-01-01T00:00:01Z", "0s"),
    ],
)
def test_a_cell_is_as_go_converts_its_value(kind, value, cell):
    columns = (Column("C", kind, ".c"),)
    resource = replace(builtin_resources()[0], columns=columns)
    _, cells = layout(resource)
    assert cells({"metadata": {"name": "x"}, "c": value}, datetime(2026, 1, 1, tzinfo=UTC)) == ["x", cell]


async def test_an_object_in_yaml_is_the_same_object(ask):
    await ask("POST", CONFIGMAPS, configmap("y", {"a": "1", "b": "x: y"}))
    _, plain = await ask("GET", f"{CONFIGMAPS}/y")
    for path in (f"{CONFIGMAPS}/y", f"{CONFIGMAPS}/y?pretty=true"):
        status, text = await ask("GET", path, accept="application/yaml")
        assert (status, yaml.safe_load(text)) == (200, plain)


@pytest.mark.parametrize(
    ("query", "agent", "is_wide"), [("?pretty=1", "x", True), ("", "curl/8", True), ("?pretty=0", "curl/8", False)]
)
async def test_who_reads_by_hand_gets_line_breaks(server, query, agent, is_wide):
    headers = [(b"authorization", f"Bearer {server.token}".encode()), (b"user-agent", agent.encode())]
    answer = await server.service(Request("GET", f"/api/v1{query}".encode(), headers))
    assert (b'\n  "kind"' in answer.body) is is_wide


async def test_a_document_tells_all_paths_of_a_kind_and_their_operations(ask):
    await ask.add_crd(
        gizmo_crd(
            subresources={"status": {}, "scale": {"specReplicasPath": ".spec.a", "statusReplicasPath": ".status.a"}}
        )
    )
    _, found = await ask("GET", "/openapi/v3/apis/test.example.org/v1")
    item = "/apis/test.example.org/v1/namespaces/{namespace}/gizmos/{name}"
    methods = {path: sorted(found["paths"][path].keys() - {"parameters"}) for path in found["paths"]}
    assert methods == {
        "/apis/test.example.org/v1/gizmos": ["get"],
        item.removesuffix("/{name}"): ["delete", "get", "post"],
        item: ["delete", "get", "patch", "put"],
        f"{item}/status": ["get", "patch", "put"],
        f"{item}/scale": ["get", "patch", "put"],
    }
    patch = found["paths"][item]["patch"]
    assert patch["operationId"] == "patchTestExampleOrgV1NamespacedGizmo"
    assert [one["name"] for one in patch["parameters"]] == ["dryRun", "fieldManager", "fieldValidation", "force"]
    referred = {part.split('"')[0] for part in orjson.dumps(found).decode().split("#/components/schemas/")[1:]}
    assert referred <= found["components"]["schemas"].keys()


async def test_no_collection_of_all_namespaces_is_deleted(ask):
    await ask.add_crd(gizmo_crd())
    await ask("POST", CONFIGMAPS, configmap("kept"))
    await ask("POST", GIZMOS, gizmo("kept"))
    everywhere = {
        "/api/v1/namespaces": 405,
        "/apis/test.example.org/v1/gizmos": 404,
        **{
            f"{_root(one)}/{one.plural}": 405
            for one in builtin_resources()
            if one.namespaced and not one.traits.is_virtual
        },
    }
    assert {path: (await ask("DELETE", path))[0] for path in everywhere} == everywhere
    assert (await ask("GET", f"{CONFIGMAPS}/kept"))[0] == (await ask("GET", f"{GIZMOS}/kept"))[0] == 200
    assert (await ask("GET", CRDS))[0] == 200


def _root(resource):
    return f"/apis/{resource.group}/{resource.gvk.version}" if resource.group else "/api/v1"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        *((text, None) for text in ("0", "1s", "-1.5h", "1h2m3.5s", ".5ms", "+0")),
        ("x", 'invalid duration "x"'),
        ("5", 'missing unit in duration "5"'),
        ("5y", 'unknown unit "y" in duration "5y"'),
        ("-", 'invalid duration "-"'),
    ],
)
def test_a_timeout_is_a_duration_of_go(text, why):
    if why is None:
        check_duration(text)
        return
    with pytest.raises(ApiError) as caught:
        check_duration(text)
    assert caught.value.message == f"invalid timeout specified in the request URL - time: {why}"
