"""The sub-resources of a bucket, one line each: how it is read, written and removed, and what counts as none.

Source: S3 API reference, the Get/Put/Delete operation of each sub-resource. Not here: the bucket itself (`bucket`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lambent.resources import comparison
from lambent.resources.calls import call, put_or_delete
from lambent.resources.comparison import Compare, pruned
from lambent.resources.declaration import Answer, Call, Change, Field, Read, Step, Subject, Write
from lambent.resources.paging import continued

_BUCKET = {"Bucket": "name"}


@dataclass(frozen=True, slots=True)
class Part:
    """`member` is the answer's member that holds the value ("" the whole answer), `param` the request's."""

    field: str
    get: str
    put: str
    param: str
    member: str = ""
    delete: str = ""
    none_codes: tuple[str, ...] = ()
    neutral: Any = None
    compare: Compare = comparison.unordered
    decode: Callable[[Any], Any] | None = None
    reset: Callable[[Any], Any] | None = None


def _status_only(*, off: str) -> Callable[[Any], Any]:
    """A switch whose off state AWS also reports as nothing at all."""
    return lambda value: {"status": off} if pruned(value) is None else value


def _same_switch(want: Any, have: Any) -> bool:
    ours, theirs = ((value or {}).get("status") or "Suspended" for value in (want, have))
    return bool(ours == theirs)


def _rules_in_order(want: Any, have: Any) -> bool:
    return comparison.exact(want, have)


PARTS = (
    Part("ownershipControls", "GetBucketOwnershipControls", "PutBucketOwnershipControls", "OwnershipControls",
         member="OwnershipControls", delete="DeleteBucketOwnershipControls",
         none_codes=("OwnershipControlsNotFoundError",)),
    Part("accelerate", "GetBucketAccelerateConfiguration", "PutBucketAccelerateConfiguration",
         "AccelerateConfiguration", compare=_same_switch, reset=_status_only(off="Suspended")),
    Part("cors", "GetBucketCors", "PutBucketCors", "CORSConfiguration", delete="DeleteBucketCors",
         none_codes=("NoSuchCORSConfiguration",), compare=_rules_in_order),
    Part("encryption", "GetBucketEncryption", "PutBucketEncryption", "ServerSideEncryptionConfiguration",
         member="ServerSideEncryptionConfiguration", delete="DeleteBucketEncryption",
         none_codes=("ServerSideEncryptionConfigurationNotFoundError",),
         neutral={"rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}]}),
    Part("lifecycle", "GetBucketLifecycleConfiguration", "PutBucketLifecycleConfiguration",
         "LifecycleConfiguration", delete="DeleteBucketLifecycle", none_codes=("NoSuchLifecycleConfiguration",)),
    Part("logging", "GetBucketLogging", "PutBucketLogging", "BucketLoggingStatus", reset=lambda value: value or {}),
    Part("notification", "GetBucketNotificationConfiguration", "PutBucketNotificationConfiguration",
         "NotificationConfiguration", reset=lambda value: value or {}),
    Part("publicAccessBlock", "GetPublicAccessBlock", "PutPublicAccessBlock", "PublicAccessBlockConfiguration",
         member="PublicAccessBlockConfiguration", delete="DeletePublicAccessBlock",
         none_codes=("NoSuchPublicAccessBlockConfiguration",)),
    Part("policy", "GetBucketPolicy", "PutBucketPolicy", "Policy", member="Policy", delete="DeleteBucketPolicy",
         none_codes=("NoSuchBucketPolicy",), compare=comparison.iam_document),
    Part("requestPayment", "GetBucketRequestPayment", "PutBucketRequestPayment", "RequestPaymentConfiguration",
         neutral={"payer": "BucketOwner"}),
    Part("website", "GetBucketWebsite", "PutBucketWebsite", "WebsiteConfiguration", delete="DeleteBucketWebsite",
         none_codes=("NoSuchWebsiteConfiguration",), compare=_rules_in_order),
    Part("versioning", "GetBucketVersioning", "PutBucketVersioning", "VersioningConfiguration",
         compare=_same_switch, reset=_status_only(off="Suspended")),
    Part("replication", "GetBucketReplication", "PutBucketReplication", "ReplicationConfiguration",
         member="ReplicationConfiguration", delete="DeleteBucketReplication",
         none_codes=("ReplicationConfigurationNotFoundError",)),
    Part("objectLockConfiguration", "GetObjectLockConfiguration", "PutObjectLockConfiguration",
         "ObjectLockConfiguration", member="ObjectLockConfiguration",
         none_codes=("ObjectLockConfigurationNotFoundError",),
         reset=lambda value: {"objectLockEnabled": "Enabled", **(value or {})}),
    Part("abac", "GetBucketAbac", "PutBucketAbac", "AbacStatus", member="AbacStatus",
         compare=lambda want, have: ((want or {}).get("status") or "Disabled")
         == ((have or {}).get("status") or "Disabled"), reset=_status_only(off="Disabled")),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Listed:
    """A sub-resource of several configurations, each with an id and calls of its own."""

    field: str
    list: str
    member: str
    put: str
    delete: str
    param: str


LISTED = (
    Listed("analytics", "ListBucketAnalyticsConfigurations", "AnalyticsConfigurationList",
           "PutBucketAnalyticsConfiguration", "DeleteBucketAnalyticsConfiguration", "AnalyticsConfiguration"),
    Listed("intelligentTiering", "ListBucketIntelligentTieringConfigurations", "IntelligentTieringConfigurationList",
           "PutBucketIntelligentTieringConfiguration", "DeleteBucketIntelligentTieringConfiguration",
           "IntelligentTieringConfiguration"),
    Listed("inventory", "ListBucketInventoryConfigurations", "InventoryConfigurationList",
           "PutBucketInventoryConfiguration", "DeleteBucketInventoryConfiguration", "InventoryConfiguration"),
    Listed("metrics", "ListBucketMetricsConfigurations", "MetricsConfigurationList",
           "PutBucketMetricsConfiguration", "DeleteBucketMetricsConfiguration", "MetricsConfiguration"),
)  # fmt: skip


def part_field(part: Part) -> Field:
    source = f"{part.field}.{part.member}" if part.member else part.field
    return Field(part.field, source, compare=part.compare, neutral=part.neutral, decode=part.decode)


def part_read(part: Part) -> Read:
    return Read(
        part.field,
        part.get,
        lambda subject, answers: {"Bucket": subject.value("name")},
        none_codes=frozenset(part.none_codes),
        fields=(part.field,),
    )


def part_write(part: Part) -> Write:
    if part.delete:
        steps = put_or_delete(part.put, part.delete, identity=_BUCKET, value={part.param: part.field})
    elif part.reset:
        steps = _switched(part, part.reset)
    else:
        steps = call(part.put, {**_BUCKET, part.param: part.field})
    return Write(part.field, (part.field,), steps)


def _switched(part: Part, reset: Callable[[Any], Any]) -> Callable[[Change], Sequence[Step]]:
    def steps(change: Change) -> Sequence[Step]:
        params = {"Bucket": change.want["name"], part.param: reset(change.want.get(part.field))}
        return [Step(part.put, params, why=part.field)]

    return steps


def listed_field(listed: Listed) -> Field:
    return Field(listed.field, f"{listed.field}.Items", compare=comparison.unordered, neutral=[])


def listed_read(listed: Listed) -> Read:
    async def fetch(call: Call, subject: Subject) -> Answer:
        return {"Items": await continued(call, listed.list, {"Bucket": subject.value("name")}, listed.member)}

    return Read(listed.field, fetch=fetch, fields=(listed.field,))


def listed_write(listed: Listed) -> Write:
    def steps(change: Change) -> Sequence[Step]:
        bucket = change.want["name"]
        want = {item["id"]: item for item in change.want.get(listed.field) or ()}
        have: Mapping[str, Any] = {item["id"]: item for item in change.have.get(listed.field) or ()}
        puts = [
            Step(listed.put, {"Bucket": bucket, "Id": key, listed.param: item}, why=listed.field)
            for key, item in want.items()
            if not comparison.unordered(item, have.get(key))
        ]
        return puts + [
            Step(listed.delete, {"Bucket": bucket, "Id": key}, why=listed.field) for key in have if key not in want
        ]

    return Write(listed.field, (listed.field,), steps)
