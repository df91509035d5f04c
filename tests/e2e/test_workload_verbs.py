"""explain, inspect, reconcile, prune, plan --cluster and graph --cluster against a running platform."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.programs import EXAMPLE, Platform, has, platform

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not has("kubectl"), reason="kubectl is not installed: it waits for what the verbs explain"),
]

NAME = ("archive/orders", "-n", "archives")
LONELY = """\
apiVersion: koreo.dev/v1beta1
kind: ValueFunction
metadata: {name: lonely, namespace: default}
spec: {return: {a: 1}}
"""


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A platform with the example, whose image is missing, so that its last step waits."""
    with platform(tmp_path_factory.mktemp("verbs") / "state") as running:
        running.lambent("apply", str(EXAMPLE / "manifests"), str(EXAMPLE / "archive.yaml"))
        running.kubectl("-n", "archives", "wait", "archive/orders", "--for=condition=Role", "--timeout=40s")
        reason = "jsonpath={.status.conditions[?(@.type=='Function')].reason}=Wait"
        running.kubectl("-n", "archives", "wait", "archive/orders", f"--for={reason}", "--timeout=40s")
        yield running


def _data(up: Platform, *words: str) -> Any:
    """The JSON of a verb, whatever its exit code."""
    text = up.lambent(*words, "-o", "json", check=False)
    return json.loads(text[: text.rindex("}") + 1])


def test_explain_leads_from_ready_to_the_assertion_that_does_not_hold(up: Platform) -> None:
    found = _data(up, "explain", *NAME)
    (cause,) = found["causes"]
    assert (found["ready"], cause["step"], cause["outcome"]) == ("False", "function", "Retry")
    assert cause["assertion"] == 'has(resource.status.state) && resource.status.state == "Active"'
    assert cause["paths"][0]["path"] == "resource.status.state"
    assert cause["waits_for"][0].startswith("Function/archives/orders")


def test_explain_of_a_managed_resource_names_what_it_belongs_to(up: Platform) -> None:
    found = _data(up, "explain", "bucket/orders", "-n", "archives")
    (one,) = found["holders"]
    assert (found["object"], found["is_there"]) == ("Bucket/archives/orders", True)
    assert (one["trigger"], one["workflow"], one["step"]) == (
        "EventArchive/archives/orders",
        "Workflow/archives/event-archive",
        "bucket",
    )
    assert (one["cause"]["outcome"], one["differs_at"]) == ("Ok", [])
    # By its plural, and not settled: its code is missing.
    waiting = _data(up, "explain", "functions/archives/orders")["holders"][0]["cause"]
    assert (waiting["step"], waiting["outcome"]) == ("function", "Retry")


def test_graph_marks_the_steps_with_what_the_cluster_says(up: Platform) -> None:
    parent = str(EXAMPLE / "archive.yaml")
    found = _data(up, "graph", "event-archive", "--parent", parent, "--cluster", "-f", str(EXAMPLE / "manifests"))
    assert {node["label"]: node.get("outcome") for node in found["nodes"]} == {
        **dict.fromkeys(("bucketName", "bucket", "policy", "role"), "Ok"),
        "function": "Retry",
    }


def test_inspect_lists_conditions_and_the_resources_of_the_record(up: Platform) -> None:
    found = _data(up, "inspect", "EventArchive/archives/orders")
    kinds = {one["kind"]: one["ready"] for one in found["resources"]}
    assert kinds == {"Bucket": "True", "Policy": "True", "Role": "True", "Function": "False"}
    assert "Ready" in {one["type"] for one in found["conditions"]}


def test_reconcile_triggers_a_pass(up: Platform) -> None:
    place = ("-n", "archives", "role.iam.services.k8s.aws/orders")
    managed = "koreo.dev/managed-resources"
    key = ("-n", "archives", "archive/orders")
    up.kubectl("annotate", *key, f"{managed}-")
    up.lambent("reconcile", *NAME)
    path = "jsonpath={.metadata.annotations.koreo\\.dev/managed-resources}"
    up.kubectl("wait", *key, f"--for={path}", "--timeout=40s")
    assert "orders" in up.kubectl("get", *place)


def test_plan_reads_the_cluster_and_writes_nothing(up: Platform, tmp_path: Path) -> None:
    changed = tmp_path / "archive.yaml"
    changed.write_text((EXAMPLE / "archive.yaml").read_text().replace("bucket: orders", "bucket: other"))
    version = (
        "get",
        "bucket.s3.services.k8s.aws/orders",
        "-n",
        "archives",
        "-o",
        "jsonpath={.metadata.resourceVersion}",
    )
    before = up.kubectl(*version)
    found = _data(up, "plan", "event-archive", "--parent", str(changed), "--cluster", "-f", str(EXAMPLE / "manifests"))
    (change,) = found["passes"][0]["changes"]
    assert (change["action"], change["kind"]) == ("patch", "Bucket")
    assert [entry["path"] for entry in change["diff"]] == ["spec.name"]
    assert up.kubectl(*version) == before


def test_prune_is_a_dry_run_until_told_and_leaves_what_is_used(up: Platform, tmp_path: Path) -> None:
    (tmp_path / "lonely.k.yaml").write_text(LONELY)
    up.lambent("apply", str(tmp_path / "lonely.k.yaml"))
    assert _data(up, "prune")["unused"] == ["ValueFunction/default/lonely"]
    assert "lonely" in up.kubectl("get", "valuefunctions", "-A")
    up.lambent("prune", "--delete")
    left = up.kubectl("get", "valuefunctions,resourcefunctions", "-A")
    assert "lonely" not in left
    assert "archive-bucket" in left


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("explain", "archve/orders"), "is not the trigger kind of a workflow, nor a kind that one manages"),
        (("explain", "bucket/nothing", "-n", "archives"), "no workflow manages Bucket nothing in namespace archives"),
        (("inspect", "archive/nothing", "-n", "archives"), "EventArchive nothing not found in namespace archives"),
        (("reconcile", "archive"), "write KIND/NAME"),
    ],
)
def test_a_name_that_means_nothing_says_what_to_write(up: Platform, words: tuple[str, ...], expected: str) -> None:
    assert expected in up.lambent(*words, check=False)
