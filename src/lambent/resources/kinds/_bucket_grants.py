"""A bucket's ACL: a canned name or grants for each permission, written by one call and read as a list of grants.

S3 never answers the canned name, so `acl` and the grants are compared with the grants they stand for, and only grants
that the schema can express are looked at. Source: S3 user guide, "Access control list overview".
"""

from collections.abc import Mapping, Sequence
from typing import Any

from lambent.resources.declaration import Change, Field, Read, Step, Write

_ALL_USERS = "uri=http://acs.amazonaws.com/groups/global/AllUsers"
_AUTHENTICATED = "uri=http://acs.amazonaws.com/groups/global/AuthenticatedUsers"
_LOG_DELIVERY = "uri=http://acs.amazonaws.com/groups/s3/LogDelivery"
_CANNED: Mapping[str, frozenset[tuple[str, str]]] = {
    "private": frozenset(),
    "public-read": frozenset({("READ", _ALL_USERS)}),
    "public-read-write": frozenset({("READ", _ALL_USERS), ("WRITE", _ALL_USERS)}),
    "authenticated-read": frozenset({("READ", _AUTHENTICATED)}),
    "log-delivery-write": frozenset({("WRITE", _LOG_DELIVERY), ("READ_ACP", _LOG_DELIVERY)}),
}
_PERMISSIONS = {
    "grantFullControl": "FULL_CONTROL",
    "grantRead": "READ",
    "grantReadACP": "READ_ACP",
    "grantWrite": "WRITE",
    "grantWriteACP": "WRITE_ACP",
}
_FIELDS = ("acl", *_PERMISSIONS)


def _foreign_grants(answer: Mapping[str, Any]) -> frozenset[tuple[str, str]]:
    """(permission, grantee) of all but the owner's own full control."""
    owner = (answer.get("Owner") or {}).get("ID")
    return frozenset(
        (str(grant.get("Permission")), _grantee(grant.get("Grantee") or {}))
        for grant in answer.get("Grants") or ()
        if (grant.get("Grantee") or {}).get("ID") != owner or owner is None
    )


def _grantee(grantee: Mapping[str, Any]) -> str:
    for member, prefix in (("URI", "uri"), ("ID", "id"), ("EmailAddress", "emailAddress")):
        if grantee.get(member):
            return f"{prefix}={grantee[member]}"
    return ""


def _canned_name(answer: Any) -> Any:
    if not isinstance(answer, Mapping):
        return answer
    grants = _foreign_grants(answer)
    return next((name for name, meant in _CANNED.items() if meant == grants), "(other grants)")


def _grantees(permission: str) -> Any:
    def decode(answer: Any) -> Any:
        if not isinstance(answer, Mapping):
            return answer
        return sorted(who for what, who in _foreign_grants(answer) if what == permission)

    return decode


def _same_grant(want: Any, have: Any) -> bool:
    """The header's form (`uri="..", id=".."`) against the grantees of the answer."""
    wanted = want if isinstance(want, list) else [part.strip().replace('"', "") for part in str(want or "").split(",")]
    return sorted(item for item in wanted if item) == sorted(have or [])


def _same_canned(want: Any, have: Any) -> bool:
    return want == have or want not in _CANNED


def _put_acl(change: Change) -> Sequence[Step]:
    """One call carries the whole ACL: the grants that are wanted, or else the canned name."""
    grants = {
        name[0].upper() + name[1:]: change.want[name]
        for name in _PERMISSIONS
        if isinstance(change.want.get(name), str) and change.want[name]
    }
    acl = {} if grants else {"ACL": change.want.get("acl") or "private"}
    return [Step("PutBucketAcl", {"Bucket": change.want["name"], **acl, **grants}, why="acl")]


ACL_FIELDS = (
    Field("acl", "acl", compare=_same_canned, neutral="private", decode=_canned_name, adopted=False),
    *(
        Field(name, "acl", compare=_same_grant, neutral=[], decode=_grantees(permission), adopted=False)
        for name, permission in _PERMISSIONS.items()
    ),
)
ACL_READ = Read("acl", "GetBucketAcl", lambda subject, answers: {"Bucket": subject.value("name")}, fields=_FIELDS)
ACL_WRITE = Write("acl", _FIELDS, _put_acl)
