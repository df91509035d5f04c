"""S3, as far as buckets and their sub-resources go.

Source: S3 API reference. A sub-resource is a value that Put stores and Get answers; what is not set answers the code
that S3 answers then. Kept of AWS's strictness: BucketNotEmpty, names that exist once, tags replaced as a set.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from lambent.clock import WallClock
from lambent.resources.fake.errors import Refusal

Json = dict[str, Any]


class _Sub(NamedTuple):
    """`member` "" means that the answer is the value itself; `none_code` "" that nothing set answers nothing."""

    get: str
    put: str
    param: str
    member: str
    delete: str
    none_code: str


_SUBS = (
    _Sub("get_bucket_tagging", "put_bucket_tagging", "Tagging", "", "delete_bucket_tagging", "NoSuchTagSet"),
    _Sub("get_bucket_cors", "put_bucket_cors", "CORSConfiguration", "", "delete_bucket_cors",
         "NoSuchCORSConfiguration"),
    _Sub("get_bucket_encryption", "put_bucket_encryption", "ServerSideEncryptionConfiguration",
         "ServerSideEncryptionConfiguration", "delete_bucket_encryption", ""),
    _Sub("get_bucket_lifecycle_configuration", "put_bucket_lifecycle_configuration", "LifecycleConfiguration", "",
         "delete_bucket_lifecycle", "NoSuchLifecycleConfiguration"),
    _Sub("get_bucket_logging", "put_bucket_logging", "BucketLoggingStatus", "", "", ""),
    _Sub("get_bucket_notification_configuration", "put_bucket_notification_configuration",
         "NotificationConfiguration", "", "", ""),
    _Sub("get_public_access_block", "put_public_access_block", "PublicAccessBlockConfiguration",
         "PublicAccessBlockConfiguration", "delete_public_access_block", "NoSuchPublicAccessBlockConfiguration"),
    _Sub("get_bucket_policy", "put_bucket_policy", "Policy", "Policy", "delete_bucket_policy", "NoSuchBucketPolicy"),
    _Sub("get_bucket_request_payment", "put_bucket_request_payment", "RequestPaymentConfiguration", "", "", ""),
    _Sub("get_bucket_website", "put_bucket_website", "WebsiteConfiguration", "", "delete_bucket_website",
         "NoSuchWebsiteConfiguration"),
    _Sub("get_bucket_versioning", "put_bucket_versioning", "VersioningConfiguration", "", "", ""),
    _Sub("get_bucket_accelerate_configuration", "put_bucket_accelerate_configuration", "AccelerateConfiguration", "",
         "", ""),
    _Sub("get_bucket_replication", "put_bucket_replication", "ReplicationConfiguration", "ReplicationConfiguration",
         "delete_bucket_replication", "ReplicationConfigurationNotFoundError"),
    _Sub("get_bucket_ownership_controls", "put_bucket_ownership_controls", "OwnershipControls", "OwnershipControls",
         "delete_bucket_ownership_controls", "OwnershipControlsNotFoundError"),
    _Sub("get_object_lock_configuration", "put_object_lock_configuration", "ObjectLockConfiguration",
         "ObjectLockConfiguration", "", "ObjectLockConfigurationNotFoundError"),
    _Sub("get_bucket_abac", "put_bucket_abac", "AbacStatus", "AbacStatus", "", ""),
)  # fmt: skip
_LISTS = {
    "analytics": "Analytics",
    "metrics": "Metrics",
    "inventory": "Inventory",
    "intelligent_tiering": "IntelligentTiering",
}
_GRANTS = {
    "GrantFullControl": "FULL_CONTROL",
    "GrantRead": "READ",
    "GrantReadACP": "READ_ACP",
    "GrantWrite": "WRITE",
    "GrantWriteACP": "WRITE_ACP",
}
_DEFAULT_ENCRYPTION = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}


def _grantee(text: str) -> Json:
    """`id="x"` or `uri="x"`, as the headers carry it."""
    kind, _, value = text.strip().replace('"', "").partition("=")
    return {"ID": value} if kind == "id" else {"URI": value}


class FakeS3:
    """`buckets` by name: creation date, location, sub-resources by their Put, objects by key."""

    def __init__(self, now: WallClock) -> None:
        self._now = now
        self.buckets: dict[str, Json] = {}
        for sub in _SUBS:
            setattr(self, sub.get, self._getter(sub))
            setattr(self, sub.put, self._putter(sub))
            if sub.delete:
                setattr(self, sub.delete, self._deleter(sub))
        for snake, name in _LISTS.items():
            setattr(self, f"list_bucket_{snake}_configurations", self._lister(name))
            setattr(self, f"put_bucket_{snake}_configuration", self._item_putter(name))
            setattr(self, f"delete_bucket_{snake}_configuration", self._item_deleter(name))

    def bucket(self, name: str, code: str = "NoSuchBucket") -> Json:
        if name not in self.buckets:
            raise Refusal(code, "The specified bucket does not exist" if code != "404" else "Not Found", 404)
        return self.buckets[name]

    def create_bucket(self, **params: Any) -> Json:
        name = params["Bucket"]
        if name in self.buckets:
            raise Refusal("BucketAlreadyOwnedByYou", "Your previous request succeeded and you already own it.", 409)
        location = (params.get("CreateBucketConfiguration") or {}).get("LocationConstraint")
        self.buckets[name] = {"created": self._now(), "location": location, "subs": {}, "objects": {}, "acl": []}
        return {"Location": f"/{name}"}

    def head_bucket(self, **params: Any) -> Json:
        return {"BucketRegion": self.bucket(params["Bucket"], "404")["location"] or "us-east-1"}

    def list_buckets(self, **params: Any) -> Json:
        return {"Buckets": [{"Name": name, "CreationDate": held["created"]} for name, held in self.buckets.items()]}

    def get_bucket_acl(self, **params: Any) -> Json:
        owner = {"Grantee": {"ID": "owner", "Type": "CanonicalUser"}, "Permission": "FULL_CONTROL"}
        return {"Owner": {"ID": "owner"}, "Grants": [owner, *self.bucket(params["Bucket"])["acl"]]}

    def put_bucket_acl(self, **params: Any) -> None:
        everybody = {"Type": "Group", "URI": "http://acs.amazonaws.com/groups/global/AllUsers"}
        readable = params.get("ACL", "").startswith("public-read")
        canned = [{"Grantee": everybody, "Permission": "READ"}] if readable else []
        grants = [
            {"Grantee": _grantee(who), "Permission": permission}
            for name, permission in _GRANTS.items()
            for who in params.get(name, "").split(",")
            if who
        ]
        self.bucket(params["Bucket"])["acl"] = canned + grants

    def list_object_versions(self, **params: Any) -> Json:
        objects = self.bucket(params["Bucket"])["objects"]
        versions = [{"Key": key, "VersionId": "null", "IsLatest": True} for key in sorted(objects)]
        return {"Versions": versions, "DeleteMarkers": [], "IsTruncated": False}

    def delete_objects(self, **params: Any) -> Json:
        objects = self.bucket(params["Bucket"])["objects"]
        for item in params["Delete"]["Objects"]:
            objects.pop(item["Key"], None)
        return {}

    def delete_bucket(self, **params: Any) -> None:
        if self.bucket(params["Bucket"])["objects"]:
            raise Refusal("BucketNotEmpty", "The bucket you tried to delete is not empty", 409)
        del self.buckets[params["Bucket"]]

    def _getter(self, sub: _Sub) -> Callable[..., Json]:
        def get(**params: Any) -> Json:
            value = self.bucket(params["Bucket"])["subs"].get(sub.param)
            if value is None and sub.param == "ServerSideEncryptionConfiguration":
                value = _DEFAULT_ENCRYPTION
            if value is None and sub.none_code:
                raise Refusal(sub.none_code, "not set", 404)
            if value is None:
                return {}
            return {sub.member: value} if sub.member else dict(value)

        return get

    def _putter(self, sub: _Sub) -> Callable[..., None]:
        def put(**params: Any) -> None:
            self.bucket(params["Bucket"])["subs"][sub.param] = params[sub.param]

        return put

    def _deleter(self, sub: _Sub) -> Callable[..., None]:
        def delete(**params: Any) -> None:
            self.bucket(params["Bucket"])["subs"].pop(sub.param, None)

        return delete

    def _lister(self, name: str) -> Callable[..., Json]:
        def items(**params: Any) -> Json:
            held = self.bucket(params["Bucket"])["subs"].get(name, {})
            return {f"{name}ConfigurationList": list(held.values()), "IsTruncated": False}

        return items

    def _item_putter(self, name: str) -> Callable[..., None]:
        def put(**params: Any) -> None:
            held = self.bucket(params["Bucket"])["subs"].setdefault(name, {})
            held[params["Id"]] = params[f"{name}Configuration"]

        return put

    def _item_deleter(self, name: str) -> Callable[..., None]:
        def delete(**params: Any) -> None:
            self.bucket(params["Bucket"])["subs"].get(name, {}).pop(params["Id"], None)

        return delete
