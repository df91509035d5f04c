"""The settings of one version of a function, in AWS's member names, with AWS's defaults.

Only what a user gave is stored; defaults are added on reading. Stored are the members of CreateFunction that describe
how code runs; name, code and tags have their own places in the spec.
"""

from functools import cache
from typing import Any

from lambent.aws.service_model import lambda_model
from lambent.functions.spelling import from_fields, to_fields

Configuration = dict[str, Any]

_ELSEWHERE = frozenset(("FunctionName", "Code", "Publish", "PublishTo", "Tags"))


@cache
def configuration_shape() -> Any:
    """CreateFunction's input, whose members a spec holds."""
    return lambda_model().shape_for("CreateFunctionRequest")


@cache
def configuration_members() -> frozenset[str]:
    return frozenset(configuration_shape().members) - _ELSEWHERE


def stored(parameters: dict[str, Any]) -> dict[str, Any]:
    """The configuration among an operation's parameters as fields of a spec; empty settings clear."""
    chosen = {key: value for key, value in parameters.items() if key in configuration_members()}
    fields: dict[str, Any] = to_fields(configuration_shape(), chosen)
    return fields


def loaded(spec: dict[str, Any], name: str) -> Configuration:
    """The configuration in a spec with every default filled in."""
    given = from_fields(configuration_shape(), spec)
    given = {key: value for key, value in given.items() if key in configuration_members()}
    return {**_defaults(name, given), **given, **_merged(name, given)}


def _defaults(name: str, given: Configuration) -> Configuration:
    return {
        "Description": "",
        "Timeout": 3,
        "MemorySize": 128,
        "PackageType": "Zip",
        "Architectures": ["x86_64"],
        "EphemeralStorage": {"Size": 512},
        "TracingConfig": {"Mode": "PassThrough"},
        **({"Handler": "", "Runtime": ""} if given.get("PackageType", "Zip") == "Zip" else {}),
    }


def _merged(name: str, given: Configuration) -> Configuration:
    """Structures whose members have defaults of their own."""
    logging = {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name}", **given.get("LoggingConfig", {})}
    if logging["LogFormat"] == "JSON":
        logging = {"ApplicationLogLevel": "INFO", "SystemLogLevel": "INFO", **logging}
    snap_start = {"ApplyOn": "None", "OptimizationStatus": "Off", **given.get("SnapStart", {})}
    return {"LoggingConfig": logging, "SnapStart": snap_start}
