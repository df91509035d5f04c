"""`policies.iam.services.k8s.aws`: a managed policy; a changed document becomes a new default version.

AWS keeps five versions and none of them changes; name, path and description are fixed by creation. Source: IAM API
reference, CreatePolicy, CreatePolicyVersion, DeletePolicy. Not here: policies written into a role (`role`).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from lambent.aws.errors import AwsError
from lambent.kube.types import GVK
from lambent.resources import comparison, schema
from lambent.resources.calls import retag, tag_list
from lambent.resources.declaration import (
    Answer,
    Call,
    Change,
    Column,
    Field,
    Hooks,
    Kind,
    Observed,
    Read,
    Step,
    Subject,
    Write,
)
from lambent.resources.documents import decode
from lambent.resources.planning import tag_map

POLICY_GVK = GVK("iam.services.k8s.aws", "v1alpha1", "Policy")
_VERSIONS_KEPT = 5  # AWS's limit of versions of a managed policy


def _arn(subject: Subject, answers: Mapping[str, Answer]) -> str:
    if answers.get("policy"):
        return str(answers["policy"]["Policy"]["Arn"])
    path = subject.value("path") or "/"
    built = f"arn:{subject.partition}:iam::{subject.account_id}:policy{path}{subject.value('name')}"
    return subject.recorded_arn or built


def _create(subject: Subject, desired: Mapping[str, Any]) -> Step:
    params = {
        "PolicyName": desired["name"],
        "PolicyDocument": desired["policyDocument"],
        "Path": desired.get("path"),
        "Description": desired.get("description"),
        "Tags": tag_list(desired["tags"]),
    }
    return Step("CreatePolicy", {name: value for name, value in params.items() if value}, why="create")


def _default_version(subject: Subject, answers: Mapping[str, Answer]) -> Mapping[str, Any]:
    policy = answers["policy"]["Policy"]
    return {"PolicyArn": policy["Arn"], "VersionId": policy["DefaultVersionId"]}


def _first_version(subject: Subject, made: Answer) -> Answer:
    return {"PolicyVersion": {"Document": subject.value("policyDocument")}}


def _made(subject: Subject, made: Answer) -> Answer:
    """CreatePolicy tells what AWS chose, not all that it was given."""
    given = {
        "Description": subject.value("description"),
        "Tags": tag_list({**subject.tags, **tag_map(subject.value("tags"))}),
    }
    return {"Policy": {**given, **made["Policy"]}}


def _new_version(change: Change) -> Sequence[Step]:
    params = {
        "PolicyArn": change.observed.arn,
        "PolicyDocument": change.want["policyDocument"],
        "SetAsDefault": True,
    }
    return [Step("CreatePolicyVersion", params, why="policyDocument", before=_make_room)]


async def _versions(call: Call, arn: str) -> list[Mapping[str, Any]]:
    answer = await call("ListPolicyVersions", {"PolicyArn": arn})
    spare = [version for version in answer.get("Versions", ()) if not version["IsDefaultVersion"]]
    return sorted(spare, key=lambda version: int(str(version["VersionId"]).lstrip("v")))


async def _make_room(call: Call, subject: Subject) -> None:
    """Deletes the oldest spare versions while the limit leaves no place for another one."""
    arn = _arn(subject, {})
    spare = await _versions(call, arn)
    for version in spare[: max(0, len(spare) + 2 - _VERSIONS_KEPT)]:
        await call("DeletePolicyVersion", {"PolicyArn": arn, "VersionId": version["VersionId"]})


async def _spare_versions(call: Call, subject: Subject, observed: Observed) -> Sequence[Step]:
    """Refuses before anything is taken away while the policy is in use; some endpoints would not refuse at all."""
    policy = observed.answers["policy"]["Policy"]
    if policy.get("AttachmentCount") or policy.get("PermissionsBoundaryUsageCount"):
        raise AwsError("DeleteConflict", "the policy is in use", status=409, operation="DeletePolicy")
    arn = observed.arn
    return [
        Step("DeletePolicyVersion", {"PolicyArn": arn, "VersionId": version["VersionId"]}, why="delete")
        for version in await _versions(call, arn)
    ]


async def _blockers(call: Call, subject: Subject, error: AwsError) -> str:
    answer = await call("ListEntitiesForPolicy", {"PolicyArn": _arn(subject, {})})
    holders = [
        f"{label} {holder[member]}"
        for label, group, member in (
            ("role", "PolicyRoles", "RoleName"),
            ("user", "PolicyUsers", "UserName"),
            ("group", "PolicyGroups", "GroupName"),
        )
        for holder in answer.get(group, ())
    ]
    return f"still attached to {', '.join(holders)}" if holders else error.message


POLICY = Kind(
    group=POLICY_GVK.group,
    kind="Policy",
    plural="policies",
    service="iam",
    short="iampol",
    name_field="name",
    spec=schema.parse("description:s, name!:s, path:s, policyDocument!:s, tags[]{key:s, value:s}"),
    status=schema.parse(
        "attachmentCount:i, createDate:time, defaultVersionID:s, isAttachable:b, permissionsBoundaryUsageCount:i,"
        "policyID:s, updateDate:time"
    ),
    arn=_arn,
    absent_codes=frozenset({"NoSuchEntity"}),
    fields=(
        Field("name", "policy.Policy.PolicyName", absent="ignore", fixed=True),
        Field("path", "policy.Policy.Path", absent="ignore", neutral="/", fixed=True),
        Field("description", "policy.Policy.Description", absent="ignore", fixed=True),
        Field(
            "policyDocument",
            "version.PolicyVersion.Document",
            compare=comparison.iam_document,
            absent="ignore",
            decode=decode,
        ),
        Field("tags", "policy.Policy.Tags", compare=comparison.tags, absent="reset", decode=tag_map),
    ),
    reads=(
        Read("policy", "GetPolicy", lambda subject, answers: {"PolicyArn": _arn(subject, {})}, fresh=_made),
        Read("version", "GetPolicyVersion", _default_version, fresh=_first_version),
    ),
    create=_create,
    writes=(
        Write(
            "tags",
            ("tags",),
            retag("tags", tag="TagPolicy", untag="UntagPolicy", identity={"PolicyArn": "@arn"}, as_list=True),
        ),
        Write("policyDocument", ("policyDocument",), _new_version),
    ),
    delete=lambda subject: Step("DeletePolicy", {"PolicyArn": _arn(subject, {})}, why="delete"),
    status_sources=("policy.Policy",),
    volatile=frozenset({"attachmentCount", "permissionsBoundaryUsageCount", "updateDate"}),
    late_init=("path",),
    columns=(Column("VERSION", ".status.defaultVersionID"),),
    hooks=Hooks(before_delete=_spare_versions, blockers=_blockers),
)
