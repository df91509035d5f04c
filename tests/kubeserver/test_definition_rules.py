"""A definition from its acceptance to what it serves, and what is out of scope and says so."""

import asyncio
from typing import Any

import pytest

from tests.kubeserver.asking import APPLY, CONFIGMAPS, CRDS, GIZMOS, MERGE, gizmo, gizmo_crd

TEXT = {"type": "string"}
NAME = "gizmos.test.example.org"


async def test_a_definition_says_what_became_of_it(ask):
    await ask.add_crd(gizmo_crd())
    _, crd = await ask("GET", f"{CRDS}/{NAME}")
    told = {one["type"]: (one["status"], one["reason"]) for one in crd["status"]["conditions"]}
    assert told == {"NamesAccepted": ("True", "NoConflicts"), "Established": ("True", "InitialNamesAccepted")}
    assert crd["status"]["storedVersions"] == ["v1"]
    assert crd["status"]["acceptedNames"]["plural"] == "gizmos"


async def test_a_definition_is_installing_before_it_is_established(ask):
    _, made = await ask("POST", CRDS, gizmo_crd())
    told = {one["type"]: (one["status"], one["reason"]) for one in made["status"].get("conditions") or ()}
    assert told.get("Established", ("False", "Installing")) == ("False", "Installing")
    assert made["status"]["storedVersions"] == ["v1"]


async def test_a_dying_definition_is_terminating_under_its_finalizer(ask):
    await ask.add_crd(gizmo_crd())
    await ask("POST", GIZMOS, gizmo("held", finalizers=["example.org/hold"]))
    await ask("DELETE", f"{CRDS}/{NAME}")
    await asyncio.sleep(1)
    _, dying = await ask("GET", f"{CRDS}/{NAME}")
    assert dying["metadata"]["finalizers"] == ["customresourcecleanup.apiextensions.k8s.io"]
    (told,) = (one for one in dying["status"]["conditions"] if one["type"] == "Terminating")
    assert (told["status"], told["reason"]) == ("True", "InstanceDeletionInProgress")


@pytest.mark.parametrize(
    "spec",
    [
        {"group": "other.example.org"},
        {"scope": "Cluster"},
        {"names": {"kind": "Other"}},
        {"names": {"plural": "others"}},
    ],
    ids=["group", "scope", "kind", "plural"],
)
async def test_group_scope_kind_and_plural_stay(ask, spec):
    await ask.add_crd(gizmo_crd())
    assert (await ask("PATCH", f"{CRDS}/{NAME}", {"spec": spec}, media=MERGE))[0] == 422


async def test_names_of_a_kind_are_discovered(ask):
    crd = gizmo_crd()
    crd["spec"]["names"] |= {"singular": "giz", "categories": ["all", "mine"]}
    await ask.add_crd(crd)
    _, found = await ask("GET", "/apis/test.example.org/v1")
    entry = found["resources"][0]
    assert (entry["singularName"], entry["shortNames"], entry["categories"]) == ("giz", ["gz"], ["all", "mine"])


async def test_scale_shows_its_three_paths(ask):
    paths = {
        "specReplicasPath": ".spec.n",
        "statusReplicasPath": ".status.n",
        "labelSelectorPath": ".status.selector",
    }
    await ask.add_crd(gizmo_crd(subresources={"scale": paths, "status": {}}))
    await ask("POST", GIZMOS, gizmo("a", {"n": 2}))
    await ask("PATCH", f"{GIZMOS}/a/status", {"status": {"n": 1, "selector": "a=b"}}, media=MERGE)
    _, scale = await ask("GET", f"{GIZMOS}/a/scale")
    assert (scale["spec"], scale["status"]) == ({"replicas": 2}, {"replicas": 1, "selector": "a=b"})


async def test_a_scale_path_is_names_and_dots_whatever_signs_the_names_have(ask):
    paths = {"specReplicasPath": ".spec.n[0", "statusReplicasPath": ".status.n]"}
    await ask.add_crd(gizmo_crd(subresources={"scale": paths}))
    await ask("POST", GIZMOS, gizmo("a", {"n[0": 2}))
    _, scale = await ask("PATCH", f"{GIZMOS}/a/scale", {"spec": {"replicas": 3}}, media=MERGE)
    assert scale["spec"] == {"replicas": 3}
    assert (await ask("GET", f"{GIZMOS}/a"))[1]["spec"] == {"n[0": 3}


@pytest.mark.parametrize(("count", "code"), [(8, 201), (9, 422)])
async def test_eight_fields_are_selectable_at_most(ask, count, code):
    schema = {"type": "object", "properties": {f"f{n}": TEXT for n in range(count)}}
    fields = [{"jsonPath": f".spec.f{n}"} for n in range(count)]
    assert (await ask("POST", CRDS, gizmo_crd(schema, selectableFields=fields)))[0] == code


@pytest.mark.parametrize(("kind", "value"), [("string", "x"), ("integer", 3), ("boolean", True)])
async def test_texts_numbers_and_flags_are_selectable(ask, kind, value):
    schema = {"type": "object", "properties": {"f": {"type": kind}}}
    await ask.add_crd(gizmo_crd(schema, selectableFields=[{"jsonPath": ".spec.f"}]))
    await ask("POST", GIZMOS, gizmo("with", {"f": value}))
    await ask("POST", GIZMOS, gizmo("without"))
    for text, name in ((str(value).lower(), "with"), ("", "without")):
        _, found = await ask("GET", f"{GIZMOS}?fieldSelector=spec.f={text}")
        assert [item["metadata"]["name"] for item in found["items"]] == [name]


def _ruled(**rule: Any) -> dict[str, Any]:
    size = {"type": "integer", "maximum": 100}
    spec = {
        "type": "object",
        "properties": {"size": size},
        "x-kubernetes-validations": [{"rule": "self.size < 5"} | rule],
    }
    return gizmo_crd(spec)


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({}, 'Invalid value: "object": failed rule: self.size < 5'),
        ({"message": "too big"}, 'Invalid value: "object": too big'),
        ({"message": "too big", "reason": "FieldValueForbidden"}, "Forbidden: too big"),
        ({"message": "too big", "reason": "FieldValueRequired"}, "Required value: too big"),
        ({"message": "too big", "reason": "FieldValueDuplicate"}, 'Duplicate value: "object"'),
        ({"message": "m", "messageExpression": "'size %d'.format([self.size])"}, 'Invalid value: "object": size 9'),
        ({"message": "m", "messageExpression": "' '"}, 'Invalid value: "object": m'),
        ({"message": "m", "messageExpression": r"'a\nb'"}, 'Invalid value: "object": m'),
        ({"message": "m", "messageExpression": "string(1 / (self.size - 9))"}, 'Invalid value: "object": m'),
    ],
)
async def test_a_failed_rule_says_so_as_declared(ask, rule, message):
    await ask.add_crd(_ruled(**rule))
    status, answer = await ask("POST", GIZMOS, gizmo("a", {"size": 9}))
    (cause,) = answer["details"]["causes"]
    assert (status, cause["field"], cause["message"]) == (422, "spec", message)


async def test_a_rule_that_cannot_be_evaluated_fails(ask):
    await ask.add_crd(_ruled())
    _, answer = await ask("POST", GIZMOS, gizmo("a", {}))
    assert "no such key: size evaluating rule: self.size < 5" in answer["message"]


async def test_no_rule_runs_on_an_object_of_the_wrong_shape(ask):
    await ask.add_crd(_ruled())
    _, answer = await ask("POST", GIZMOS, gizmo("a", {"size": "x"}))
    fields = {cause["field"]: cause["message"] for cause in answer["details"]["causes"]}
    assert fields.keys() == {"spec.size", "<nil>"}
    assert "some validation rules were not checked" in fields["<nil>"]


async def test_a_transition_rule_runs_on_updates_unless_the_old_may_be_absent(ask):
    await ask.add_crd(_ruled(rule="self.size >= oldSelf.size"))
    assert (await ask("POST", GIZMOS, gizmo("a", {"size": 3})))[0] == 201
    assert (await ask("PATCH", f"{GIZMOS}/a", {"spec": {"size": 2}}, media=MERGE))[0] == 422
    await ask("DELETE", f"{CRDS}/{NAME}")
    await ask.gone(f"{CRDS}/{NAME}")
    await ask.add_crd(_ruled(rule="oldSelf.hasValue() || self.size == 1", optionalOldSelf=True))
    assert (await ask("POST", GIZMOS, gizmo("a", {"size": 3})))[0] == 422
    assert (await ask("POST", GIZMOS, gizmo("a", {"size": 1})))[0] == 201


async def test_a_rule_without_end_is_cut_off(ask):
    items = {"type": "array", "items": {"type": "integer"}}
    rule = {"rule": "self.l.all(a, self.l.all(b, self.l.all(c, a + b + c >= 0)))", "message": "no"}
    spec = {"type": "object", "properties": {"l": items}, "x-kubernetes-validations": [rule]}
    status, answer = await ask("POST", CRDS, gizmo_crd(spec))
    assert (status, "cost" in answer["message"]) == (422, True)


PODS = "/api/v1/namespaces/default/pods"


@pytest.mark.parametrize("sub", ["exec", "attach", "portforward", "proxy"])
async def test_nobody_enters_a_pod(ask, sub):
    await ask("POST", PODS, {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}})
    for method in ("GET", "POST"):
        status, answer = await ask(method, f"{PODS}/p/{sub}")
        assert (400 <= status < 500, answer["kind"]) == (True, "Status")


async def test_an_answer_is_json_and_says_so_even_to_those_who_wish_for_protobuf(ask):
    status, answer = await ask("GET", CONFIGMAPS, accept="application/vnd.kubernetes.protobuf")
    assert (status, answer["kind"], ask.headers["content-type"]) == (200, "ConfigMapList", ["application/json"])


async def test_an_apply_may_be_a_dry_run(ask):
    await ask.add_crd(gizmo_crd())
    path = f"{GIZMOS}/a?fieldManager=m&dryRun=All"
    assert (await ask("PATCH", path, gizmo("a"), media=APPLY))[0] == 201
    assert (await ask("GET", f"{GIZMOS}/a"))[0] == 404
