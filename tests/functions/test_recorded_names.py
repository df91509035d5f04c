"""AWS's recorded answers to malformed names and qualifiers, replayed against us."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from .conftest import Service, function

RECORDED = Path(__file__).parents[3] / "shared/conformance/lambda/api.recorded.json"
MARK = "test_function_name_and_qualifier_validation["
ACCOUNT = "111111111111"
ARN = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:"

GIVEN: dict[str, tuple[str, str | None]] = {
    "function_name_is_single_invalid": ("*", None),
    "invalid_characters_in_function_name": ("my-function!", None),
    "invalid_characters_in_qualifier": ("my-function", "invalid!"),
    "qualifier_too_long0": ("my-function", "a" * 129),
    "qualifier_too_long": ("my-function", "a" * 129),
    "qualifier_too_long1": ("my-function", "a" * 65),
    "function_name_and_qualifier_too_long": ("my-function", "a" * 65),
    "invalid_account_id_in_partial_arn": ("invalid-account:function:my-function", None),
    "invalid_region_in_arn": (f"arn:aws:lambda:invalid-region:{ACCOUNT}:function:my-function", None),
    "non_lambda_arn": (f"arn:aws:ec2:us-east-1:{ACCOUNT}:instance:i-1234567890abcdef0", None),
    "function_name_too_long": ("a" * 65, None),
    "function_name_too_long_and_invalid_region": (
        f"arn:aws:lambda:invalid-region:{ACCOUNT}:function:my-function" + "a" * 170,
        None,
    ),
    "full_arn_and_qualifier_too_long_and_invalid_region": (
        f"arn:aws:lambda:invalid-region:{ACCOUNT}:function:my-function-" + "a" * 170,
        "a" * 129,
    ),
    "full_arn_with_multiple_qualifiers": (f"{ARN}my-function:1:2", None),
    "incomplete_arn": (ARN[:-1], None),
    "partial_arn_with_extra_qualifier": ("function:my-function:$LATEST:extra", None),
    "latest_version_with_additional_qualifier": (f"{ARN}my-function:$LATEST", "1"),
    "lowercase_latest_qualifier": (f"{ARN}my-function", "$latest"),
    "missing_region_in_arn": (f"arn:aws:lambda::{ACCOUNT}:function:my-function", None),
    "missing_account_id_in_arn": ("arn:aws:lambda:us-east-1::function:my-function", None),
    "misspelled_latest_in_arn": (f"{ARN}my-function:$LATES", None),
}


def _cases() -> list[Any]:
    """Per scenario: the recorded answer of each operation."""
    if not RECORDED.exists():
        return [pytest.param("", {}, marks=pytest.mark.skip(reason="no recorded answers at ../shared"))]
    answers: dict[str, dict[str, Any]] = {}
    for key, value in json.loads(RECORDED.read_text()).items():
        if MARK in key and value["recorded-content"]:
            scenario, _, operation = key.split(MARK)[1].rstrip("]").rpartition("-")
            (answers.setdefault(scenario, {})[operation],) = value["recorded-content"].values()
    return [pytest.param(scenario, recorded, id=scenario) for scenario, recorded in answers.items()]


def _filled(text: str) -> str:
    text = text.replace("<partition>", "aws").replace("<region>", "us-east-1")
    return re.sub(r"<a:len\((\d+)\)>", lambda found: "a" * int(found[1]), text)


@pytest.mark.parametrize(("scenario", "answers"), _cases())
async def test_a_malformed_name_is_refused_as_recorded(
    service: Service, scenario: str, answers: dict[str, dict[str, Any]]
) -> None:
    client = service.client_of(key=ACCOUNT)
    for operation, recorded in answers.items():
        parameters = _parameters(operation, *GIVEN[scenario])
        _, code, message = await service.failure(operation, client=client, **parameters)
        assert (code, message) == (recorded["Code"], _message(recorded)), operation


def _parameters(operation: str, name: str, qualifier: str | None) -> dict[str, Any]:
    if operation == "create_function":
        return {**function(), "FunctionName": f"{name}:{qualifier}" if qualifier else name}
    return {"FunctionName": name, **({"Qualifier": qualifier} if qualifier else {})}


def _message(recorded: dict[str, Any]) -> str:
    if "Errors" not in recorded:
        return _filled(recorded["Message"])
    noun = "error" if recorded["Count"] == 1 else "errors"
    problems = "; ".join(map(_filled, recorded["Errors"]))
    return f"{recorded['Count']} validation {noun} detected: {problems}"
