"""The eight steps of the demo, each a function that acts and checks, in the order of `STEPS`.

A step returns one line of detail or raises `LambentError`. It uses what a user would use: kubectl where it is
installed, boto3 for AWS, the Kubernetes API for everything it waits for (by watch, not by polling).
"""

import asyncio
import json
import os
import shutil
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import lambent
from lambent.errors import LambentError
from lambent.kube.types import GVK, KubeObject
from lambent.platform import images
from lambent.platform.apply import Applier, read_manifests
from lambent.platform.demo.report import StepReport
from lambent.platform.demo.view import View
from lambent.platform.discovery import client_environment
from lambent.platform.invocations import boto3_client, invoke
from lambent.platform.objects import wait_for
from lambent.platform.up import Up
from lambent.workflow.testing import load, run_tests

EXAMPLE = Path(lambent.__file__).parents[2] / "examples" / "lambda-workload"
IMAGE = "my-lambda-image:0.0.2"
NAMESPACE, NAME = "archives", "orders"
TRIGGER = GVK("example.lambent.dev", "v1", "EventArchive")
OWNED = {
    "Bucket": GVK("s3.services.k8s.aws", "v1alpha1", "Bucket"),
    "Policy": GVK("iam.services.k8s.aws", "v1alpha1", "Policy"),
    "Role": GVK("iam.services.k8s.aws", "v1alpha1", "Role"),
    "Function": GVK("lambda.services.k8s.aws", "v1alpha1", "Function"),
}


@dataclass(slots=True)
class Demo:
    """What the steps hand on to each other."""

    up: Up
    bucket: str = ""
    key: str = ""

    @property
    def event(self) -> bytes:
        return (EXAMPLE / "event.json").read_bytes()

    def aws(self, service: str) -> Any:
        return boto3_client(service, self.up.endpoints.aws, self.up.endpoints.region)


@dataclass(frozen=True, slots=True)
class Telling:
    """Where a step says what it is doing now, and which figures it measured."""

    report: StepReport
    view: View

    def __call__(self, text: str) -> None:
        self.view.progress(self.report, text)

    def figure(self, name: str, value: Any) -> None:
        self.report.figures[name] = value


async def start_platform(demo: Demo, tell: Telling) -> str:
    if not EXAMPLE.is_dir():
        raise LambentError(f"the example is not at {EXAMPLE}; run the demo from a checkout")
    begin = time.monotonic()
    await demo.up.startup()
    tell.figure("platformReadyMs", round((time.monotonic() - begin) * 1000, 1))
    where = demo.up.endpoints
    return f"AWS {where.aws}, Kubernetes {where.kubernetes}"


async def test_functions(demo: Demo, tell: Telling) -> str:
    report = run_tests(load([EXAMPLE / "manifests"]))
    passed = report.count("passed")
    if not report.is_passed or not passed:
        raise LambentError(f"{report.count('failed')} cases failed; `lambent test {EXAMPLE}` shows why")
    tell.figure("testCases", passed)
    return f"{passed} cases passed"


async def build_image(demo: Demo, tell: Telling) -> str:
    tell(f"building {IMAGE}")
    digest = await images.build_and_push(
        EXAMPLE / "app", handler="archive.handler", tag=IMAGE, registry=demo.up.endpoints.aws
    )
    return f"{IMAGE} {digest[:19]}"


async def apply_manifests(demo: Demo, tell: Telling) -> str:
    if shutil.which("kubectl"):
        return await _apply_with_kubectl(demo, tell)
    manifests = read_manifests([EXAMPLE / "manifests", EXAMPLE / "archive.yaml"])
    if await Applier(demo.up.kube, create_namespace=False, tell=tell).apply(manifests):
        raise LambentError("not every manifest was applied; `lambent apply` says why")
    return f"{len(manifests)} manifests with lambent apply (no kubectl here)"


async def _apply_with_kubectl(demo: Demo, tell: Telling) -> str:
    manifests = EXAMPLE / "manifests"
    await _kubectl(demo, tell, "apply", "-f", str(manifests / "1-namespace.yaml"), "-f", str(manifests / "2-crd.yaml"))
    await _kubectl(demo, tell, "wait", "crd/eventarchives.example.lambent.dev", "--for=condition=Established")
    lines = await _kubectl(demo, tell, "apply", "-f", str(manifests))
    lines += await _kubectl(demo, tell, "apply", "-f", str(EXAMPLE / "archive.yaml"))
    return f"{len(lines)} manifests with kubectl"


async def _kubectl(demo: Demo, tell: Telling, *words: str) -> list[str]:
    """Runs kubectl against the demo's API server; its lines, or `LambentError` with what it complained of."""
    tell(f"kubectl {' '.join(words[:2])}")
    environ = {"PATH": os.environ["PATH"], "HOME": str(demo.up.state.path), **client_environment(demo.up.endpoints)}
    process = await asyncio.create_subprocess_exec(
        "kubectl", *words, env=environ, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await process.communicate()
    if process.returncode:
        raise LambentError(f"kubectl {' '.join(words)}: {err.decode(errors='replace').strip()}")
    return out.decode().splitlines()


async def wait_until_ready(demo: Demo, tell: Telling) -> str:
    begin = time.monotonic()

    def look(trigger: KubeObject | None) -> bool:
        conditions = trigger.get("status", {}).get("conditions", []) if trigger else []
        tell(_condition_line(conditions))
        return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)

    trigger = await wait_for(demo.up.kube, TRIGGER, NAME, look, namespace=NAMESPACE)
    tell.figure("triggerReadyMs", round((time.monotonic() - begin) * 1000, 1))
    assert trigger is not None
    demo.bucket = trigger["status"]["state"]["bucket"]
    return _condition_line(trigger["status"]["conditions"])


def _condition_line(conditions: list[dict[str, Any]]) -> str:
    """`Bucket ✓  Policy ✓  Role …  <why the first one waits>`."""
    steps = [c for c in conditions if c["type"] not in ("Ready", "Reconciling", "Stalled")]
    marks = {"True": "✓", "False": "…", "Unknown": "·"}
    line = "  ".join(f"{c['type']} {marks.get(c['status'], '·')}" for c in steps)
    waiting = next((c for c in steps if c["status"] == "False"), None)
    return f"{line}  {waiting.get('message', '')}" if waiting else line


async def invoke_function(demo: Demo, tell: Telling) -> str:
    client = demo.aws("lambda")
    durations = []
    for _ in range(2):
        begin = time.monotonic()
        answer = await asyncio.to_thread(invoke, client, NAME, demo.event)
        durations.append((time.monotonic() - begin) * 1000)
        if answer.function_error:
            raise LambentError(f"the function failed: {answer.payload_text}")
    tell.figure("firstInvokeMs", round(durations[0], 1))
    tell.figure("secondInvokeMs", round(durations[1], 1))
    demo.key = json.loads(answer.payload_text)["key"]
    return f"200 {answer.payload_text}"


async def compare_object(demo: Demo, tell: Telling) -> str:
    s3 = demo.aws("s3")
    answer = await asyncio.to_thread(lambda: s3.get_object(Bucket=demo.bucket, Key=demo.key)["Body"].read())
    if json.loads(answer) != json.loads(demo.event):
        raise LambentError(f"s3://{demo.bucket}/{demo.key} is not the event that was sent")
    return f"s3://{demo.bucket}/{demo.key} is the event"


async def delete_all(demo: Demo, tell: Telling) -> str:
    await demo.up.kube.delete(TRIGGER, NAME, namespace=NAMESPACE)
    for kind, gvk in OWNED.items():
        tell(f"waiting until the {kind} is gone")
        await wait_for(demo.up.kube, gvk, NAME, lambda obj: obj is None, namespace=NAMESPACE)
    await wait_for(demo.up.kube, TRIGGER, NAME, lambda obj: obj is None, namespace=NAMESPACE)
    left = await asyncio.to_thread(_left_in_aws, demo)
    if left:
        raise LambentError(f"still there after the deletion: {', '.join(left)}")
    return f"{', '.join(OWNED)} are gone, here and in AWS"


def _left_in_aws(demo: Demo) -> list[str]:
    """What AWS still has of ours."""
    names = {
        "bucket": [b["Name"] for b in demo.aws("s3").list_buckets()["Buckets"]],
        "policy": [p["PolicyName"] for p in demo.aws("iam").list_policies(Scope="Local")["Policies"]],
        "role": [r["RoleName"] for r in demo.aws("iam").list_roles()["Roles"]],
        "function": [f["FunctionName"] for f in demo.aws("lambda").list_functions()["Functions"]],
    }
    return [f"{kind} {name}" for kind, found in names.items() for name in found if name.startswith(NAME)]


class Step(NamedTuple):
    name: str
    title: str
    act: Callable[[Demo, Telling], Awaitable[str]]


STEPS = (
    Step("platform", "start the platform", start_platform),
    Step("test", "run the FunctionTests", test_functions),
    Step("image", "build the image", build_image),
    Step("apply", "apply the manifests", apply_manifests),
    Step("ready", "wait for Ready", wait_until_ready),
    Step("invoke", "invoke the function", invoke_function),
    Step("object", "read the object", compare_object),
    Step("delete", "delete it all", delete_all),
)
