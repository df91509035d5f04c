"""The workflow engine on the seed's documents: functions, passes, tests, preparation, import and memory.

`run() -> dict`: per figure the median and minimum of seven rounds, CPU time of this process, in the unit that the name
ends in; and `bars`, which of them hold. The reference (Koreo 0.1.17, CPython 3.13, two EPYC cores) stands beside them.
The seed lies in ../shared; without it the run says so and measures nothing.
"""

import copy
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any

from benchmarks._bars import bar
from lambent.workflow.engine import (
    Context,
    Found,
    Read,
    ResourceFunction,
    ValueFunction,
    Workflow,
    WorkflowPass,
    owner_of,
    parent_of,
    plan,
    prepare,
)
from lambent.workflow.spec import Document, load_text, validate
from lambent.workflow.testing import Loaded, MemoryApi, load, run_tests
from lambent.workflow.testing.memory_api import after_write
from lambent.workflow.testing.workflow_test import run_workflow_test

ROUNDS = 7
SEED = Path(os.environ.get("LAMBENT_SHARED", Path(__file__).parents[2] / "shared")) / "seeds" / "lambda-workload"
NAMESPACE = "koreo-examples"
# name: (bar, Koreo's figure), both in the unit of the name
BARS: dict[str, tuple[float, float | None]] = {
    "value_function_ms": (0.03, 0.71),
    "dry_create_ms": (0.15, 1.45),
    "steady_resource_ms": (0.15, 2.14),
    "steady_pass_ms": (0.8, 16.3),
    "test_case_ms": (0.12, 2.4),
    "prepare_seed_ms": (5.0, 17.9),
    "import_engine_ms": (100.0, 260.0),
    "import_engine_cpu_ms": (100.0, 260.0),
    "thousand_functions_mb": (30.0, 136.0),
    "thousand_functions_ms": (500.0, 2400.0),
    "for_each_item_ms": (0.02, 0.17),
    "converge_test_ms": (10.0, None),
    "validate_1000_lines_ms": (100.0, None),
}
READY = {"ackResourceMetadata": {"arn": "arn:aws:x", "ownerAccountID": "123456789012"}, "policyID": "id"}
INPUTS: dict[str, dict[str, Any]] = {
    "bucket-factory": {"name": "t", "bucketName": "test-bucket-1", "namespace": "n"},
    "bucket-policy": {"name": "t", "namespace": "n", "role": "writer", "bucketArn": "arn:aws:s3:::b"},
    "lambda-role": {"name": "t", "namespace": "n", "policyName": "p"},
    "lambda": {"name": "t", "namespace": "n", "image": "i:1", "roleArn": "r", "accountId": "1", "bucketName": "b"},
}


def _cpu_ms(work: Callable[[], object], repeats: int) -> tuple[float, float]:
    """(median, minimum) milliseconds of CPU of one call."""
    found = []
    for _ in range(ROUNDS):
        start = process_time()
        for _ in range(repeats):
            work()
        found.append((process_time() - start) / repeats * 1e3)
    return median(found), min(found)


def _functions(seed: Loaded) -> dict[str, tuple[float, float]]:
    calculate = seed.catalog.resolve("ValueFunction", "calculate-bucket-name", NAMESPACE)
    assert isinstance(calculate, ValueFunction)
    inputs = {"uid": "a-b-c", "maybeBucketName": "", "generateSuffix": True, "bucketName": "b"}
    functions = [(seed.catalog.resolve("ResourceFunction", name, NAMESPACE), given) for name, given in INPUTS.items()]
    context = Context(seed.catalog)
    pairs = [(function, given) for function, given in functions if isinstance(function, ResourceFunction)]
    live = [{**(after_write(plan(f, given, None, context), None) or {}), "status": READY} for f, given in pairs]

    def create() -> None:
        for function, given in pairs:
            plan(function, given, None, context)

    def steady() -> None:
        for (function, given), obj in zip(pairs, live, strict=True):
            assert plan(function, given, obj, context).action == "none"

    created, rested = _cpu_ms(create, 100), _cpu_ms(steady, 100)
    return {
        "value_function_ms": _cpu_ms(lambda: calculate.evaluate(inputs), 2000),
        "dry_create_ms": (created[0] / len(pairs), created[1] / len(pairs)),
        "steady_resource_ms": (rested[0] / len(pairs), rested[1] / len(pairs)),
    }


def _pass(seed: Loaded) -> dict[str, tuple[float, float]]:
    workflow = seed.catalog.resolve("Workflow", "hello-lambda-workload", NAMESPACE)
    assert isinstance(workflow, Workflow)
    trigger = copy.deepcopy(next(d.value for d in seed.documents if d.identity.kind == "LambdaWorkload"))
    trigger["metadata"]["uid"] = "a57c1354-9346-42c6-a924-ba307e086138"
    api = MemoryApi()

    def once() -> int:
        running = WorkflowPass(workflow, parent_of(trigger), seed.catalog, owner=owner_of(trigger))
        effects, writes = running.start(), 0
        while effects:
            effect = effects.pop()
            if isinstance(effect, Read):
                effects += running.feed(effect, Found(api.read(effect.ref)))
            else:
                writes += 1
                effects += running.feed(effect, Found(api.write(effect.plan)))
        return writes

    while once():
        api.objects = {place: {**obj, "status": READY} for place, obj in api.objects.items()}
    return {"steady_pass_ms": _cpu_ms(once, 200)}


def _tests(seed: Loaded) -> dict[str, tuple[float, float]]:
    cases = sum(len(test.cases) for test in run_tests(seed).tests)
    whole = _cpu_ms(lambda: run_tests(seed), 20)
    return {"test_case_ms": (whole[0] / cases, whole[1] / cases)}


def _preparation(seed: Loaded) -> dict[str, tuple[float, float]]:
    ours = [document for document in seed.documents if document.identity.kind != "LambdaWorkload"]

    def again() -> None:
        for document in ours:
            if prepare(document) is None:
                validate(document)

    steps = "".join(
        f"  - label: step_{i}\n    ref:\n      kind: ValueFunction\n      name: f{i}\n"
        f"    inputs:\n      name: =parent.metadata.name\n      size: =parent.spec.size + {i}\n"
        for i in range(143)
    )
    head = "apiVersion: koreo.dev/v1beta1\nkind: Workflow\nmetadata:\n  name: big\nspec:\n  steps:\n"
    (big,), _ = load_text(head + steps)
    return {"prepare_seed_ms": _cpu_ms(again, 20), "validate_1000_lines_ms": _cpu_ms(lambda: prepare(big), 1)}


_EACH = """
apiVersion: koreo.dev/v1beta1
kind: ValueFunction
metadata: {name: f}
spec: {return: {name: =inputs.item}}
---
apiVersion: koreo.dev/v1beta1
kind: Workflow
metadata: {name: w}
spec:
  steps:
  - {label: a, ref: {kind: ValueFunction, name: f}, forEach: {itemIn: =parent.items, inputKey: item}}
"""


def _for_each() -> dict[str, tuple[float, float]]:
    from lambent.workflow.engine import load_catalog

    catalog = load_catalog(load_text(_EACH)[0])
    workflow = catalog.resolve("Workflow", "w", "")
    assert isinstance(workflow, Workflow)
    whole = _cpu_ms(lambda: WorkflowPass(workflow, {"items": list(range(1000))}, catalog).start(), 3)
    return {"for_each_item_ms": (whole[0] / 1000, whole[1] / 1000)}


def _converge(seed: Loaded) -> dict[str, tuple[float, float]]:
    """A WorkflowTest that takes the seed's five steps to Ready, resources being ready at once."""
    trigger = next(d.value for d in seed.documents if d.identity.kind == "LambdaWorkload")
    ready = [{"kind": kind, "overlay": {"status": READY}} for kind in ("Bucket", "Policy", "Role", "Function")]
    test = Document(
        {
            "apiVersion": "lambent.dev/v1alpha1",
            "kind": "WorkflowTest",
            "metadata": {"name": "converge", "namespace": NAMESPACE},
            "spec": {
                "workflowRef": {"name": "hello-lambda-workload"},
                "parent": trigger,
                "converge": {"within": "1s", "ready": ready},
            },
        }
    )

    def once() -> None:
        assert run_workflow_test(test, seed.catalog).is_passed

    return {"converge_test_ms": _cpu_ms(once, 20)}


_IMPORT = """
import time
wall, cpu = time.perf_counter(), time.process_time()
import lambent.workflow.engine
print((time.perf_counter() - wall) * 1e3, (time.process_time() - cpu) * 1e3)
"""


def _import_ms() -> dict[str, tuple[float, float]]:
    """In a fresh interpreter with bytecode cached, without any Kubernetes client."""
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": cache}
        # With this variable nothing is cached, and the compiler would be measured.
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        rounds = [_in_a_process(_IMPORT, environment) for _ in range(ROUNDS + 1)][1:]
    wall, cpu = zip(*rounds, strict=True)
    return {"import_engine_ms": (median(wall), min(wall)), "import_engine_cpu_ms": (median(cpu), min(cpu))}


def _in_a_process(code: str, environment: dict[str, str]) -> list[float]:
    """The numbers that the code prints."""
    done = subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True)
    return [float(number) for number in done.stdout.split()]


def _thousand() -> dict[str, tuple[float, float]]:
    """1000 different value functions, prepared as objects of a cluster are (no text, no nodes)."""
    values = [
        {
            "apiVersion": "koreo.dev/v1beta1",
            "kind": "ValueFunction",
            "metadata": {"name": f"f{i}"},
            "spec": {"return": {"a": f'=inputs.name + "-{i}"', "b": f"=inputs.size * {i}"}},
        }
        for i in range(1000)
    ]
    before, start = _rss_mb(), process_time()
    kept = [prepare(Document(value)) for value in values]
    spent, grown = (process_time() - start) * 1e3, _rss_mb() - before
    assert len(kept) == len(values)
    return {"thousand_functions_ms": (spent, spent), "thousand_functions_mb": (grown, grown)}


def _rss_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def run() -> dict[str, Any]:
    """Figures by name, the machine, and which bars hold."""
    if not SEED.is_dir():
        return {"skipped": "the seed is not in ../shared/seeds/lambda-workload"}
    figures: dict[str, tuple[float, float]] = {**_thousand(), **_import_ms()}
    seed = load([SEED])
    for part in (_functions, _pass, _tests, _preparation, _converge):
        figures.update(part(seed))
    figures.update(_for_each())
    return {
        "machine": {"python": platform.python_version(), "processor": platform.machine(), "cores": os.cpu_count()},
        "figures": {
            name: {"median": round(value, 5), "min": round(least, 5), "bar": BARS[name][0], "koreo": BARS[name][1]}
            for name, (value, least) in figures.items()
        },
        "bars": {name: bar(value, BARS[name][0]) for name, (value, _) in figures.items()},
    }


def main() -> None:
    print(json.dumps(run(), indent=2))


if __name__ == "__main__":
    main()
