"""The expression language: six expressions, the parse of a nested map, and the first expression of a process.

`run() -> dict`: median and minimum of seven rounds, in microseconds of CPU per evaluation; milliseconds for
`parse_map_ms`, `compile_map_ms` and `first_ms`. Where cel-python is installed, the same six expressions through it,
and the ratio.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from statistics import median
from time import process_time
from typing import Any

from benchmarks._bars import bar
from lambent import cel
from lambent.cel.parser import parse

ROUNDS = 7
FIELD_US, FILTER_MAP_US, PARSE_MS, FIRST_MS = 0.5, 15.0, 1.0, 20.0

_MAP = "{" + ", ".join(f'"key{at}": {{"name": "value{at}", "on": true}}' for at in range(20)) + "}"
EXPRESSIONS: dict[str, str] = {
    "field": "inputs.spec.name",
    "conditional": 'has(inputs.role) && inputs.role != "" ? inputs.role : "writer"',
    "concat": '"arn:aws:s3:::" + inputs.spec.name + "/*"',
    "matches": 'inputs.spec.name.matches("^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")',
    "filter_map": "inputs.items.filter(item, item.size > 50).map(item, item.name)",
    "map_literal": _MAP,
}
INPUTS = {
    "role": "reader",
    "spec": {"name": "my-bucket"},
    "items": [{"name": f"item-{at}", "size": at} for at in range(100)],
}
_FIRST = """
import time
start = time.process_time()
from lambent import cel
cel.compile("inputs.name + '-bucket'", names={"inputs"}).evaluate({"inputs": {"name": "demo"}})
print((time.process_time() - start) * 1e3)
"""


def _rounds(work: Callable[[], object], repeats: int) -> tuple[float, float]:
    """(median, minimum) CPU seconds of one call."""
    found = []
    for _ in range(ROUNDS):
        start = process_time()
        for _ in range(repeats):
            work()
        found.append((process_time() - start) / repeats)
    return median(found), min(found)


def _first_ms() -> float:
    """CPU of a fresh interpreter from its first import of ours to the first value, bytecode already cached.

    CPU rather than wall time, since the imports wait for whatever else the machine does.
    """
    with tempfile.TemporaryDirectory() as cache:
        environment = {"PYTHONPYCACHEPREFIX": cache, "PATH": "", "PYTHONPATH": os.environ.get("PYTHONPATH", "")}
        command = [sys.executable, "-c", _FIRST]
        found = [
            float(
                subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60).stdout
            )
            for _ in range(ROUNDS + 1)
        ]
    return median(found[1:])


def _baseline() -> dict[str, float]:
    """Microseconds per evaluation by cel-python, if it is installed."""
    try:
        import celpy  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        return {}
    environment = celpy.Environment()
    activation = {"inputs": celpy.json_to_cel(INPUTS)}
    figures = {}
    for name, text in EXPRESSIONS.items():
        program = environment.program(environment.compile(text))
        figures[name] = round(_rounds(lambda program=program: program.evaluate(activation), 20)[0] * 1e6, 1)  # type: ignore[misc]
    return figures


def run() -> dict[str, Any]:
    """All figures, and the four bars."""
    bindings = {"inputs": INPUTS}
    figures = {}
    for name, text in EXPRESSIONS.items():
        program = cel.compile(text, names={"inputs"})
        middle, best = _rounds(lambda program=program: program.evaluate(bindings), 2000)  # type: ignore[misc]
        figures[name] = {"median_us": round(middle * 1e6, 3), "min_us": round(best * 1e6, 3)}
    parse_ms = _rounds(lambda: parse(_MAP), 50)[0] * 1e3
    # A name of its own for each round keeps the compiler's cache out of the measurement.
    fresh = iter(range(10**9))
    compile_ms = _rounds(lambda: cel.compile(_MAP, names={f"n{next(fresh)}"}), 20)[0] * 1e3
    first_ms = _first_ms()
    baseline = _baseline()
    return {
        "name": "cel",
        "evaluate": figures,
        "parse_map_ms": round(parse_ms, 3),
        "compile_map_ms": round(compile_ms, 3),
        "first_ms": round(first_ms, 1),
        "cel_python_us": baseline,
        "times_cel_python": {name: round(value / figures[name]["median_us"]) for name, value in baseline.items()},
        "bars": {
            "field_us": bar(figures["field"]["median_us"], FIELD_US),
            "filter_map_us": bar(figures["filter_map"]["median_us"], FILTER_MAP_US),
            "parse_map_ms": bar(parse_ms, PARSE_MS),
            "first_ms": bar(first_ms, FIRST_MS),
        },
    }


def main() -> None:
    """Print the figures as JSON."""
    print(json.dumps(run(), indent=2))


if __name__ == "__main__":
    main()
