"""Function against our own Lambda API, as kubectl users meet it: zip from a bucket, every kind of change, deletion."""

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.e2e.programs import Platform, has, platform

REAL_TIME = True
pytestmark = [pytest.mark.e2e, pytest.mark.skipif(not has("kubectl"), reason="kubectl is not installed")]
TRUST = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
FUNCTION = "functions.lambda.services.k8s.aws/f"


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with platform(tmp_path_factory.mktemp("resources") / "state") as running:
        yield running


def archive(folder: Path, answer: str) -> Path:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as found:
        found.writestr(
            "app.py", f"import os\ndef handler(event, context):\n    return ['{answer}', os.environ.get('EXTRA')]\n"
        )
    path = folder / f"{answer}.zip"
    path.write_bytes(buffer.getvalue())
    return path


def manifest(group: str, kind: str, name: str, spec: Mapping[str, object]) -> dict[str, object]:
    meta = {"name": name, "namespace": "default"}
    return {"apiVersion": f"{group}.services.k8s.aws/v1alpha1", "kind": kind, "metadata": meta, "spec": spec}


def apply(up: Platform, folder: Path, *objects: dict[str, object]) -> None:
    path = folder / "objects.json"
    path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
    up.kubectl("apply", "-f", str(path))


def settled(up: Platform) -> None:
    """Ready for the generation that is there now."""
    generation = up.kubectl("get", FUNCTION, "-o", "jsonpath={.metadata.generation}")
    up.kubectl("wait", FUNCTION, f"--for=jsonpath={{.status.observedGeneration}}={generation}", "--timeout=20s")
    said = up.kubectl("wait", FUNCTION, "--for=condition=Ready", "--timeout=20s", check=False)
    assert "condition met" in said, up.kubectl("get", FUNCTION, "-o", "jsonpath={.status}")


def edit(up: Platform, spec: dict[str, object]) -> None:
    up.kubectl("patch", FUNCTION, "--type=merge", "-p", json.dumps({"spec": spec}))
    settled(up)


def invoked(up: Platform, folder: Path) -> object:
    answer = folder / "answer.json"
    up.aws("lambda", "invoke", "--function-name", "fun", str(answer))
    return json.loads(answer.read_text())


def configuration(up: Platform) -> dict[str, object]:
    found: dict[str, object] = json.loads(up.aws("lambda", "get-function", "--function-name", "fun"))
    return found


def test_a_zip_function_is_made_changed_in_every_way_and_deleted(up: Platform, tmp_path: Path) -> None:
    trust = json.dumps({"Version": "2012-10-17", "Statement": [TRUST]})
    apply(
        up,
        tmp_path,
        manifest("s3", "Bucket", "code", {"name": "code-bucket"}),
        manifest("iam", "Role", "r", {"name": "r", "assumeRolePolicyDocument": trust}),
    )
    up.kubectl("wait", "bucket.s3.services.k8s.aws/code", "--for=condition=Ready", "--timeout=20s")
    for answer in ("one", "two"):
        up.aws("s3", "cp", str(archive(tmp_path, answer)), f"s3://code-bucket/{answer}.zip")
    spec = {
        "name": "fun",
        "roleRef": {"from": {"name": "r"}},
        "runtime": "python3.11",
        "handler": "app.handler",
        "code": {"s3BucketRef": {"from": {"name": "code"}}, "s3Key": "one.zip"},
    }
    apply(up, tmp_path, manifest("lambda", "Function", "f", spec))
    settled(up)
    assert invoked(up, tmp_path) == ["one", None]

    changed = {
        "code": {"s3Key": "two.zip"},
        "environment": {"variables": {"EXTRA": "1"}},
        "description": "changed",
        "timeout": 9,
        "tags": {"team": "a"},
        "reservedConcurrentExecutions": 2,
        "functionEventInvokeConfig": {"maximumRetryAttempts": 1},
    }
    edit(up, changed)
    assert invoked(up, tmp_path) == ["two", "1"]
    found = configuration(up)
    assert found["Concurrency"] == {"ReservedConcurrentExecutions": 2}
    assert found["Tags"]["team"] == "a"  # type: ignore[index]
    assert (
        json.loads(up.aws("lambda", "get-function-event-invoke-config", "--function-name", "fun"))[
            "MaximumRetryAttempts"
        ]
        == 1
    )

    edit(up, {name: None for name in changed if name != "code"})
    assert invoked(up, tmp_path) == ["two", None]
    found = configuration(up)
    assert "Concurrency" not in found
    assert "team" not in found["Tags"]  # type: ignore[operator]
    settings = found["Configuration"]
    assert (settings["Timeout"], settings["Description"]) == (3, "")  # type: ignore[index]

    up.kubectl("delete", FUNCTION, "--timeout=20s")
    assert "ResourceNotFoundException" in up.aws("lambda", "get-function", "--function-name", "fun", check=False)


def test_a_mistake_in_the_spec_is_terminal_with_the_words_of_aws(up: Platform, tmp_path: Path) -> None:
    role = "arn:aws:iam::123456789012:role/nobody-knows"
    code = {"s3Bucket": "code-bucket", "s3Key": "one.zip"}
    spec = {"name": "bad", "role": role, "runtime": "cobol85", "handler": "app.handler", "code": code}
    apply(up, tmp_path, manifest("lambda", "Function", "bad", spec))
    where = "functions.lambda.services.k8s.aws/bad"
    up.kubectl("wait", where, "--for=condition=ACK.Terminal", "--timeout=20s")
    assert "cobol85" in up.kubectl("get", where, "-o", "json")
    up.kubectl("delete", where, "--timeout=20s")
