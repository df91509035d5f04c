"""What authors are given besides plans: inferred CRDs, roles, schema checks, names, expressions as data."""

import pytest

from tests.cli.files import CRD, Commands, Shop

ROLE = """\
apiVersion: koreo.dev/v1beta1
kind: ResourceFunction
metadata: {name: %(name)s, namespace: shop}
spec:
  apiConfig: {apiVersion: example.org/v1, kind: %(kind)s, name: a, namespace: shop%(api)s}
  resource: {spec: {boards: 1}}
%(more)s
"""


def _function(shop: Shop, kind: str, *, api: str = "", more: str = "") -> None:
    text = ROLE % {"name": kind.lower(), "kind": kind, "api": api, "more": more}
    (shop.files / f"{kind.lower()}.k.yaml").write_text(text)


@pytest.mark.parametrize(
    ("kind", "api", "more", "resource", "verbs"),
    [
        ("Box", "", "", "boxes", {"create", "patch"}),
        ("Policy", ", readonly: true", "", "policies", set()),
        ("Key", ", deleteIfExists: true", "", "keys", {"delete"}),
        ("Wall", ", plural: wallz", "", "wallz", {"create", "patch"}),
        ("Door", "", "  create: {enabled: false}", "doors", {"patch"}),
        ("Roof", "", "  update: {recreate: {}}", "roofs", {"create", "patch", "delete"}),
        ("Tree", "", "  delete: {destroy: {}}", "trees", {"create", "patch", "delete"}),
    ],
)
def test_a_role_has_the_verbs_that_a_function_needs_and_no_more(
    run: Commands, shop: Shop, kind: str, api: str, more: str, resource: str, verbs: set[str]
) -> None:
    _function(shop, kind, api=api, more=more)
    rules = run(f"validate {shop.files} --rbac -o json").data["rules"]
    (rule,) = (rule for rule in rules if resource in rule["resources"])
    assert set(rule["verbs"]) == {"get", "list", "watch", *verbs}


def test_deleting_orphans_needs_the_verb_for_everything(run: Commands, shop: Shop) -> None:
    shop.edit("workflow.k.yaml", "spec:\n  crdRef", "spec:\n  orphans: delete\n  crdRef")
    rules = run(f"validate {shop.files} --rbac -o json").data["rules"]
    assert all("delete" in rule["verbs"] for rule in rules if rule["resources"] == ["shelves"])


def test_a_role_of_documents_with_errors_is_printed_and_the_errors_are_told(run: Commands, shop: Shop) -> None:
    shop.edit("functions.k.yaml", "=inputs.boards", "=input.boards")
    ran = run(f"validate {shop.files} --rbac")
    assert (ran.code, "kind: ClusterRole" in ran.out, "error[cel-undeclared]" in ran.err) == (1, True, True)


@pytest.mark.parametrize(
    ("crd", "said"),
    [
        ("", "no CustomResourceDefinition with a schema there"),
        (CRD.partition("      schema:")[0], "no CustomResourceDefinition with a schema there"),
    ],
    ids=["nothing", "no schema"],
)
def test_crds_without_a_schema_are_a_usage_error(run: Commands, shop: Shop, crd: str, said: str) -> None:
    (shop.folder / "crds.yaml").write_text(crd)
    ran = run(f"validate {shop.files} --crds {shop.folder}/crds.yaml")
    assert (ran.code, said in ran.err) == (2, True)
    assert run(f"validate {shop.files} --crds {shop.folder}/nowhere").code == 2


@pytest.mark.parametrize(
    "broken",
    ["versions: [1]", "versions: x", "versions: [{name: v1, schema: x}]", "names: x", "versions: [{name: v1, schema: "
     "{openAPIV3Schema: x}}]"],
)  # fmt: skip
def test_a_crd_that_is_none_keeps_nobody_from_planning(run: Commands, shop: Shop, broken: str) -> None:
    head = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: x}\n"
    (shop.files / "crd.yaml").write_text(f"{head}spec: {{{broken}}}\n")
    assert run(f"plan shops --parent {shop.parent} -f {shop.files}").code == 3
    assert run(f"validate {shop.files} --rbac").code == 0


def test_a_template_and_an_overlay_are_checked_against_crds(run: Commands, shop: Shop) -> None:
    (shop.folder / "crds.yaml").write_text(CRD)
    (shop.files / "template.k.yaml").write_text(
        "apiVersion: koreo.dev/v1beta1\nkind: ResourceTemplate\nmetadata: {name: plain, namespace: shop}\n"
        "spec: {template: {apiVersion: example.org/v1, kind: Shelf, spec: {color: red}}}\n"
    )
    ran = run(f"validate {shop.files} --crds {shop.folder}/crds.yaml")
    assert ran.code == 1
    assert "template.k.yaml:4:67: error[schema-unknown-field]: Shelf has no field spec.color\n" in ran.out
    assert 'help: did you mean "colour"?' in ran.out


def test_a_crd_is_inferred_from_lists_skipped_steps_and_switches(run: Commands, shop: Shop) -> None:
    shop.edit("workflow.k.yaml", "    - label: shelf\n", (
        "    - label: optional\n"
        "      ref: {kind: ValueFunction, name: naming}\n"
        "      skipIf: =parent.spec.off\n"
        "      inputs: {name: =parent.spec.maybe}\n"
        "    - label: each\n"
        "      refSwitch: {switchOn: =parent.spec.mode, cases: [{case: a, kind: ValueFunction, name: naming}]}\n"
        "      forEach: {itemIn: =parent.spec.items, inputKey: item}\n"
        "      inputs: {name: =parent.spec.deep.name}\n"
        "    - label: shelf\n"
    ))  # fmt: skip
    (crd,) = run(f"crds --infer shops -f {shop.files} -o json").data["items"]
    spec = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    assert spec["required"] == ["boards", "deep", "items", "mode", "name", "off"]
    assert spec["properties"]["items"]["type"] == "array"
    assert spec["properties"]["deep"]["required"] == ["name"]
    assert "maybe" in spec["properties"]


def test_a_workflow_without_a_trigger_has_no_crd(run: Commands, shop: Shop) -> None:
    shop.edit("workflow.k.yaml", "  crdRef: {apiGroup: example.org, version: v1, kind: Shop}\n", "")
    ran = run(f"crds --infer shops -f {shop.files}")
    assert (ran.code, "Workflow/shop/shops has no crdRef, so it has no trigger kind" in ran.err) == (2, True)


@pytest.mark.parametrize("verb", ["crds", "manifests"])
def test_what_lambent_ships_is_printed_as_a_list_or_as_documents(run: Commands, verb: str) -> None:
    listed = run(f"{verb} -o json").data["items"]
    assert run(verb).out.count("---\n") == len(listed) > 3


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("render ValueFunction/other/naming", "no such document"),
        ("render ValueFunction/zzz", "there are naming"),
        ("render Secret/zzz", "the files hold ResourceFunction, ValueFunction, Workflow"),
        ("graph other/shops", "no such document"),
    ],
)
def test_a_name_that_means_nothing_says_what_there_is(run: Commands, shop: Shop, command: str, said: str) -> None:
    ran = run(f"{command} -f {shop.files}")
    assert (ran.code, said in ran.err) == (2, True), ran.err


def test_a_name_that_means_several_lists_them(run: Commands, shop: Shop) -> None:
    (shop.files / "more.k.yaml").write_text(shop.read("workflow.k.yaml").replace("namespace: shop", "namespace: mall"))
    ran = run(f"graph shops -f {shop.files}")
    assert ran.code == 2
    assert "means several documents: Workflow/mall/shops, Workflow/shop/shops" in ran.err


def test_graph_shows_switches_loops_conditions_and_soft_edges(run: Commands, shop: Shop) -> None:
    shop.edit("workflow.k.yaml", "    - label: shelf\n", (
        "    - label: each\n"
        "      refSwitch: {switchOn: =parent.spec.mode, cases: [{case: a, kind: ValueFunction, name: naming}]}\n"
        "      forEach: {itemIn: =parent.spec.items, inputKey: item}\n"
        "      skipIf: =parent.spec.off\n"
        "      dependsOn: [{label: naming, whenNotOk: proceed}]\n"
        "    - label: shelf\n"
    ))  # fmt: skip
    text = run(f"graph shops -f {shop.files}").out
    for line in (
        "● each  a: ValueFunction/naming",
        "switch on parent.spec.mode",
        "for each item in parent.spec.items",
        "skip if parent.spec.off",
        "condition Shelf",
        "├─ waits for naming (proceed)",
        "dependsOn",
    ):
        assert line in text
    assert "-.->" in run(f"graph shops -f {shop.files} -o mermaid").out
    assert "style=dashed" in run(f"graph shops -f {shop.files} -o dot").out
    assert "stroke-dasharray" in run(f"graph shops -f {shop.files} -o svg").out


def test_fmt_reports_as_data(run: Commands, shop: Shop) -> None:
    (shop.files / "odd.k.yaml").write_text("a:   1\n")
    (shop.files / "anchored.k.yaml").write_text("a: &x 1\nb: *x\n")
    ran = run(f"fmt {shop.files}/odd.k.yaml {shop.files}/anchored.k.yaml --check -o json")
    assert ran.code == 3
    assert ran.data == {
        "version": 1,
        "files": 2,
        "changed": [f"{shop.files}/odd.k.yaml"],
        "refused": {f"{shop.files}/anchored.k.yaml": "anchors, aliases and tags are kept as they are"},
    }


@pytest.mark.parametrize(
    ("command", "code", "member"),
    [("cel eval 1+1", 0, "value"), ("cel eval 1/0", 1, "error"), ("cel functions split", 0, "functions")],
)
def test_expressions_answer_as_data(run: Commands, command: str, code: int, member: str) -> None:
    ran = run(f"{command} -o json")
    assert (ran.code, ran.data["version"], member in ran.data) == (code, 1, True)
