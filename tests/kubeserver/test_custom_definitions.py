"""CustomResourceDefinitions: what is refused, versions, defaults of older objects, rules, selectable fields."""

import pytest

from tests.kubeserver.asking import CRDS, GIZMOS, MERGE, gizmo, gizmo_crd

TEXT = {"type": "string"}


def _with_spec(schema):
    return gizmo_crd({"type": "object", **schema})


@pytest.mark.parametrize(
    ("schema", "field"),
    [
        ({"properties": {"a": {}}}, "spec.validation.openAPIV3Schema.properties[spec].properties[a].type"),
        (
            {"properties": {"a": {"type": "array", "items": TEXT, "uniqueItems": True}}},
            "spec.validation.openAPIV3Schema.properties[spec].properties[a].uniqueItems",
        ),
        (
            {"properties": {"a": {"type": "string", "pattern": "("}}},
            "spec.validation.openAPIV3Schema.properties[spec].properties[a].pattern",
        ),
        (
            {"properties": {"a": TEXT}, "x-kubernetes-validations": [{"rule": "self.a =="}]},
            "spec.validation.openAPIV3Schema.properties[spec].x-kubernetes-validations[0].rule",
        ),
    ],
    ids=["untyped", "unique items", "bad pattern", "bad rule"],
)
async def test_a_schema_that_cannot_work_is_refused_with_its_place(ask, schema, field):
    status, answer = await ask("POST", CRDS, _with_spec(schema))
    assert status == 422
    assert field in [cause["field"] for cause in answer["details"]["causes"]]


@pytest.mark.parametrize(("path", "value"), [("group", "other.example.org"), ("scope", "Cluster")])
async def test_what_a_definition_is_never_changes(ask, path, value):
    await ask.add_crd(gizmo_crd())
    patch = {"spec": {path: value}}
    assert (await ask("PATCH", f"{CRDS}/gizmos.test.example.org", patch, media=MERGE))[0] == 422


async def test_conversion_by_webhook_is_refused(ask):
    crd = gizmo_crd()
    crd["spec"]["conversion"] = {"strategy": "Webhook"}
    assert (await ask("POST", CRDS, crd))[0] == 422


async def test_a_second_version_shows_the_object_by_its_own_schema(ask):
    crd = gizmo_crd({"type": "object", "properties": {"old": TEXT, "new": TEXT}})
    second = {"type": "object", "properties": {"spec": {"type": "object", "properties": {"new": TEXT}}}}
    crd["spec"]["versions"].append(
        {"name": "v2", "served": True, "storage": False, "schema": {"openAPIV3Schema": second}}
    )
    await ask.add_crd(crd)
    await ask("POST", GIZMOS, gizmo("a", {"old": "1", "new": "2"}))
    other = GIZMOS.replace("v1", "v2")
    _, seen = await ask("GET", f"{other}/a")
    assert (seen["apiVersion"], seen["spec"]) == ("test.example.org/v2", {"new": "2"})
    body = {**gizmo("b", {"new": "3"}), "apiVersion": "test.example.org/v2"}
    status, made = await ask("POST", other, body)
    assert (status, made["apiVersion"]) == (201, "test.example.org/v2")
    assert (await ask("GET", f"{GIZMOS}/b"))[1]["apiVersion"] == "test.example.org/v1"
    events = await ask.events(f"{other}?watch=1&timeoutSeconds=1")
    assert {event["object"]["apiVersion"] for event in events} == {"test.example.org/v2"}


async def test_a_new_default_shows_on_older_objects(ask):
    await ask.add_crd(_with_spec({"properties": {"size": {"type": "integer"}}}))
    _, made = await ask("POST", GIZMOS, gizmo("a", {"size": 1}))
    _, crd = await ask("GET", f"{CRDS}/gizmos.test.example.org")
    properties = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
    properties["colour"] = {"type": "string", "default": "red"}
    assert (await ask("PUT", f"{CRDS}/gizmos.test.example.org", crd))[0] == 200
    _, seen = await ask("GET", f"{GIZMOS}/a")
    assert seen["spec"] == {"size": 1, "colour": "red"}
    assert seen["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]


async def test_a_rule_sees_old_and_new_and_says_what_is_wrong(ask):
    rules = [
        {"rule": "self.size >= oldSelf.size", "message": "size may only grow"},
        {"rule": "self.size < 10", "messageExpression": "'size is %d'.format([self.size])", "fieldPath": ".size"},
    ]
    await ask.add_crd(_with_spec({"properties": {"size": {"type": "integer"}}, "x-kubernetes-validations": rules}))
    assert (await ask("POST", GIZMOS, gizmo("a", {"size": 5})))[0] == 201
    status, answer = await ask("PATCH", f"{GIZMOS}/a", {"spec": {"size": 4}}, media=MERGE)
    assert status == 422
    assert (
        answer["message"] == 'Gizmo.test.example.org "a" is invalid: spec: Invalid value: "object": size may only grow'
    )
    _, answer = await ask("PATCH", f"{GIZMOS}/a", {"spec": {"size": 12}}, media=MERGE)
    cause = answer["details"]["causes"][0]
    assert (cause["field"], cause["message"]) == ("spec.size", 'Invalid value: "object": size is 12')


async def test_a_rule_on_a_keyed_list_correlates_items_by_key(ask):
    item = {
        "type": "object",
        "required": ["name"],
        "properties": {"name": TEXT, "value": {"type": "integer"}},
        "x-kubernetes-validations": [{"rule": "self.value >= oldSelf.value", "message": "shrank"}],
    }
    keyed = {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"], "items": item}
    await ask.add_crd(_with_spec({"properties": {"list": keyed}}))
    await ask("POST", GIZMOS, gizmo("a", {"list": [{"name": "x", "value": 5}, {"name": "y", "value": 1}]}))
    swapped = {"spec": {"list": [{"name": "y", "value": 1}, {"name": "x", "value": 5}]}}
    assert (await ask("PATCH", f"{GIZMOS}/a", swapped, media=MERGE))[0] == 200
    shrunk = {"spec": {"list": [{"name": "y", "value": 1}, {"name": "x", "value": 4}]}}
    status, answer = await ask("PATCH", f"{GIZMOS}/a", shrunk, media=MERGE)
    assert status == 422
    assert answer["details"]["causes"][0]["field"] == "spec.list[1]"


async def test_selectable_fields_select_and_others_do_not(ask):
    schema = {"type": "object", "properties": {"colour": TEXT}}
    await ask.add_crd(gizmo_crd(schema, selectableFields=[{"jsonPath": ".spec.colour"}]))
    await ask("POST", GIZMOS, gizmo("red", {"colour": "red"}))
    await ask("POST", GIZMOS, gizmo("none"))
    for value, names in (("red", ["red"]), ("", ["none"])):
        _, found = await ask("GET", f"{GIZMOS}?fieldSelector=spec.colour={value}")
        assert [item["metadata"]["name"] for item in found["items"]] == names
    status, answer = await ask("GET", f"{GIZMOS}?fieldSelector=spec.size=1")
    assert (status, answer["message"]) == (400, "field label not supported: spec.size")


async def test_scale_reads_and_writes_the_declared_paths(ask):
    paths = {"specReplicasPath": ".spec.count", "statusReplicasPath": ".status.count"}
    await ask.add_crd(gizmo_crd(subresources={"scale": paths, "status": {}}))
    await ask("POST", GIZMOS, gizmo("a", {"count": 2}))
    _, shown = await ask("GET", f"{GIZMOS}/a/scale")
    assert (shown["kind"], shown["spec"], shown["status"]) == ("Scale", {"replicas": 2}, {"replicas": 0})
    await ask("PATCH", f"{GIZMOS}/a/scale", {"spec": {"replicas": 7}}, media=MERGE)
    assert (await ask("GET", f"{GIZMOS}/a"))[1]["spec"] == {"count": 7}
    await ask("POST", GIZMOS, gizmo("b"))
    assert (await ask("GET", f"{GIZMOS}/b/scale"))[0] == 500
