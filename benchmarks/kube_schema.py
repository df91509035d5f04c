"""The schema compiler on the ACK Function definition: building it, and admitting one object of about 2 kB.

`run() -> dict`: medians of five rounds. Bars: build 3 ms, admit 25 us.
"""

import json
import statistics
import time
from typing import Any

import orjson

from lambent.kube.schema import compile_schema
from lambent.resources import crds

ROUNDS = 5
_VARIABLES = {f"VARIABLE_{number}": "value " * 4 for number in range(25)}
FUNCTION = {
    "spec": {
        "name": "orders",
        "packageType": "Image",
        "code": {"imageURI": "registry.example.org/orders:1"},
        "role": "arn:aws:iam::123456789012:role/orders",
        "environment": {"variables": _VARIABLES},
        "tags": {f"tag{number}": "x" * 20 for number in range(15)},
        "timeout": 30,
        "memorySize": 128,
        "description": "x" * 200,
    }
}


def _definition() -> Any:
    found = next(crd for crd in crds() if crd["spec"]["names"]["kind"] == "Function")
    return found["spec"]["versions"][0]["schema"]["openAPIV3Schema"]


def _timed(work: Any, count: int) -> float:
    began = time.perf_counter()
    for _ in range(count):
        work()
    return (time.perf_counter() - began) / count


def run() -> dict[str, Any]:
    source = _definition()
    schema = compile_schema(source)
    obj = orjson.loads(orjson.dumps(FUNCTION))
    assert not schema.admit(obj)
    build = statistics.median(_timed(lambda: compile_schema(source), 20) for _ in range(ROUNDS))
    admit = statistics.median(_timed(lambda: schema.admit(obj), 2_000) for _ in range(ROUNDS))
    sizes = {"schema_bytes": len(orjson.dumps(source)), "object_bytes": len(orjson.dumps(obj))}
    return {"build_ms": round(build * 1e3, 2), "admit_us": round(admit * 1e6, 1), **sizes}


if __name__ == "__main__":
    print(json.dumps(run()))
