"""`roles.iam.services.k8s.aws`: a role with its trust policy, attached and inline policies, boundary and tags.

`policies`, `policyRefs` and `inlinePolicies` are authoritative: what they do not list is detached. Source: IAM API
reference, CreateRole, UpdateRole, DeleteRole. Not here: whether Lambda may assume the role yet (`function`).
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from lambent.aws.errors import AwsError
from lambent.kube.types import GVK
from lambent.resources import comparison, schema
from lambent.resources.calls import call, each_entry, each_member, put_or_delete, retag, tag_list
from lambent.resources.declaration import (
    Answer,
    Call,
    Change,
    Field,
    Hooks,
    Kind,
    Observed,
    Read,
    Ref,
    Step,
    Subject,
    Write,
)
from lambent.resources.documents import decode, same_document
from lambent.resources.kinds.policy import POLICY_GVK
from lambent.resources.paging import marked
from lambent.resources.planning import tag_map

ROLE_GVK = GVK("iam.services.k8s.aws", "v1alpha1", "Role")
_ROLE = {"RoleName": "name"}


def _arn(subject: Subject, answers: Mapping[str, Answer]) -> str:
    if answers.get("role"):
        return str(answers["role"]["Role"]["Arn"])
    path = subject.value("path") or "/"
    built = f"arn:{subject.partition}:iam::{subject.account_id}:role{path}{subject.value('name')}"
    return subject.recorded_arn or built


def _create(subject: Subject, desired: Mapping[str, Any]) -> Step:
    params = {
        "RoleName": desired["name"],
        "AssumeRolePolicyDocument": desired["assumeRolePolicyDocument"],
        "Path": desired.get("path"),
        "Description": desired.get("description"),
        "MaxSessionDuration": desired.get("maxSessionDuration"),
        "PermissionsBoundary": desired.get("permissionsBoundary"),
        "Tags": tag_list(desired["tags"]),
    }
    return Step("CreateRole", {name: value for name, value in params.items() if value}, why="create")


def _role(subject: Subject, answers: Mapping[str, Answer]) -> Mapping[str, Any]:
    return {"RoleName": subject.value("name")}


async def _attached(call: Call, subject: Subject) -> Answer:
    found = await marked(call, "ListAttachedRolePolicies", _role(subject, {}), "AttachedPolicies")
    return {"Arns": [policy["PolicyArn"] for policy in found]}


async def _inline(call: Call, subject: Subject) -> Answer:
    names = await marked(call, "ListRolePolicies", _role(subject, {}), "PolicyNames")
    reads = [call("GetRolePolicy", {**_role(subject, {}), "PolicyName": name}) for name in names]
    answers = await asyncio.gather(*reads)
    return {"Documents": {name: decode(answer["PolicyDocument"]) for name, answer in zip(names, answers, strict=True)}}


def _same_inline(want: Any, have: Any) -> bool:
    ours, theirs = want or {}, have or {}
    return set(ours) == set(theirs) and all(same_document(ours[name], theirs[name]) for name in ours)


async def _own_parts(call: Call, subject: Subject, observed: Observed) -> Sequence[Step]:
    """What DeleteRole refuses to delete along with the role; nothing is taken off a role that has to stay."""
    if await marked(call, "ListInstanceProfilesForRole", _role(subject, {}), "InstanceProfiles"):
        raise AwsError("DeleteConflict", "the role is in an instance profile", status=409, operation="DeleteRole")
    empty: dict[str, Any] = {"policies": [], "inlinePolicies": {}, "permissionsBoundary": None}
    attached, inline = await asyncio.gather(_attached(call, subject), _inline(call, subject))
    have = {**observed.fields, "policies": attached["Arns"], "inlinePolicies": inline["Documents"]}
    change = Change(subject=subject, want=empty, have=have, observed=observed, paths=("permissionsBoundary",))
    boundary = _BOUNDARY(change) if observed.fields.get("permissionsBoundary") else ()
    return [*_ATTACH(change), *_INLINE(change), *boundary]


async def _blockers(call: Call, subject: Subject, error: AwsError) -> str:
    profiles = await marked(call, "ListInstanceProfilesForRole", _role(subject, {}), "InstanceProfiles")
    names = ", ".join(profile["InstanceProfileName"] for profile in profiles)
    return f"still in instance profile {names}" if names else error.message


_ATTACH = each_member(
    "policies",
    attach="AttachRolePolicy",
    detach="DetachRolePolicy",
    identity=_ROLE,
    member="PolicyArn",
    then=lambda arns: {"attached": {"Arns": arns}},
)
_INLINE = each_entry(
    "inlinePolicies",
    put="PutRolePolicy",
    delete="DeleteRolePolicy",
    identity=_ROLE,
    key="PolicyName",
    content="PolicyDocument",
    same=same_document,
)
_BOUNDARY = put_or_delete(
    "PutRolePermissionsBoundary",
    "DeleteRolePermissionsBoundary",
    identity=_ROLE,
    value={"PermissionsBoundary": "permissionsBoundary"},
)

ROLE = Kind(
    group=ROLE_GVK.group,
    kind="Role",
    plural="roles",
    service="iam",
    short="iamrole",
    name_field="name",
    spec=schema.parse(
        "assumeRolePolicyDocument!:s, description:s, inlinePolicies:map<s>, maxSessionDuration:i, name!:s, path:s,"
        "permissionsBoundary:s, permissionsBoundaryRef:REF, policies:[]s, policyRefs:[]REF, tags[]{key:s, value:s}"
    ),
    status=schema.parse("createDate:time, roleID:s, roleLastUsed{lastUsedDate:time, region:s}"),
    arn=_arn,
    absent_codes=frozenset({"NoSuchEntity"}),
    fields=(
        Field("name", "role.Role.RoleName", absent="ignore", fixed=True),
        Field("path", "role.Role.Path", absent="ignore", neutral="/", fixed=True),
        Field("description", "role.Role.Description", neutral=""),
        Field("maxSessionDuration", "role.Role.MaxSessionDuration", neutral=3600),
        Field(
            "assumeRolePolicyDocument",
            "role.Role.AssumeRolePolicyDocument",
            compare=comparison.iam_document,
            absent="ignore",
            decode=decode,
        ),
        Field("permissionsBoundary", "role.Role.PermissionsBoundary.PermissionsBoundaryArn", absent="reset"),
        Field("policies", "attached.Arns", compare=comparison.unordered, absent="reset"),
        Field("inlinePolicies", "inline.Documents", compare=_same_inline, absent="reset"),
        Field("tags", "role.Role.Tags", compare=comparison.tags, absent="reset", decode=tag_map),
    ),
    reads=(
        Read("role", "GetRole", _role, is_apart=True),
        Read("attached", fetch=_attached, fresh={"Arns": []}, is_apart=True),
        Read("inline", fetch=_inline, fresh={"Documents": {}}, is_apart=True),
    ),
    create=_create,
    writes=(
        Write("policies", ("policies",), _ATTACH),
        Write("inlinePolicies", ("inlinePolicies",), _INLINE),
        Write("tags", ("tags",), retag("tags", tag="TagRole", untag="UntagRole", identity=_ROLE, as_list=True)),
        Write("permissionsBoundary", ("permissionsBoundary",), _BOUNDARY),
        Write(
            "assumeRolePolicyDocument",
            ("assumeRolePolicyDocument",),
            call("UpdateAssumeRolePolicy", {**_ROLE, "PolicyDocument": "assumeRolePolicyDocument"}),
        ),
        Write(
            "description",
            ("description", "maxSessionDuration"),
            call("UpdateRole", {**_ROLE, "Description": "description", "MaxSessionDuration": "maxSessionDuration"}),
        ),
    ),
    delete=lambda subject: Step("DeleteRole", _role(subject, {}), why="delete"),
    status_sources=("role.Role",),
    volatile=frozenset({"roleLastUsed"}),
    late_init=("path", "maxSessionDuration"),
    refs=(
        Ref("policies", "policyRefs", POLICY_GVK, many=True),
        Ref("permissionsBoundary", "permissionsBoundaryRef", POLICY_GVK),
    ),
    hooks=Hooks(before_delete=_own_parts, blockers=_blockers),
)
