"""validate, render, graph and crds --infer: offline, exact about what is wrong and what would happen."""

import subprocess
import sys
from xml.etree import ElementTree

import pytest

from tests.cli.files import CRD, SHELF, Commands, Shop


def test_a_valid_set_has_no_errors_and_exits_with_0(run: Commands, shop: Shop) -> None:
    ran = run(f"validate {shop.files} --strict")
    assert (ran.code, ran.out) == (0, "5 documents: 0 errors, 0 warnings\n")


def test_an_error_is_shown_with_its_line_a_caret_and_help(run: Commands, shop: Shop) -> None:
    shop.edit("functions.k.yaml", "=inputs.boards", "=input.boards")
    ran = run(f"validate {shop.files}")
    assert ran.code == 1
    assert 'functions.k.yaml:18:21: error[cel-undeclared]: unknown name "input"' in ran.out
    assert " 18 |     spec: {boards: =input.boards}\n    |                     ^^^^^\n" in ran.out
    assert 'help: did you mean "inputs"?' in ran.out


def test_a_reference_that_leads_nowhere_names_what_was_meant(run: Commands, shop: Shop) -> None:
    shop.edit("workflow.k.yaml", "name: shelf}", "name: shelv}")
    ran = run(f"validate {shop.files} -o json")
    codes = {found["code"]: found for found in ran.data["diagnostics"]}
    assert ran.code == 1
    assert codes["missing-reference"]["hint"] == 'did you mean "shelf"?'
    assert codes["unused"]["severity"] == "warning"


def test_a_test_of_a_function_that_is_not_there_is_an_error(run: Commands, shop: Shop) -> None:
    shop.edit("tests.k.yaml", "kind: ValueFunction, name: naming", "kind: ValueFunction, name: nameing")
    ran = run(f"validate {shop.files}")
    assert ran.code == 1
    assert "tests.k.yaml:5:44: error[missing-reference]: ValueFunction nameing not found" in ran.out


def test_warnings_fail_only_with_strict(run: Commands, shop: Shop) -> None:
    shop.edit("workflow.k.yaml", "inputs: {name: =parent.spec.name}", "inputs: {name: =parent.spec.name, nmae: 1}")
    assert run(f"validate {shop.files}").code == 0
    strict = run(f"validate {shop.files} --strict")
    assert strict.code == 1
    assert "warning[unexpected-input]" in strict.out


def test_an_object_that_stands_twice_is_a_warning(run: Commands, shop: Shop) -> None:
    (shop.files / "zz.k.yaml").write_text(shop.read("workflow.k.yaml"))
    ran = run(f"validate {shop.files}")
    assert "zz.k.yaml:3:18: warning[duplicate-object]: Workflow/shop/shops stands in" in ran.out


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("colour: red}}", "color: red}}", "error[schema-unknown-field]: Shelf has no field spec.color\n"),
        ("spec: {boards: =inputs.boards}", "spec: {boards: many}", "error[schema-invalid]: Shelf: spec.boards"),
    ],
    ids=["unknown field", "wrong type"],
)
def test_resources_are_checked_against_crds(run: Commands, shop: Shop, old: str, new: str, expected: str) -> None:
    (shop.folder / "crds.yaml").write_text(CRD)
    assert run(f"validate {shop.files} --crds {shop.folder / 'crds.yaml'}").code == 0
    shop.edit("functions.k.yaml", old, new)
    ran = run(f"validate {shop.files} --crds {shop.folder / 'crds.yaml'}")
    assert ran.code == 1
    assert expected in ran.out


def test_what_a_test_expects_to_be_written_is_checked_against_crds(run: Commands, shop: Shop) -> None:
    (shop.folder / "crds.yaml").write_text(CRD)
    shop.edit("tests.k.yaml", "spec: {boards: 3, colour: red}", "spec: {boards: 30, colour: red}")
    ran = run(f"validate {shop.files} --crds {shop.folder / 'crds.yaml'}")
    assert ran.code == 1
    assert "tests.k.yaml:24:24: error[schema-invalid]: Shelf: spec.boards: Invalid value: 30" in ran.out


def test_the_least_role_for_some_workflows_is_printed(run: Commands, shop: Shop) -> None:
    (shop.files / "crds.yaml").write_text(CRD)
    role = run(f"validate {shop.files} --rbac -o json").data
    rules = {tuple(rule["resources"]): rule["verbs"] for rule in role["rules"]}
    assert role["metadata"]["labels"] == {"lambent.dev/aggregate-to-controller": "true"}
    assert rules == {
        ("shelves",): ["get", "list", "watch", "create", "patch"],
        ("shops",): ["get", "list", "watch", "patch"],
        ("shops/status",): ["patch"],
    }


@pytest.mark.parametrize("command", ["validate nowhere", "test nowhere", "fmt nowhere", "render A/b -f nowhere"])
def test_a_path_that_is_not_there_is_a_usage_error(run: Commands, command: str) -> None:
    ran = run(command)
    assert ran.code == 2
    assert "nowhere: no such file or folder" in ran.err


def test_render_shows_each_stage_of_a_target(run: Commands, shop: Shop) -> None:
    (shop.folder / "inputs.yaml").write_text("{name: shop-a, boards: 3}")
    ran = run(f"render ResourceFunction/shelf -f {shop.files} --inputs {shop.folder / 'inputs.yaml'} --stages -o json")
    assert ran.code == 0
    assert [stage["name"] for stage in ran.data["stages"]] == ["resource", "overlays[0]"]
    assert [stage["target"]["spec"] for stage in ran.data["stages"]] == [{"boards": 3}, {"boards": 3, "colour": "red"}]
    assert ran.data["outcome"]["type"] == "Retry"
    assert ran.data["action"] == "create"


def test_render_with_a_live_object_shows_the_return(run: Commands, shop: Shop) -> None:
    (shop.folder / "inputs.yaml").write_text("{name: shop-a, boards: 2}")
    (shop.folder / "shelf.yaml").write_text(SHELF)
    files = f"--inputs {shop.folder / 'inputs.yaml'} --resource {shop.folder / 'shelf.yaml'}"
    ran = run(f"render ResourceFunction/shop/shelf -f {shop.files} {files}")
    assert ran.code == 0
    assert ran.out.endswith("--- return\ncolour: red\n")


def test_render_without_a_needed_input_fails_at_the_expression(run: Commands, shop: Shop) -> None:
    ran = run(f"render ValueFunction/naming -f {shop.files}")
    assert ran.code == 1
    assert 'PermFail  no such key "name" in inputs (map)' in ran.out
    assert "functions.k.yaml:6:" in ran.out


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ResourceFunction/shelv", 'did you mean "shelf"?'),
        ("ResourceFuncton/shelf", 'did you mean "ResourceFunction"?'),
        ("shelf", "write KIND/NAME"),
        ("Workflow/shops", "`lambent plan` runs workflows"),
    ],
)
def test_a_wrong_name_says_what_was_meant(run: Commands, shop: Shop, name: str, expected: str) -> None:
    ran = run(f"render {name} -f {shop.files}")
    assert ran.code == 2
    assert expected in ran.err


def test_graph_shows_why_a_step_waits(run: Commands, shop: Shop) -> None:
    ran = run(f"graph shops -f {shop.files}")
    assert ran.code == 0
    assert "├─ waits for naming\n│      inputs.name: steps.naming.name" in ran.out


@pytest.mark.parametrize(
    ("form", "expected"), [("mermaid", "  s0 --> s1"), ("dot", '"naming" -> "shelf"'), ("yaml", "from: naming")]
)
def test_graph_has_other_forms(run: Commands, shop: Shop, form: str, expected: str) -> None:
    assert expected in run(f"graph shops -f {shop.files} -o {form}").out


def test_graph_as_svg_is_well_formed_and_marks_the_steps_of_a_live_object(run: Commands, shop: Shop) -> None:
    status = "status: {koreo: {steps: [{label: naming, outcome: Ok}, {label: shelf, outcome: PermFail}]}}\n"
    shop.parent.write_text(shop.parent.read_text() + status)
    root = ElementTree.fromstring(run(f"graph shops -f {shop.files} -o svg --parent {shop.parent}").out)
    space = "{http://www.w3.org/2000/svg}"
    texts = [element.text for element in root.iter(f"{space}text")]
    fills = [element.get("fill") for element in root.iter(f"{space}rect")]
    assert {"naming", "shelf", "Ok", "PermFail"} <= set(texts)
    assert fills[1:] == ["#c8e6c9", "#ffcdd2"]


def test_a_sub_workflow_is_expanded_on_demand(run: Commands, shop: Shop) -> None:
    outer = "apiVersion: koreo.dev/v1beta1\nkind: Workflow\nmetadata: {name: mall, namespace: shop}\nspec:\n  steps:\n"
    outer += "    - {label: one, ref: {kind: Workflow, name: shops}, inputs: {spec: {}}}\n"
    (shop.files / "mall.k.yaml").write_text(outer)
    assert "shelf" not in run(f"graph mall -f {shop.files}").out
    assert "│   ● shelf" in run(f"graph mall -f {shop.files} --expand").out


def test_a_crd_is_inferred_with_types_from_tests(run: Commands, shop: Shop) -> None:
    ran = run(f"crds --infer shops -f {shop.files} -o json")
    (crd,) = ran.data["items"]
    spec = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    assert crd["metadata"]["name"] == "shops.example.org"
    assert spec["required"] == ["boards", "name"]
    assert spec["properties"] == {"boards": {"type": "integer"}, "name": {"type": "string"}}


def test_a_field_that_is_tested_for_is_not_required(run: Commands, shop: Shop) -> None:
    shop.edit("workflow.k.yaml", "=parent.spec.boards", "'=has(parent.spec.boards) ? parent.spec.boards : 1'")
    (crd,) = run(f"crds --infer shops -f {shop.files} -o json").data["items"]
    spec = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    assert spec["required"] == ["name"]
    assert set(spec["properties"]) == {"boards", "name"}


def test_offline_verbs_import_no_client_of_kubernetes_or_aws(shop: Shop) -> None:
    commands = [
        ["validate", str(shop.files)],
        ["test", str(shop.files)],
        ["plan", "shops", "--parent", str(shop.parent), "-f", str(shop.files)],
        ["graph", "shops", "-f", str(shop.files)],
        ["fmt", "--check", str(shop.files)],
        ["cel", "eval", "1 + 1"],
    ]
    script = (
        "import sys\n"
        "from lambent.cli.main import main\n"
        f"for words in {commands!r}: main(words)\n"
        "loaded = [n for n in sys.modules if n.split('.')[0] in ('aiohttp', 'boto3', 'moto', 'aiobotocore')]\n"
        "loaded += [n for n in sys.modules if n.startswith(('lambent.kube.http', 'lambent.kube.client'))]\n"
        "assert not loaded, loaded\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr


def test_colours_are_only_for_terminals_unless_asked_for(run: Commands, shop: Shop) -> None:
    assert "\x1b[" not in run(f"test {shop.files}").out
    assert "\x1b[32m" in run(f"test {shop.files} --color always").out
