"""Stored records as the API shows them: FunctionConfiguration, Code, list entries."""

from typing import Any
from urllib.parse import quote

from lambent.aws.arn import LATEST, partition_of
from lambent.functions.backend import Backend, Context
from lambent.functions.downloads import signed_query
from lambent.functions.record import FunctionRecord
from lambent.functions.runtimes import runtime_digest

_ABSENT_IN_LISTS = frozenset(
    (
        "State",
        "StateReason",
        "StateReasonCode",
        "LastUpdateStatus",
        "LastUpdateStatusReason",
        "LastUpdateStatusReasonCode",
        "RuntimeVersionConfig",
    )
)
_INPUT_ONLY = frozenset(("ImageConfig", "Layers", "CodeSigningConfigArn", "VpcConfig"))


def configuration_view(record: FunctionRecord, *, qualifier: str | None = None) -> dict[str, Any]:
    """FunctionConfiguration; the ARN carries the qualifier only if the caller gave one or it is a version."""
    shown = {key: value for key, value in record.configuration.items() if key not in _INPUT_ONLY}
    if "Environment" in shown:
        shown["Environment"] = {"Variables": shown["Environment"].get("Variables", {})}
    code = record.code
    qualifier = qualifier or (record.version if record.version != LATEST else None)
    return {
        **{key: value for key, value in shown.items() if value not in ("", None) or key in ("Description",)},
        **_expanded(record),
        **record.state_members(),
        "FunctionName": record.id.name,
        "FunctionArn": record.id.qualified_arn(qualifier) if qualifier else record.id.arn,
        "Version": record.version,
        "LastModified": record.last_modified,
        "RevisionId": record.revision_id,
        "CodeSha256": code.code_sha256 if code else "",
        "CodeSize": code.size if code else 0,
    }


def _expanded(record: FunctionRecord) -> dict[str, Any]:
    """Settings that AWS answers in another form than it takes them."""
    given, shown = record.configuration, dict[str, Any]()
    if "ImageConfig" in given:
        shown["ImageConfigResponse"] = {"ImageConfig": given["ImageConfig"]}
    if given.get("Layers"):
        shown["Layers"] = [{"Arn": arn, "CodeSize": 0} for arn in given["Layers"]]
    if "VpcConfig" in given:
        vpc = given["VpcConfig"]
        shown["VpcConfig"] = {
            "SubnetIds": vpc.get("SubnetIds", []),
            "SecurityGroupIds": vpc.get("SecurityGroupIds", []),
            "Ipv6AllowedForDualStack": vpc.get("Ipv6AllowedForDualStack", False),
            "VpcId": "",
        }
    if given["PackageType"] == "Zip":
        arn = f"arn:{partition_of(record.id.region)}:lambda:{record.id.region}::runtime:"
        shown["RuntimeVersionConfig"] = {"RuntimeVersionArn": arn + runtime_digest(given["Runtime"])}
    return shown


def list_entry(record: FunctionRecord, *, qualifier: str | None = None) -> dict[str, Any]:
    view = configuration_view(record, qualifier=qualifier)
    return {key: value for key, value in view.items() if key not in _ABSENT_IN_LISTS}


def code_view(backend: Backend, context: Context, record: FunctionRecord) -> dict[str, Any]:
    """FunctionCodeLocation; `Location` is a link to our own listener, good for ten minutes."""
    code = record.code
    if code is None:
        return {}
    if code.artifact is None:
        repository = code.image_uri.partition("@")[0].rsplit(":", 1)[0]
        resolved = f"{repository}@{code.digest}"
        return {"RepositoryType": "ECR", "ImageUri": code.image_uri, "ResolvedImageUri": resolved}
    query = signed_query(code.artifact.sha256, secret=backend.download_secret, now=backend.store.clock())
    location = f"{context.base_url}/_lambent/artifacts/{quote(code.artifact.sha256)}?{query}"
    return {"RepositoryType": "S3", "Location": location}
