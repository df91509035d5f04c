"""`lambent plan`: what would be written, what it assumes, and how it ends."""

import json

import pytest

from tests.cli.files import CRD, SHELF, Commands, Shop

READY = """\
apiVersion: lambent.dev/v1alpha1
kind: WorkflowTest
metadata: {name: ready, namespace: shop}
spec:
  workflowRef: {name: shops}
  parent: {apiVersion: example.org/v1, kind: Shop, metadata: {name: corner}, spec: {name: a, boards: 3}}
  converge:
    within: 60s
    ready: [{kind: Shelf, overlay: {status: {ready: true}}}]
"""


def test_plan_without_resources_creates_the_first_and_exits_with_3(run: Commands, shop: Shop) -> None:
    ran = run(f"plan shops --parent {shop.parent} -f {shop.files} -o json")
    (change,) = ran.data["passes"][0]["changes"]
    assert ran.code == 3
    assert (change["action"], change["kind"], change["name"]) == ("create", "Shelf", "shop-a")
    assert change["object"]["spec"] == {"boards": 3, "colour": "red"}


def test_plan_shows_what_a_patch_changes(run: Commands, shop: Shop) -> None:
    (shop.live / "shelf.yaml").write_text(SHELF)
    ran = run(f"plan shop/shops --parent {shop.parent} --resources {shop.live} -f {shop.files}")
    assert ran.code == 3
    assert "~ patch Shelf/shop/shop-a" in ran.out
    assert "spec.boards: 2 -> 3" in ran.out
    assert "0 to create, 1 to change, 0 to delete" in ran.out


def test_plan_of_a_settled_object_exits_with_0(run: Commands, shop: Shop) -> None:
    owner = "ownerReferences: [{apiVersion: example.org/v1, kind: Shop, name: corner, "
    owner += "uid: 11111111-2222-3333-4444-555555555555, controller: false, blockOwnerDeletion: false}]"
    live = SHELF.replace("boards: 2", "boards: 3").replace("namespace: shop}", f"namespace: shop, {owner}}}")
    (shop.live / "shelf.yaml").write_text(live)
    ran = run(f"plan shops --parent {shop.parent} --resources {shop.live} -f {shop.files}")
    assert ran.code == 0, ran.out
    assert "nothing to write" in ran.out


def test_plan_to_convergence_ends_where_steps_wait(run: Commands, shop: Shop) -> None:
    (shop.live / "shelf.yaml").write_text(SHELF)
    ran = run(f"plan shops --parent {shop.parent} --resources {shop.live} -f {shop.files} --converge -o json")
    assert ran.code == 3
    assert [len(one["changes"]) for one in ran.data["passes"]] == [1, 0]
    assert ran.data["state"] == {"colour": "red"}


def test_plan_names_orphans_and_what_becomes_of_them(run: Commands, shop: Shop) -> None:
    ref = {"apiVersion": "example.org/v1", "kind": "Shelf", "plural": "", "name": "old", "readonly": False}
    record = json.dumps({"workflow": "shops", "resources": {"gone": {**ref, "namespace": "shop"}}})
    parent = shop.parent.read_text().replace(
        "metadata: {", f"metadata: {{annotations: {{koreo.dev/managed-resources: {json.dumps(record)}}}, "
    )
    shop.parent.write_text(parent)
    ran = run(f"plan shops --parent {shop.parent} -f {shop.files}")
    assert "orphans, which are kept (orphans: keep):\n  - Shelf/shop/old" in ran.out
    shop.edit("workflow.k.yaml", "spec:\n  crdRef", "spec:\n  orphans: delete\n  crdRef")
    assert "1 to create, 0 to change, 1 to delete" in run(f"plan shops --parent {shop.parent} -f {shop.files}").out


@pytest.mark.parametrize(("uid", "has_orphan"), [(", uid: mine", True), ("", True), (", uid: copy", False)])
def test_plan_takes_the_record_of_another_object_for_none(
    run: Commands, shop: Shop, uid: str, has_orphan: bool
) -> None:
    ref = {"apiVersion": "example.org/v1", "kind": "Shelf", "plural": "", "name": "old", "namespace": "shop"}
    record = json.dumps(json.dumps({"workflow": "shops", "uid": "mine", "resources": {"gone": ref}}))
    metadata = f"metadata: {{name: x, namespace: shop{uid}, annotations: {{koreo.dev/managed-resources: {record}}}}}"
    shop.parent.write_text(f"apiVersion: example.org/v1\nkind: Shop\n{metadata}\nspec: {{name: a, boards: 1}}\n")
    ran = run(f"plan shops --parent {shop.parent} -f {shop.files}")
    assert ("Shelf/shop/old" in ran.out) is has_orphan


def test_plan_never_shows_the_data_of_a_secret(run: Commands, shop: Shop) -> None:
    shop.edit("functions.k.yaml", "apiVersion: example.org/v1\n    kind: Shelf", "apiVersion: v1\n    kind: Secret")
    shop.edit("functions.k.yaml", "spec: {boards: =inputs.boards}", "stringData: {password: hunter2}")
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: shop-a, namespace: shop}\nstringData: {password: other1}\n"
    for form in ("text", "json"):
        created = run(f"plan shops --parent {shop.parent} -f {shop.files} -o {form}")
        (shop.live / "secret.yaml").write_text(secret)
        patched = run(f"plan shops --parent {shop.parent} --resources {shop.live} -f {shop.files} -o {form}")
        assert (created.code, patched.code) == (3, 3)
        for ran in (created, patched):
            assert "password" in ran.out
            assert "hunter2" not in ran.out
            assert "other1" not in ran.out


def test_plan_fills_defaults_from_a_crd_among_the_files(run: Commands, shop: Shop) -> None:
    crd = CRD.replace("Shelf", "Shop").replace("shelves", "shops").replace("shelf", "shop")
    (shop.files / "crd.yaml").write_text(crd.replace("boards: {type: integer", "boards: {type: integer, default: 7"))
    shop.parent.write_text(shop.parent.read_text().replace(", boards: 3", ""))
    ran = run(f"plan shops --parent {shop.parent} -f {shop.files} -o json")
    assert ran.data["passes"][0]["changes"][0]["object"]["spec"]["boards"] == 7


def test_plan_says_what_it_assumes_of_a_parent_that_no_server_has_stored(run: Commands, shop: Shop) -> None:
    shop.parent.write_text("apiVersion: example.org/v1\nkind: Shop\nmetadata: {name: x}\nspec: {name: a, boards: 1}\n")
    ran = run(f"plan shops --parent {shop.parent} -f {shop.files}")
    assert "note: the parent has no metadata.uid; 00000000-" in ran.out
    assert "note: the parent has no metadata.namespace; default is assumed" in ran.out


def test_a_step_that_fails_makes_plan_fail(run: Commands, shop: Shop) -> None:
    shop.parent.write_text(shop.parent.read_text().replace("{name: a, ", "{"))
    ran = run(f"plan shops --parent {shop.parent} -f {shop.files}")
    assert ran.code == 1
    assert '✗ naming  PermFail  no such key "name" in parent.spec (map)' in ran.out
    assert "· shelf   DepSkip  waits for naming" in ran.out


def test_plan_to_convergence_makes_objects_ready_as_a_workflow_test_says(run: Commands, shop: Shop) -> None:
    (shop.files / "ready.k.yaml").write_text(READY)
    ran = run(f"plan shops --parent {shop.parent} -f {shop.files} --converge -o json")
    assert ran.code == 3
    assert [one["became_ready"] for one in ran.data["passes"]] == [["Shelf/shop/shop-a"], []]
    assert [one["outcome"]["type"] for one in ran.data["passes"]] == ["Retry", "Ok"]
    assert ran.data["notes"] == ["Shelf become ready as WorkflowTest/shop/ready says"]
    text = run(f"plan shops --parent {shop.parent} -f {shop.files} --converge").out
    assert "  then ready: Shelf/shop/shop-a\n\npass 2\n" in text


def test_without_such_a_test_convergence_says_what_is_missing(run: Commands, shop: Shop) -> None:
    ran = run(f"plan shops --parent {shop.parent} -f {shop.files} --converge -o json")
    assert ran.data["notes"] == ["no WorkflowTest among the files says what makes objects ready (converge.ready)"]
    assert ran.data["passes"][-1]["outcome"]["message"] == "the shelf is not ready"


def test_an_object_that_cannot_be_made_ready_ends_the_plan(run: Commands, shop: Shop) -> None:
    (shop.files / "ready.k.yaml").write_text(READY.replace("ready: true", "ready: =resource.nothing"))
    ran = run(f"plan shops --parent {shop.parent} -f {shop.files} --converge")
    assert ran.code == 1
    assert 'WorkflowTest/shop/ready says: no such key "nothing" in resource (map)' in ran.err


def test_a_plan_of_a_workflow_that_names_what_is_not_there_is_refused(run: Commands, shop: Shop) -> None:
    shop.edit("workflow.k.yaml", "name: shelf}", "name: shelv}")
    ran = run(f"plan shops --parent {shop.parent} -f {shop.files}")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("lambent plan: Workflow/shop/shops is not valid\n")
    assert "error[missing-reference]: ResourceFunction shelv not found" in ran.err
