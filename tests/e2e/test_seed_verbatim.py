"""The documents the project came from work unchanged: kubectl applies them, the function runs, the event is stored."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.programs import EXAMPLE, SEED, Platform, has, platform

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not SEED.is_dir(), reason="the seed's documents are not beside this checkout"),
    pytest.mark.skipif(not has("kubectl"), reason="kubectl is not installed: the seed is not tested with it"),
]

NAMESPACE = "koreo-examples"


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with platform(tmp_path_factory.mktemp("seed") / "state") as running:
        yield running


def _apply_definitions(up: Platform) -> None:
    up.kubectl("create", "namespace", NAMESPACE)
    up.kubectl("apply", "-f", str(SEED / "lambda-workload-crd.yaml"))
    up.kubectl("wait", "crd/lambdaworkloads.example.koreo.dev", "--for=condition=Established", "--timeout=20s")
    for file in sorted(SEED.glob("*.k.yaml")):
        up.kubectl("apply", "-f", str(file))


def test_the_seed_goes_from_kubectl_apply_to_an_object_in_the_bucket(up: Platform) -> None:
    _apply_definitions(up)
    up.build_image()
    begin = time.monotonic()
    up.kubectl("apply", "-f", str(SEED / "hello-lambda-workload.yaml"))
    workload = ("-n", NAMESPACE, "lambdaworkload/hello-lambda-workload")
    up.kubectl("wait", *workload, "--for=condition=Ready", "--timeout=30s")
    print(f"seed: apply to Ready {time.monotonic() - begin:.2f} s")

    event, answer = up.state / "event.json", up.state / "answer.json"
    event.write_text(json.dumps({"hello": "wörld", "n": [1, 2]}))
    words = ("--function-name", "hello-lambda-workload", "--payload", f"fileb://{event}")
    told = json.loads(up.aws("lambda", "invoke", *words, str(answer)))
    assert (told["StatusCode"], told.get("FunctionError")) == (200, None)

    where = json.loads(answer.read_text())
    assert where["bucket"].startswith("my-unique-bucket-name-")
    assert where["bucket"] in up.aws("s3", "ls")
    assert json.loads(up.aws("s3", "cp", f"s3://{where['bucket']}/{where['key']}", "-")) == json.loads(
        event.read_text()
    )


def test_deletion_keeps_a_full_bucket_and_names_what_blocks_it(up: Platform) -> None:
    bucket = json.loads(up.kubectl("-n", NAMESPACE, "get", "bucket.s3.services.k8s.aws", "-o", "json"))["items"][0]
    name, resource = bucket["spec"]["name"], f"bucket.s3.services.k8s.aws/{bucket['metadata']['name']}"
    up.kubectl("-n", NAMESPACE, "delete", "lambdaworkload/hello-lambda-workload", "--wait=false")
    up.kubectl("-n", NAMESPACE, "wait", resource, "--for=condition=Ready=False", "--timeout=20s")
    blocked = json.loads(up.kubectl("-n", NAMESPACE, "get", resource, "-o", "json"))
    assert any("events/" in condition.get("message", "") for condition in blocked["status"]["conditions"])
    up.aws("s3", "rm", f"s3://{name}", "--recursive")
    up.kubectl("-n", NAMESPACE, "annotate", resource, "lambent.dev/reconcile=now")
    up.kubectl("-n", NAMESPACE, "wait", resource, "--for=delete", "--timeout=30s")
    kinds = "lambdaworkloads,buckets.s3.services.k8s.aws,policies.iam.services.k8s.aws,roles.iam.services.k8s.aws"
    left = up.kubectl("-n", NAMESPACE, "get", f"{kinds},functions.lambda.services.k8s.aws", "-o", "name")
    assert left == ""
    assert up.aws("s3", "ls") == ""


def test_a_missing_image_is_said_in_the_condition_and_recovers_when_it_appears(up: Platform, tmp_path: Path) -> None:
    trigger = tmp_path / "late.yaml"
    text = (SEED / "hello-lambda-workload.yaml").read_text()
    trigger.write_text(text.replace("hello-lambda-workload", "late").replace(":0.0.2", ":9.9.9"))
    up.kubectl("apply", "-f", str(trigger))
    late = ("-n", NAMESPACE, "lambdaworkload/late")
    said = '--for=jsonpath={.status.conditions[?(@.type=="Lambda")].status}=False'
    up.kubectl("wait", *late, said, "--timeout=30s")
    function = ("-n", NAMESPACE, "functions.lambda.services.k8s.aws/late")
    up.kubectl("wait", *function, "--for=condition=Ready=False", "--timeout=30s")
    conditions = _conditions_when(up, late, "my-lambda-image:9.9.9")
    assert "does not exist" in conditions["Lambda"]["message"]
    up.build_image("my-lambda-image:9.9.9")
    up.kubectl("wait", *late, "--for=condition=Ready", "--timeout=40s")


def _conditions_when(up: Platform, where: tuple[str, ...], text: str) -> dict[str, dict[str, str]]:
    """The trigger's conditions once one of them says `text`; reads them as they change."""
    for _ in range(20):
        status = json.loads(up.kubectl("get", *where, "-o", "json"))["status"]
        conditions = {condition["type"]: condition for condition in status["conditions"]}
        if text in json.dumps(conditions):
            return conditions
        up.kubectl("wait", *where, "--for=condition=NeverTrue", "--timeout=1s", check=False)
    raise AssertionError(f"no condition says {text!r}: {conditions}")


def test_an_invalid_trigger_is_refused_with_the_fields_path(up: Platform, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text((SEED / "hello-lambda-workload.yaml").read_text().replace("role: writer", "role: owner"))
    assert "spec.role" in up.kubectl("apply", "-f", str(wrong), check=False)


def test_an_unknown_function_gives_awss_own_error(up: Platform) -> None:
    told = up.aws("lambda", "invoke", "--function-name", "nobody", str(up.state / "x"), check=False)
    assert "ResourceNotFoundException" in told


def test_the_example_is_applied_again_without_a_change(up: Platform) -> None:
    manifests = str(EXAMPLE / "manifests")
    up.lambent("apply", manifests)
    up.lambent("apply", manifests)  # a Namespace's own defaults are filed by the second apply, as in Kubernetes
    again = up.lambent("apply", manifests).splitlines()
    assert again
    assert all(line.endswith("unchanged") for line in again)
