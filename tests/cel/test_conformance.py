"""The CEL specification's simple tests, in the strict profile.

The cases are not part of the repository; without them these tests are skipped. `conformance_failures.txt` names the
known failures; a case that fails and is not named there fails the test, and so does a named one that passes, so the
list can only shrink. Every case runs through both functions of a program, the fast one and the careful one.
"""

import base64
import json
import math
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from lambent import cel
from lambent.cel.access import put
from lambent.cel.values import CelType, UInt

CORE = [
    *("basic", "comparisons", "conversions", "fields", "fp_math", "integer_math", "lists", "logic", "macros"),
    *("macros2", "namespace", "parse", "plumbing", "string", "timestamps"),
]
EXTENSIONS = ["bindings_ext", "encoders_ext", "lists_ext", "math_ext", "network_ext", "optionals", "string_ext"]


def cases_file() -> Path:
    """Where the cases are expected; they are not part of the repository."""
    shared = os.environ.get("LAMBENT_SHARED") or Path(__file__).parents[2].parent / "shared"
    return Path(shared) / "conformance" / "cel" / "simple.json"


@cache
def all_cases() -> list[dict[str, Any]]:
    """The cases that need no protobuf messages and are there to be evaluated."""
    cases = json.loads(cases_file().read_text())
    return [case for case in cases if not case["proto"] and not case.get("checkOnly")]


def case_name(case: dict[str, Any]) -> str:
    """`file/section/name`."""
    return f"{case['file']}/{case['section']}/{case['name']}"


def value_of(encoded: dict[str, Any]) -> Any:
    """A native value from the protobuf-JSON form."""
    ((kind, content),) = encoded.items()
    if kind == "mapValue":
        made: dict[Any, Any] = {}
        for entry in content.get("entries", ()):
            put(made, value_of(entry["key"]), value_of(entry["value"]))
        return made
    return _READERS[kind](content)


_READERS: dict[str, Callable[[Any], Any]] = {
    "int64Value": int,
    "uint64Value": lambda digits: UInt(int(digits)),
    "doubleValue": float,
    "boolValue": bool,
    "stringValue": str,
    "bytesValue": base64.b64decode,
    "nullValue": lambda _: None,
    "typeValue": CelType,
    "listValue": lambda content: [value_of(item) for item in content.get("values", ())],
}


def same(found: Any, wanted: Any) -> bool:
    """Whether a result is the wanted one, type included."""
    if isinstance(wanted, float) and math.isnan(wanted):
        return isinstance(found, float) and math.isnan(found)
    if type(found) is not type(wanted):
        return False
    if isinstance(wanted, list):
        return len(found) == len(wanted) and all(map(same, found, wanted))
    return cel.equal(found, wanted)


def verdict(case: dict[str, Any], *, careful: bool = False) -> str:
    """Empty if a case passes, else what came instead."""
    bindings = {name: value_of(bound["value"]) for name, bound in case.get("bindings", {}).items()}
    names = {declared["name"] for declared in case.get("typeEnv", ())} | set(bindings)
    try:
        program = cel.compile(
            case["expr"],
            names=names,
            profile="strict",
            container=case.get("container", ""),
            checked=not case.get("disableCheck", False),
        )
        found = (program.evaluate_carefully if careful else program.evaluate)(bindings)
    except cel.CelError as error:
        return "" if "evalError" in case else f"error: {error}"
    if "evalError" in case:
        return f"no error but {found!r}"
    encoded = case["typedResult"]["result"] if "typedResult" in case else case.get("value", {"boolValue": True})
    return "" if same(found, value_of(encoded)) else f"found {found!r}"


pytestmark = pytest.mark.skipif(not cases_file().exists(), reason="the CEL conformance cases are not here")
KNOWN = frozenset(Path(__file__).with_name("conformance_failures.txt").read_text().splitlines())


@pytest.mark.parametrize("group", CORE + EXTENSIONS)
def test_the_cases_of_a_group_pass_but_for_the_known_failures(group):
    cases = [case for case in all_cases() if case["file"] == group]
    assert cases
    failed = {}
    for case in cases:
        fast, careful = verdict(case), verdict(case, careful=True)
        if fast or careful:
            failed[case_name(case)] = f"{case['expr'][:100]}: {fast or careful}"
    print(f"{group}: {len(cases) - len(failed)} of {len(cases)}")
    known = {name for name in KNOWN if name.startswith(f"{group}/")}
    assert {name: text for name, text in failed.items() if name not in known} == {}
    assert known <= set(failed), "these pass now; take them out of conformance_failures.txt"


def test_the_core_rate_is_at_least_99_percent():
    core = [case for case in all_cases() if case["file"] in CORE]
    passed = sum(not verdict(case) for case in core)
    print(f"core: {passed} of {len(core)}")
    assert passed / len(core) >= 0.99
