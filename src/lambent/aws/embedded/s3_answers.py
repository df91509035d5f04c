"""Where moto's S3 differs from AWS, and the answers AWS gives.

moto ignores a subresource it does not know and handles the request as if it were for the bucket or object itself: GET
lists the bucket, DELETE deletes it. This table is asked first. Which names are subresources comes from
botocore's model.

* GetBucketEncryption: every bucket has SSE-S3 since 2023; moto answers 404, on which ACK's S3 controller panics.
* analytics, metrics and intelligent-tiering: none is ever configured (we refuse to configure one).
* request payment: always the bucket owner. Everything else of the model that moto lacks: NotImplemented.

Source: Amazon S3 API reference, "Actions", "Error responses".
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from lambent.aws.embedded.wsgi import Answer
from lambent.aws.service_model import shared_loader

Ask = Callable[[str, str], Answer]
"""Asks moto for the same bucket or object with this method and query."""

_XMLNS = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'

_KNOWN_TO_MOTO = {
    False: frozenset(
        (
            "accelerate",
            "acl",
            "cors",
            "delete",
            "encryption",
            "inventory",
            "lifecycle",
            "list-type",
            "location",
            "logging",
            "notification",
            "object-lock",
            "ownershipControls",
            "policy",
            "policyStatus",
            "publicAccessBlock",
            "replication",
            "tagging",
            "uploads",
            "versioning",
            "versions",
            "website",
        )
    ),
    True: frozenset(
        ("acl", "attributes", "legal-hold", "restore", "retention", "select", "select-type", "tagging", "uploads")
    ),
}
"""By whether they are an object's."""

_EMPTY_LISTS = {
    "analytics": "ListBucketAnalyticsConfigurationResult",
    "intelligent-tiering": "ListBucketIntelligentTieringConfigurationsOutput",
    "metrics": "ListMetricsConfigurationsResult",
}

_DEFAULT_ENCRYPTION = (
    f"<ServerSideEncryptionConfiguration {_XMLNS}><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256"
    "</SSEAlgorithm></ApplyServerSideEncryptionByDefault><BucketKeyEnabled>false</BucketKeyEnabled></Rule>"
    "</ServerSideEncryptionConfiguration>"
)


@dataclass(frozen=True, slots=True)
class S3Request:
    """A path-style request; `query` has the subresource names."""

    method: str
    path: str
    query: dict[str, str]

    @classmethod
    def of(cls, method: str, path: str, raw_query: str) -> "S3Request":
        return cls(method, path, dict(parse_qsl(raw_query, keep_blank_values=True)))

    @property
    def has_bucket(self) -> bool:
        return len(self.path) > 1

    @property
    def has_key(self) -> bool:
        _, _, key = self.path.lstrip("/").partition("/")
        return bool(key)

    @property
    def unknown_subresource(self) -> str:
        """The first subresource of AWS's model that moto does not know, or empty."""
        known = _KNOWN_TO_MOTO[self.has_key]
        names = (n for n in self.query if n in _modelled()[self.has_key] and n not in known)
        return next(names, "")


@cache
def _modelled() -> dict[bool, frozenset[str]]:
    """Subresource names by whether they are an object's: the queries without a value in botocore's S3 model."""
    model = shared_loader().load_service_model("s3", "service-2")
    found: dict[bool, set[str]] = {True: set(), False: set()}
    for operation in model["operations"].values():
        path, _, query = operation["http"]["requestUri"].partition("?")
        found["{Key+}" in path] |= {name for name, value in parse_qsl(query, keep_blank_values=True) if not value}
    return {is_object: frozenset(names) for is_object, names in found.items()}


def answer(request: S3Request, ask: Ask) -> Answer | None:
    """AWS's answer where moto's would be wrong, or None: let moto answer."""
    if not request.query or not request.has_bucket:
        return None
    if request.unknown_subresource:
        return _missing(request, ask)
    if request.method == "GET" and not request.has_key and "encryption" in request.query:
        return _encryption(ask)
    if request.method == "GET" and request.has_key and "retention" in request.query:
        return _retention(ask)
    return None


def _missing(request: S3Request, ask: Ask) -> Answer:
    """A subresource that moto lacks: absent on GET where that is true, else not implemented."""
    owner = ask("HEAD", "") if request.has_key else ask("GET", "location")
    if owner.code == 404:
        return ask("GET", "") if request.has_key else owner
    name = request.unknown_subresource
    if request.method == "GET" and name in _EMPTY_LISTS:
        if "id" in request.query:
            return error(404, "NoSuchConfiguration", "The specified configuration does not exist.", request.path)
        return _xml(f"<{_EMPTY_LISTS[name]} {_XMLNS}><IsTruncated>false</IsTruncated></{_EMPTY_LISTS[name]}>")
    if request.method == "DELETE" and name in _EMPTY_LISTS:
        return error(404, "NoSuchConfiguration", "The specified configuration does not exist.", request.path)
    if request.method == "GET" and name == "requestPayment":
        return _xml(f"<RequestPaymentConfiguration {_XMLNS}><Payer>BucketOwner</Payer></RequestPaymentConfiguration>")
    message = f"A header or query you provided implies functionality that is not implemented: {name}"
    return error(501, "NotImplemented", message, request.path)


def _encryption(ask: Ask) -> Answer:
    told = ask("GET", "encryption")
    if told.code == 404 and b"<Code>ServerSideEncryptionConfigurationNotFoundError</Code>" in told.body:
        return _xml(_DEFAULT_ENCRYPTION)
    return told


def _retention(ask: Ask) -> Answer:
    """moto answers with the object itself; its HEAD knows the lock."""
    told = ask("HEAD", "")
    if told.code == 404:
        return ask("GET", "")
    headers = {name.lower(): value for name, value in told.headers}
    mode, until = headers.get("x-amz-object-lock-mode"), headers.get("x-amz-object-lock-retain-until-date")
    if not mode or not until:
        message = "The specified object does not have a ObjectLock configuration"
        return error(404, "NoSuchObjectLockConfiguration", message, "")
    inner = f"<Mode>{escape(mode)}</Mode><RetainUntilDate>{escape(until)}</RetainUntilDate>"
    return _xml(f"<Retention {_XMLNS}>{inner}</Retention>")


def _xml(content: str) -> Answer:
    return Answer("200 OK", [("Content-Type", "application/xml")], (_DECLARATION + content).encode())


def error(status: int, code: str, message: str, resource: str) -> Answer:
    """An S3 error document."""
    content = (
        f"<Error><Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
        f"<Resource>{escape(resource)}</Resource><RequestId>EMBEDDED</RequestId></Error>"
    )
    phrase = {404: "404 Not Found", 501: "501 Not Implemented"}.get(status, f"{status} Error")
    return Answer(phrase, [("Content-Type", "application/xml")], (_DECLARATION + content).encode())
