"""CustomResourceDefinitions of the Lambda service's kinds.

The schema of a function's configuration is derived from the service model, so that what the API takes and what
`kubectl apply` takes cannot drift apart. Values are checked by the controller in AWS's words, not by the schema; the
schema only knows types, so that a limit that AWS raises does not make stored objects invalid.
"""

from functools import cache
from typing import Any, cast

from lambent.functions.configuration import configuration_members, configuration_shape
from lambent.functions.kinds import ALIAS, FUNCTION, FUNCTION_VERSION, GROUP, VERSION
from lambent.functions.spelling import field_name
from lambent.kube.types import GVK, KubeObject

Schema = dict[str, Any]

_STRING: Schema = {"type": "string"}
_INTEGER: Schema = {"type": "integer"}
_STRINGS: Schema = {"type": "object", "additionalProperties": _STRING}
_OPEN: Schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
_TYPES = {
    "integer": "integer",
    "long": "integer",
    "double": "number",
    "boolean": "boolean",
    "string": "string",
    "blob": "string",
    "timestamp": "string",
}


def _object(properties: dict[str, Schema], required: tuple[str, ...] = ()) -> Schema:
    schema: Schema = {"type": "object", "properties": properties}
    return {**schema, "required": list(required)} if required else schema


def _schema(shape: Any) -> Schema:
    """OpenAPI types of a shape of the model."""
    match shape.type_name:
        case "structure":
            return _object({field_name(name): _schema(member) for name, member in shape.members.items()})
        case "list":
            return {"type": "array", "items": _schema(shape.member)}
        case "map":
            return {"type": "object", "additionalProperties": _schema(shape.value)}
    return {"type": _TYPES[shape.type_name]}


@cache
def _configuration_properties() -> dict[str, Schema]:
    members = configuration_shape().members
    return {field_name(name): _schema(members[name]) for name in sorted(configuration_members())}


_ARTIFACT = _object({"sha256": _STRING, "size": _INTEGER}, ("sha256", "size"))
_CODE = _object(
    {
        "artifact": {**_ARTIFACT, "description": "An archive in lambent's artifact store; written by lambent."},
        "digest": {**_STRING, "description": "The manifest that imageUri meant; written by lambent."},
        "imageUri": _STRING,
        "s3Bucket": _STRING,
        "s3Key": _STRING,
        "s3ObjectVersion": _STRING,
        "zipFile": {**_STRING, "description": "A zip archive in base64."},
    }
)
_IDENTITY = {"functionName": _STRING, "accountId": _STRING, "region": _STRING}
_REVISION = _object({"content": _STRING, "id": _STRING, "supersedes": _STRING, "generation": _INTEGER, "at": _STRING})
_CONDITION = _object(
    {
        "type": _STRING,
        "status": _STRING,
        "reason": _STRING,
        "message": _STRING,
        "lastTransitionTime": {"type": "string", "format": "date-time"},
        "observedGeneration": _INTEGER,
    },
    ("type", "status"),
)
_STATUS = _object(
    {
        "conditions": {
            "type": "array",
            "items": _CONDITION,
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["type"],
        },
        "observedGeneration": _INTEGER,
        "functionArn": _STRING,
        "state": _STRING,
        "stateReason": _STRING,
        "stateReasonCode": _STRING,
        "lastUpdateStatus": _STRING,
        "lastUpdateStatusReason": _STRING,
        "lastUpdateStatusReasonCode": _STRING,
        "revisionId": _STRING,
        "settledRevision": _STRING,
        "lastVersion": _INTEGER,
        "code": {**_OPEN, "description": "What the source in spec.code was when it was fetched."},
        "serving": {**_OPEN, "description": "The configuration and code that answer invocations now."},
    }
)


_RUNTIME_MANAGEMENT = _object({"updateRuntimeOn": _STRING, "runtimeVersionArn": _STRING})
_EVENT_INVOKE = _object(
    {
        "maximumRetryAttempts": _INTEGER,
        "maximumEventAgeInSeconds": _INTEGER,
        "destinationConfig": _object(
            {"onSuccess": _object({"destination": _STRING}), "onFailure": _object({"destination": _STRING})}
        ),
        "lastModified": _STRING,
    }
)


def _function_schema() -> Schema:
    settings = {
        "code": _CODE,
        "tags": _STRINGS,
        "reservedConcurrentExecutions": _INTEGER,
        "recursiveLoop": _STRING,
        "runtimeManagement": _RUNTIME_MANAGEMENT,
        "policy": _OPEN,
        "eventInvokeConfig": _EVENT_INVOKE,
        "revision": {**_REVISION, "description": "Written by lambent with every change through the Lambda API."},
    }
    spec = _object({**_IDENTITY, **_configuration_properties(), **settings}, ("code",))
    return _object({"spec": spec, "status": _STATUS}, ("spec",))


def _version_schema() -> Schema:
    settings = {
        "version": _STRING,
        "bornActive": {"type": "boolean"},
        "runtimeManagement": _RUNTIME_MANAGEMENT,
        "sourceDescription": _STRING,
        "code": _CODE,
        "revision": _REVISION,
        "policy": _OPEN,
        "eventInvokeConfig": _EVENT_INVOKE,
    }
    spec = _object({**_IDENTITY, **_configuration_properties(), **settings}, ("functionName", "version", "code"))
    return _object({"spec": spec, "status": _STATUS}, ("spec",))


def _alias_schema() -> Schema:
    settings = {
        "name": _STRING,
        "functionVersion": _STRING,
        "description": _STRING,
        "routingConfig": _object(
            {"additionalVersionWeights": {"type": "object", "additionalProperties": {"type": "number"}}}
        ),
        "revision": _REVISION,
        "policy": _OPEN,
        "eventInvokeConfig": _EVENT_INVOKE,
    }
    spec = _object({**_IDENTITY, **settings}, ("functionName", "name", "functionVersion"))
    return _object({"spec": spec, "status": _OPEN}, ("spec",))


def _column(name: str, path: str, type_: str = "string") -> dict[str, str]:
    return {"name": name, "type": type_, "jsonPath": path}


_AGE = _column("Age", ".metadata.creationTimestamp", "date")


def _crd(gvk: GVK, plural: str, short: list[str], schema: Schema, columns: list[dict[str, str]]) -> KubeObject:
    names = {"kind": gvk.kind, "plural": plural, "singular": gvk.kind.lower(), "shortNames": short}
    version = {
        "name": VERSION,
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema},
        "subresources": {"status": {}},
        "additionalPrinterColumns": [*columns, _AGE],
    }
    obj = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{GROUP}"},
        "spec": {"group": GROUP, "names": names, "scope": "Namespaced", "versions": [version]},
    }
    return cast(KubeObject, obj)


def crds() -> list[KubeObject]:
    """The definitions, in the order in which they should be applied."""
    states = [_column("State", ".status.state"), _column("Update", ".status.lastUpdateStatus")]
    runtime = _column("Runtime", ".spec.runtime")
    version = _column("Version", ".spec.version")
    alias_columns = [_column("Alias", ".spec.name"), _column("Version", ".spec.functionVersion")]
    name = _column("Function", ".spec.functionName")
    return [
        _crd(FUNCTION, "lambdafunctions", ["lfn"], _function_schema(), [name, runtime, *states]),
        _crd(FUNCTION_VERSION, "lambdafunctionversions", ["lfv"], _version_schema(), [name, version, states[0]]),
        _crd(ALIAS, "lambdaaliases", ["lal"], _alias_schema(), [name, *alias_columns]),
    ]
