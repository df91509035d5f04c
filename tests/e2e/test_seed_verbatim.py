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
    """A platform with the seed's definitions on it, applied by kubectl file by file."""
    with platform(tmp_path_factory.mktemp("seed") / "state") as running:
        running.kubectl("create", "namespace", NAMESPACE)
        running.kubectl("apply", "-f", str(SEED / "lambda-workload-crd.yaml"))
        established = ("crd/lambdaworkloads.example.koreo.dev", "--for=condition=Established", "--timeout=20s")
        running.kubectl("wait", *established)
        for file in sorted(SEED.glob("*.k.yaml")):
            running.kubectl("apply", "-f", str(file))
        running.build_image()
        yield running


def _ready(up: Platform, name: str) -> None:
    up.kubectl("-n", NAMESPACE, "wait", f"lambdaworkload/{name}", "--for=condition=Ready", "--timeout=30s")


def _invoke(up: Platform, function: str, event: object) -> dict[str, str]:
    """Invokes with the aws CLI; where the function says it stored the event."""
    file, answer = up.state / "event.json", up.state / "answer.json"
    file.write_text(json.dumps(event))
    told = json.loads(
        up.aws("lambda", "invoke", "--function-name", function, "--payload", f"fileb://{file}", str(answer))
    )
    assert (told["StatusCode"], told.get("FunctionError")) == (200, None)
    return dict(json.loads(answer.read_text()))


def _another(up: Platform, folder: Path, name: str, **changes: str) -> None:
    """Applies the seed's trigger under another name, with these texts replaced."""
    text = (SEED / "hello-lambda-workload.yaml").read_text().replace("hello-lambda-workload", name)
    for old, new in changes.items():
        text = text.replace(old, new)
    (folder / "trigger.yaml").write_text(text)
    up.kubectl("apply", "-f", str(folder / "trigger.yaml"))


def test_the_seed_goes_from_kubectl_apply_to_an_object_in_the_bucket(up: Platform) -> None:
    begin = time.monotonic()
    up.kubectl("apply", "-f", str(SEED / "hello-lambda-workload.yaml"))
    _ready(up, "hello-lambda-workload")
    print(f"seed: apply to Ready {time.monotonic() - begin:.2f} s")
    event = {"hello": "wörld", "n": [1, 2]}
    where = _invoke(up, "hello-lambda-workload", event)
    assert where["bucket"].startswith("my-unique-bucket-name-")
    assert where["bucket"] in up.aws("s3", "ls")
    assert json.loads(up.aws("s3", "cp", f"s3://{where['bucket']}/{where['key']}", "-")) == event


def test_deletion_keeps_a_full_bucket_and_names_what_blocks_it(up: Platform, tmp_path: Path) -> None:
    _another(up, tmp_path, "doomed")
    _ready(up, "doomed")
    where = _invoke(up, "doomed", {})
    bucket = ("-n", NAMESPACE, "bucket.s3.services.k8s.aws/doomed-bucket")
    up.kubectl("-n", NAMESPACE, "delete", "lambdaworkload/doomed", "--wait=false")
    up.kubectl("wait", *bucket, "--for=condition=Ready=False", "--timeout=20s")
    conditions = json.loads(up.kubectl("get", *bucket, "-o", "json"))["status"]["conditions"]
    assert any(where["key"] in condition.get("message", "") for condition in conditions)
    up.aws("s3", "rm", f"s3://{where['bucket']}", "--recursive")
    up.kubectl("annotate", *bucket, "lambent.dev/reconcile=now")
    up.kubectl("wait", *bucket, "--for=delete", "--timeout=30s")
    kinds = "lambdaworkloads,buckets.s3.services.k8s.aws,policies.iam.services.k8s.aws,roles.iam.services.k8s.aws"
    left = up.kubectl("-n", NAMESPACE, "get", f"{kinds},functions.lambda.services.k8s.aws", "-o", "name")
    assert "doomed" not in left
    assert where["bucket"] not in up.aws("s3", "ls")


def test_a_missing_image_is_said_in_the_condition_and_recovers_when_it_appears(up: Platform, tmp_path: Path) -> None:
    _another(up, tmp_path, "late", **{":0.0.2": ":9.9.9"})
    conditions = _conditions_when(up, ("-n", NAMESPACE, "lambdaworkload/late"), "my-lambda-image:9.9.9")
    assert conditions["Lambda"]["status"] == "False"
    assert "does not exist" in conditions["Lambda"]["message"]
    up.build_image("my-lambda-image:9.9.9")
    _ready(up, "late")


def _conditions_when(up: Platform, where: tuple[str, ...], text: str) -> dict[str, dict[str, str]]:
    """The trigger's conditions once one of them says `text`; reads them as they change."""
    for _ in range(20):
        status = json.loads(up.kubectl("get", *where, "-o", "json")).get("status", {})
        conditions = {condition["type"]: condition for condition in status.get("conditions", [])}
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
    again = up.lambent("apply", manifests).splitlines()
    assert again
    assert all(line.endswith("unchanged") for line in again)
