"""`functions.lambda.services.k8s.aws`: a Lambda function, from a zip or an image.

Updates go in the order that Lambda allows: tags, concurrency, event invoke config, code signing, then code, then
configuration, each of the last two followed by a wait for `LastUpdateStatus`. A role or an image that is not there yet
is waited for and never Terminal. Source: Lambda API reference, CreateFunction, UpdateFunctionCode,
UpdateFunctionConfiguration; developer guide, "Lambda function states". Not here: versions and aliases.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from lambent.aws.errors import AwsError
from lambent.kube.types import GVK
from lambent.resources import comparison, schema
from lambent.resources.calls import put_or_delete, retag
from lambent.resources.declaration import (
    Answer,
    Change,
    Column,
    Field,
    Hooks,
    Kind,
    Observed,
    Read,
    Ref,
    Settling,
    Step,
    Subject,
    Write,
)
from lambent.resources.kinds._function_schema import FUNCTION_SPEC, FUNCTION_STATUS
from lambent.resources.kinds._zip_identity import code_changed, record_of
from lambent.resources.kinds.bucket import BUCKET_GVK
from lambent.resources.kinds.role import ROLE_GVK
from lambent.resources.planning import tag_map

FUNCTION_GVK = GVK("lambda.services.k8s.aws", "v1alpha1", "Function")
CODE_SIGNING_ON_IMAGE = "cannot set function code signing config when package type is Image"

_FUNCTION = {"FunctionName": "name"}
_CONFIGURATION = "function.Configuration"
_NEVER_HEALS = ("InvalidImage", "InvalidRuntime", "FunctionError")
_ZIP = "code.zip"  # a field of our own: "changed" or "same", as `_zip_identity` judges
# Fields that CreateFunction and UpdateFunctionConfiguration take under their own names, with what AWS holds by default.
_SETTINGS: tuple[Field, ...] = (
    Field("description", f"{_CONFIGURATION}.Description", neutral=""),
    Field("handler", f"{_CONFIGURATION}.Handler", absent="ignore"),
    Field("runtime", f"{_CONFIGURATION}.Runtime", absent="ignore"),
    Field("role", f"{_CONFIGURATION}.Role", compare=comparison.role_arn, absent="ignore"),
    Field("memorySize", f"{_CONFIGURATION}.MemorySize", neutral=128),
    Field("timeout", f"{_CONFIGURATION}.Timeout", neutral=3),
    Field("environment", f"{_CONFIGURATION}.Environment", neutral={"variables": {}}, compare=comparison.exact),
    Field(
        "layers",
        f"{_CONFIGURATION}.Layers",
        neutral=[],
        decode=lambda layers: [layer["Arn"] for layer in layers or ()],
    ),
    Field("fileSystemConfigs", f"{_CONFIGURATION}.FileSystemConfigs", neutral=[]),
    Field(
        "vpcConfig",
        f"{_CONFIGURATION}.VpcConfig",
        neutral={"subnetIDs": [], "securityGroupIDs": []},
        compare=comparison.unordered,
    ),
    Field("deadLetterConfig", f"{_CONFIGURATION}.DeadLetterConfig", neutral={"targetARN": ""}),
    Field("tracingConfig", f"{_CONFIGURATION}.TracingConfig", neutral={"mode": "PassThrough"}),
    Field("ephemeralStorage", f"{_CONFIGURATION}.EphemeralStorage", neutral={"size": 512}),
    Field("imageConfig", f"{_CONFIGURATION}.ImageConfigResponse.ImageConfig", neutral={}),
    Field("kmsKeyARN", f"{_CONFIGURATION}.KMSKeyArn", neutral=""),
    Field("loggingConfig", f"{_CONFIGURATION}.LoggingConfig", compare=comparison.subset, absent="ignore"),
    Field("snapStart", f"{_CONFIGURATION}.SnapStart", compare=comparison.subset, neutral={"applyOn": "None"}),
    Field("durableConfig", f"{_CONFIGURATION}.DurableConfig", compare=comparison.subset, absent="ignore"),
)


def _aws_name(path: str) -> str:
    return "KMSKeyArn" if path == "kmsKeyARN" else path[0].upper() + path[1:]


_IDENTITY_OF_CONFIG = ("functionName", "qualifier")  # members of the spec that say whose config it is, not what it is


def _configured(config: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in (config or {}).items() if name not in _IDENTITY_OF_CONFIG}


def _same_event_invoke(want: Any, have: Any) -> bool:
    """A partial config is the user's choice; none at all means that AWS must hold none."""
    return comparison.subset(_configured(want), have) if want else not _configured(have)


def _named(subject: Subject, answers: Mapping[str, Answer]) -> Mapping[str, Any]:
    return {"FunctionName": subject.value("name")}


def _arn(subject: Subject, answers: Mapping[str, Answer]) -> str:
    if answers.get("function"):
        return str(answers["function"]["Configuration"]["FunctionArn"])
    built = f"arn:{subject.partition}:lambda:{subject.region}:{subject.account_id}:function:{subject.value('name')}"
    return subject.recorded_arn or built


def _source(code: Mapping[str, Any]) -> dict[str, Any]:
    """The members of `code` that AWS knows; `sha256` is ours and references are resolved by now."""
    return {
        name: code[name] for name in ("imageURI", "s3Bucket", "s3Key", "s3ObjectVersion", "zipFile") if code.get(name)
    }


def _create(subject: Subject, desired: Mapping[str, Any]) -> Step:
    params: dict[str, Any] = {
        "FunctionName": desired["name"],
        "Code": _source(subject.value("code") or {}),
        "PackageType": subject.value("packageType"),
        "Architectures": subject.value("architectures"),
        "Publish": subject.value("publish"),
        "TenancyConfig": subject.value("tenancyConfig"),
        "CodeSigningConfigArn": subject.value("codeSigningConfigARN") or None,
        "Tags": desired["tags"],
        **{_aws_name(field.path): subject.value(field.path) for field in _SETTINGS},
    }
    kept = {name: value for name, value in params.items() if value is not None}
    return Step("CreateFunction", kept, why="create", remember=_records(subject))


def _made(subject: Subject, made: Answer) -> Answer:
    """CreateFunction answers with the configuration alone; mostly it only tells that the function is pending."""
    tags = {**subject.tags, **tag_map(subject.value("tags"))}
    return {"Configuration": made, "Tags": tags, "Code": {"ImageUri": subject.value("code.imageURI")}}


def _update_code(change: Change) -> Sequence[Step]:
    params = {
        "FunctionName": change.want["name"],
        **_source(change.subject.value("code") or {}),
        "Architectures": change.want.get("architectures"),
        "RevisionId": change.observed.status.get("revisionID"),
    }
    kept = {name: value for name, value in params.items() if value is not None}
    why = ", ".join(change.paths)
    remember = _records(change.subject)
    return [Step("UpdateFunctionCode", kept, why=why, settles=True, guarded=True, remember=remember)]


def _again(change: Change) -> Sequence[Step]:
    """After a failed update Lambda holds the new values already; sending the code makes it try once more."""
    return [replace(step, why="the last update failed") for step in _update_code(change)]


def _update_configuration(change: Change) -> Sequence[Step]:
    changed = {_aws_name(path): change.want[path] for path in change.paths}
    params = {**changed, "FunctionName": change.want["name"], "RevisionId": change.observed.status.get("revisionID")}
    kept = {name: value for name, value in params.items() if value is not None}
    return [Step("UpdateFunctionConfiguration", kept, why=", ".join(change.paths), settles=True, guarded=True)]


def _judge_code(subject: Subject, desired: Mapping[str, Any], observed: Observed) -> Mapping[str, Any]:
    code = subject.value("code") or {}
    if subject.value("packageType") == "Image" or code.get("imageURI"):
        return desired
    changed = code_changed(code, subject.records.get("code"), str(observed.status.get("codeSHA256") or ""))
    return {**desired, _ZIP: "changed" if changed else None}


def _records(subject: Subject) -> Mapping[str, Any]:
    record = record_of(subject.value("code") or {})
    return {"code": record} if record else {}


def _check(subject: Subject) -> str | None:
    if subject.value("packageType") == "Image" and subject.value("codeSigningConfigARN"):
        return CODE_SIGNING_ON_IMAGE
    return None


def _settling(observed: Observed) -> Settling | None:
    status = observed.status
    if status.get("state") == "Pending":
        return Settling("waiting", "the function is being created")
    if status.get("state") == "Deleting":
        return Settling("waiting", "the function is being deleted", is_deletion=True)
    if status.get("lastUpdateStatus") == "InProgress":
        return Settling("waiting", "an update of the function is in progress")
    if status.get("state") == "Failed":
        return _failure(str(status.get("stateReasonCode") or ""), str(status.get("stateReason") or "creation failed"))
    if status.get("lastUpdateStatus") == "Failed":
        reason = str(status.get("lastUpdateStatusReason") or "the last update failed")
        return _failure(str(status.get("lastUpdateStatusReasonCode") or ""), reason)
    return None


def _failure(code: str, message: str) -> Settling:
    text = f"{code}: {message}" if code else message
    return Settling("broken" if code.startswith(_NEVER_HEALS) else "failed", text)


def _not_yet(error: AwsError) -> tuple[str, str] | None:
    if "cannot be assumed by Lambda" in error.message:
        return "role", "waiting for the role to become assumable"
    if "Provide a valid source image" in error.message:
        return "image", f"waiting for the image: {error.message}"
    return None


_LAYERS = schema.parse(FUNCTION_STATUS).at("layerStatuses")


def _status(subject: Subject, answers: Mapping[str, Answer]) -> Mapping[str, Any]:
    layers = (answers.get("function") or {}).get("Configuration", {}).get("Layers")
    return {"layerStatuses": schema.from_aws(_LAYERS, layers)} if layers else {}


FUNCTION = Kind(
    group=FUNCTION_GVK.group,
    kind="Function",
    plural="functions",
    service="lambda",
    short="fn",
    name_field="name",
    spec=schema.parse(FUNCTION_SPEC),
    status=schema.parse(FUNCTION_STATUS),
    arn=_arn,
    absent_codes=frozenset({"ResourceNotFoundException"}),
    fields=(
        Field("name", f"{_CONFIGURATION}.FunctionName", absent="ignore", fixed=True),
        Field("packageType", f"{_CONFIGURATION}.PackageType", absent="ignore", neutral="Zip", fixed=True),
        Field("tenancyConfig", f"{_CONFIGURATION}.TenancyConfig", absent="ignore", fixed=True),
        Field("tags", "function.Tags", compare=comparison.tags, absent="reset", decode=tag_map),
        Field(
            "reservedConcurrentExecutions",
            "function.Concurrency.ReservedConcurrentExecutions",
            compare=comparison.verbatim,
            absent="reset",
        ),
        Field("functionEventInvokeConfig", "event_invoke", compare=_same_event_invoke),
        Field("codeSigningConfigARN", "code_signing.CodeSigningConfigArn", neutral=""),
        Field("code.imageURI", "function.Code.ImageUri", absent="ignore"),
        Field(_ZIP, absent="ignore"),
        Field("architectures", f"{_CONFIGURATION}.Architectures", neutral=["x86_64"]),
        *_SETTINGS,
    ),
    reads=(
        Read("function", "GetFunction", _named, fresh=_made),
        Read(
            "event_invoke",
            "GetFunctionEventInvokeConfig",
            _named,
            none_codes=frozenset({"ResourceNotFoundException"}),
            fields=("functionEventInvokeConfig",),
        ),
        Read(
            "code_signing",
            "GetFunctionCodeSigningConfig",
            _named,
            none_codes=frozenset({"ResourceNotFoundException"}),
            fields=("codeSigningConfigARN",),
        ),
    ),
    create=_create,
    writes=(
        Write(
            "tags",
            ("tags",),
            retag("tags", tag="TagResource", untag="UntagResource", identity={"Resource": "@arn"}, as_list=False),
        ),
        Write(
            "reservedConcurrentExecutions",
            ("reservedConcurrentExecutions",),
            put_or_delete(
                "PutFunctionConcurrency",
                "DeleteFunctionConcurrency",
                identity=_FUNCTION,
                value={"ReservedConcurrentExecutions": "reservedConcurrentExecutions"},
            ),
        ),
        Write("functionEventInvokeConfig", ("functionEventInvokeConfig",), lambda change: _event_invoke(change)),
        Write(
            "codeSigningConfigARN",
            ("codeSigningConfigARN",),
            put_or_delete(
                "PutFunctionCodeSigningConfig",
                "DeleteFunctionCodeSigningConfig",
                identity=_FUNCTION,
                value={"CodeSigningConfigArn": "codeSigningConfigARN"},
            ),
        ),
        Write("code", ("code.imageURI", _ZIP, "architectures"), _update_code),
        Write("configuration", tuple(field.path for field in _SETTINGS), _update_configuration),
    ),
    delete=lambda subject: Step("DeleteFunction", _named(subject, {}), why="delete"),
    status_sources=(_CONFIGURATION,),
    status_of=_status,
    refs=(
        Ref("role", "roleRef", ROLE_GVK, needed=True),
        Ref("code.s3Bucket", "code.s3BucketRef", BUCKET_GVK, value="spec.name"),
        Ref("kmsKeyARN", "kmsKeyRef", GVK("kms.services.k8s.aws", "v1alpha1", "Key")),
        Ref("codeSigningConfigARN", "codeSigningConfigRef", GVK(FUNCTION_GVK.group, "v1alpha1", "CodeSigningConfig")),
        Ref(
            "vpcConfig.subnetIDs",
            "vpcConfig.subnetRefs",
            GVK("ec2.services.k8s.aws", "v1alpha1", "Subnet"),
            value="status.subnetID",
            many=True,
        ),
        Ref(
            "vpcConfig.securityGroupIDs",
            "vpcConfig.securityGroupRefs",
            GVK("ec2.services.k8s.aws", "v1alpha1", "SecurityGroup"),
            value="status.id",
            many=True,
        ),
    ),
    columns=(
        Column("STATE", ".status.state"),
        Column("UPDATE", ".status.lastUpdateStatus"),
        Column("SHA", ".status.codeSHA256", priority=1),
    ),
    hooks=Hooks(check=_check, settling=_settling, adjust=_judge_code, again=_again, records=_records, not_yet=_not_yet),
)


def _event_invoke(change: Change) -> Sequence[Step]:
    name = change.want["name"]
    wanted = change.want.get("functionEventInvokeConfig")
    if not wanted:
        return [
            Step(
                "DeleteFunctionEventInvokeConfig",
                {"FunctionName": name},
                why="functionEventInvokeConfig",
                tolerate=frozenset({"ResourceNotFoundException"}),
            )
        ]
    params = {"FunctionName": name, **_configured(wanted)}
    return [Step("PutFunctionEventInvokeConfig", params, why="functionEventInvokeConfig")]
