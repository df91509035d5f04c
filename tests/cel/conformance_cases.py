"""Reading the CEL specification's simple tests: their values, their bindings, and one case run to its verdict."""

import base64
import json
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lambent import cel
from lambent.cel.operators import put
from lambent.cel.values import CelType, UInt

CORE = [
    *("basic", "comparisons", "conversions", "fields", "fp_math", "integer_math", "lists", "logic", "macros"),
    *("macros2", "namespace", "parse", "plumbing", "string", "timestamps"),
]
EXTENSIONS = ["bindings_ext", "encoders_ext", "lists_ext", "math_ext", "network_ext", "optionals", "string_ext"]


def cases_file() -> Path:
    """Where the cases are expected; they are not part of the repository."""
    shared = os.environ.get("LAMBENT_SHARED") or Path(__file__).parents[3] / "shared"
    return Path(shared) / "conformance" / "cel" / "simple.json"


def load(files: list[str]) -> list[dict[str, Any]]:
    """The cases of some groups that need no protobuf messages and are there to be evaluated."""
    cases = json.loads(cases_file().read_text())
    return [case for case in cases if case["file"] in files and not case["proto"] and not case.get("checkOnly")]


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
