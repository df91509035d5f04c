"""`buckets.s3.services.k8s.aws`: a bucket and its sub-resources.

HeadBucket tells whether it is there; creation cannot carry tags, so the first tags follow it at once and its creation
time is the proof of ownership in between. A bucket that holds objects is kept on deletion, unless the annotation
`lambent.dev/force-empty` asks to empty it. Source: S3 API reference, CreateBucket, HeadBucket, DeleteBucket. Not here:
directory buckets (`--x-s3`).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from lambent.aws.errors import AwsError
from lambent.kube.types import GVK
from lambent.resources import comparison, schema
from lambent.resources.calls import tag_list
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
from lambent.resources.kinds._bucket_grants import ACL_FIELDS, ACL_READ, ACL_WRITE
from lambent.resources.kinds._bucket_parts import (
    LISTED,
    PARTS,
    listed_field,
    listed_read,
    listed_write,
    part_field,
    part_read,
    part_write,
)
from lambent.resources.kinds._bucket_schema import BUCKET_SPEC
from lambent.resources.kinds.role import ROLE_GVK
from lambent.resources.planning import tag_map

BUCKET_GVK = GVK("s3.services.k8s.aws", "v1alpha1", "Bucket")
FORCE_EMPTY = "lambent.dev/force-empty"
_GRANTS = ("grantFullControl", "grantRead", "grantReadACP", "grantWrite", "grantWriteACP")
_NAMED_OBJECTS = 3  # a blocker's message names some objects; an administrator lists the rest
# Ownership before ACLs (they may be refused otherwise), the public access block before the policy it judges.
_WRITE_ORDER = (
    "ownershipControls", "accelerate", "analytics", "acl", "cors", "encryption", "intelligentTiering", "inventory",
    "lifecycle", "logging", "metrics", "notification", "publicAccessBlock", "policy", "requestPayment", "tagging",
    "website", "versioning", "replication", "objectLockConfiguration", "abac",
)  # fmt: skip


def _bucket(subject: Subject, answers: Mapping[str, Answer]) -> Mapping[str, Any]:
    return {"Bucket": subject.value("name")}


def _arn(subject: Subject, answers: Mapping[str, Answer]) -> str:
    return f"arn:{subject.partition}:s3:::{subject.value('name')}"


def _create(subject: Subject, desired: Mapping[str, Any]) -> Step:
    location = subject.value("createBucketConfiguration") or {}
    if subject.region != "us-east-1" and not location.get("locationConstraint"):
        location = {**location, "locationConstraint": subject.region}
    params = {
        "Bucket": desired["name"],
        "CreateBucketConfiguration": location,
        "ObjectLockEnabledForBucket": subject.value("objectLockEnabledForBucket"),
        "ObjectOwnership": subject.value("objectOwnership"),
        "ACL": subject.value("acl"),
        **{_aws_grant(name): subject.value(name) for name in _GRANTS},
    }
    return Step("CreateBucket", {name: value for name, value in params.items() if value}, why="create")


def _aws_grant(name: str) -> str:
    return name[0].upper() + name[1:]


def _status(subject: Subject, answers: Mapping[str, Answer]) -> Mapping[str, Any]:
    name = subject.value("name")
    return {"location": f"/{name}" if subject.region == "us-east-1" else f"http://{name}.s3.amazonaws.com/"}


def _check(subject: Subject) -> str | None:
    if str(subject.value("name") or "").endswith("--x-s3"):
        return "directory buckets (names ending in --x-s3) are not supported"
    return None


def _explain(error: AwsError) -> str:
    """A HEAD has no body, so S3 cannot say why."""
    if error.operation != "HeadBucket" or error.status not in (301, 403):
        return ""
    if error.status == 301:
        return "301: the bucket exists in another region; set the annotation services.k8s.aws/region to it"
    return "403: the bucket belongs to another account, or these credentials lack s3:ListBucket on it"


def _tag(change: Change) -> Sequence[Step]:
    """The whole set at once; PutBucketTagging keeps no tag that it is not given but those of AWS itself."""
    own = {key: item for key, item in change.want["tagging"].items() if not key.startswith("aws:")}
    tagging = {"TagSet": tag_list(own)}
    params = {"Bucket": change.want["name"], "Tagging": tagging}
    return [Step("PutBucketTagging", params, why="tagging", then={"tagging": tagging})]


async def _created_at(call: Call, subject: Subject) -> str:
    answer = await call("ListBuckets", {})
    created = next(
        (item["CreationDate"] for item in answer.get("Buckets") or () if item["Name"] == subject.value("name")), ""
    )
    return str(schema.normal(schema.TIME, created))


async def _emptying(call: Call, subject: Subject, observed: Observed) -> Sequence[Step]:
    """With the annotation: every version and delete marker, a thousand (the API's limit) a call."""
    if subject.annotations.get(FORCE_EMPTY) != "true":
        return ()
    name = subject.value("name")
    steps: list[Step] = []
    position: dict[str, Any] = {}
    while True:
        answer = await call("ListObjectVersions", {"Bucket": name, **position})
        items = [
            {"Key": item["Key"], "VersionId": item["VersionId"]}
            for group in ("Versions", "DeleteMarkers")
            for item in answer.get(group) or ()
        ]
        if items:
            steps.append(
                Step("DeleteObjects", {"Bucket": name, "Delete": {"Objects": items, "Quiet": True}}, why=FORCE_EMPTY)
            )
        if not answer.get("IsTruncated"):
            return steps
        position = {"KeyMarker": answer["NextKeyMarker"], "VersionIdMarker": answer.get("NextVersionIdMarker") or ""}


async def _blockers(call: Call, subject: Subject, error: AwsError) -> str:
    if error.code != "BucketNotEmpty":
        return error.message
    name = subject.value("name")
    answer = await call("ListObjectVersions", {"Bucket": name, "MaxKeys": 1000})
    items = [*(answer.get("Versions") or ()), *(answer.get("DeleteMarkers") or ())]
    keys = list(dict.fromkeys(str(item["Key"]) for item in items))
    count = f"{len(items)}{'+' if answer.get('IsTruncated') else ''}"
    named = ", ".join(keys[:_NAMED_OBJECTS]) + (", ..." if len(keys) > _NAMED_OBJECTS else "")
    return f'the bucket is kept: it holds {count} object versions ({named}); empty it or set {FORCE_EMPTY}: "true"'


_WRITES = {
    "acl": ACL_WRITE,
    "tagging": Write("tagging", ("tagging",), _tag),
    **{part.field: part_write(part) for part in PARTS},
    **{listed.field: listed_write(listed) for listed in LISTED},
}

BUCKET = Kind(
    group=BUCKET_GVK.group,
    kind="Bucket",
    plural="buckets",
    service="s3",
    short="bkt",
    name_field="name",
    spec=schema.parse(BUCKET_SPEC),
    status=schema.parse("location:s"),
    arn=_arn,
    absent_codes=frozenset({"404", "NoSuchBucket", "NotFound"}),
    fields=(
        Field("name", absent="ignore"),
        Field("tagging", "tagging.TagSet", compare=comparison.tags, absent="reset", decode=tag_map),
        *ACL_FIELDS,
        *(part_field(part) for part in PARTS),
        *(listed_field(listed) for listed in LISTED),
    ),
    reads=(
        Read("head", "HeadBucket", _bucket, fresh={}, is_apart=True),
        Read("tagging", "GetBucketTagging", _bucket, none_codes=frozenset({"NoSuchTagSet"}), fresh={}),
        ACL_READ,
        *(part_read(part) for part in PARTS),
        *(listed_read(listed) for listed in LISTED),
    ),
    create=_create,
    writes=tuple(_WRITES[name] for name in _WRITE_ORDER),
    delete=lambda subject: Step("DeleteBucket", _bucket(subject, {}), why="delete"),
    status_of=_status,
    tag_field="tagging",
    tags_on_create=False,
    error_text="Error syncing property '{field}': {error}",
    refs=(Ref("replication.role", "replication.roleRef", ROLE_GVK),),
    hooks=Hooks(check=_check, before_delete=_emptying, blockers=_blockers, explain=_explain, created_at=_created_at),
)
