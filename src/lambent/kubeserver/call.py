"""One request as the API server sees it: who asks, for which resource, in which form.

Made by the `route` stage from the raw HTTP request. Not here: the body (`decoding`) and the answer (`rendering`).
"""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote

from lambent.http.message import Request
from lambent.kubeserver import status
from lambent.kubeserver.resources import Resource
from lambent.kubeserver.status import ApiError, bad_request, not_acceptable


@dataclass(frozen=True, slots=True)
class User:
    """Who a token belongs to."""

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    is_admin: bool = False


ADMIN = User("lambent:admin", ("system:masters", "system:authenticated"), is_admin=True)
ANONYMOUS = User("system:anonymous", ("system:unauthenticated",))


class Form(NamedTuple):
    """How an object is shown: `full`, `metadata` (PartialObjectMetadata) or `table`."""

    shape: str = "full"
    version: str = "v1"


FULL = Form()
VALIDATIONS = ("", "Ignore", "Strict", "Warn")
_SHAPES = {"Table": "table", "PartialObjectMetadata": "metadata", "PartialObjectMetadataList": "metadata"}
_ACCEPTED = ("application/json", "application/yaml", "application/vnd.kubernetes.protobuf")


@dataclass(slots=True)
class Call:
    """`verb` is the API verb (get, list, watch, create, update, patch, delete, deletecollection).

    `duplicates` are paths of members that occur twice in the body.
    """

    request: Request
    user: User
    verb: str
    resource: Resource
    namespace: str
    name: str
    subresource: str
    query: dict[str, str]
    warnings: list[str] = field(default_factory=list)
    duplicates: list[str] = field(default_factory=list)

    @property
    def path(self) -> str:
        """The object's path in its bucket."""
        return f"{self.namespace}/{self.name}" if self.resource.namespaced else self.name

    def flag(self, name: str) -> bool:
        return self.query.get(name, "").lower() in ("1", "true")

    def says(self, name: str) -> bool:
        """A boolean option as Go's conversion reads it: named and neither "0" nor false."""
        return name in self.query and self.query[name].lower() not in ("0", "false")

    def number(self, name: str) -> int:
        """A query parameter as a whole number; 0 when absent."""
        text = self.query.get(name, "")
        if not text:
            return 0
        try:
            return int(text)
        except ValueError:
            raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax') from None

    @property
    def is_dry_run(self) -> bool:
        """Of a write whose options were checked."""
        return "dryRun" in self.query

    @property
    def manager(self) -> str:
        """The field manager of a write: named, else the User-Agent up to the first slash."""
        agent = self.request.header(b"user-agent").decode("latin-1")
        return self.query.get("fieldManager") or agent.partition("/")[0] or "unknown"

    @property
    def validation(self) -> str:
        """Of a write whose options were checked."""
        return self.query.get("fieldValidation") or "Warn"

    def form(self) -> Form:
        return _form(self.request.header(b"accept").decode("latin-1"))

    def not_found(self) -> ApiError:
        return status.not_found(self.resource.group, self.resource.plural, self.name)


@lru_cache(maxsize=256)
def _form(accept: str) -> Form:
    """The first alternative of an Accept header that we can give; protobuf is answered as JSON."""
    if not accept:
        return FULL
    for alternative in accept.split(","):
        media, *parameters = (part.strip() for part in alternative.split(";"))
        named = dict(parameter.partition("=")[::2] for parameter in parameters)
        shape = _SHAPES.get(named.get("as", ""))
        if media in ("*/*", "application/*", "text/plain") or media in _ACCEPTED:
            if "as" in named and (shape is None or named.get("g") != "meta.k8s.io"):
                continue
            return Form(shape or "full", named.get("v", "v1"))
    raise not_acceptable(_ACCEPTED)


@lru_cache(maxsize=4096)
def split_path(raw: bytes) -> tuple[str, ...]:
    """Decoded segments of a URL path; empty ones (a trailing slash) are left out."""
    return tuple(unquote(part) for part in raw.decode("latin-1").split("/") if part)


def parse_query(raw: bytes) -> dict[str, str]:
    """First value of each parameter; the caller's own dict."""
    return dict(_parsed_query(raw)) if raw else {}


@lru_cache(maxsize=1024)
def _parsed_query(raw: bytes) -> dict[str, str]:
    out: dict[str, str] = {}
    for key, value in parse_qsl(raw.decode("latin-1"), keep_blank_values=True):
        out.setdefault(key, value)
    return out


class Place(NamedTuple):
    """Where a resource URL points."""

    group: str
    version: str
    plural: str
    namespace: str
    name: str
    subresource: str
    is_watched: bool = False
    """By the old form of a watch's path, `/api/v1/watch/...`."""


@lru_cache(maxsize=4096)
def place_of(parts: tuple[str, ...]) -> Place | None:
    """The resource a path names, or None for a path of another kind. Source: Kubernetes API concepts, Resource URIs."""
    if len(parts) >= 3 and parts[0] == "api":
        group, version, rest = "", parts[1], parts[2:]
    elif len(parts) >= 4 and parts[0] == "apis":
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return None
    namespace = ""
    is_watched = rest[0] == "watch" and len(rest) > 1
    if is_watched:
        rest = rest[1:]
    if rest[0] == "namespaces" and len(rest) >= 3 and not (group == "" and rest[2] in ("status", "finalize")):
        namespace, rest = rest[1], rest[2:]
    name = rest[1] if len(rest) > 1 else ""
    return Place(group, version, rest[0], namespace, name, "/".join(rest[2:]), is_watched)
