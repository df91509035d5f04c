"""One request as the API server sees it: who asks, for which resource, in which form.

Made by the `route` stage from the raw HTTP request. Not here: the body (`decoding`) and the answer (`rendering`).
"""

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote, unquote_plus

import orjson

from lambent.http.message import Request
from lambent.kubeserver import status
from lambent.kubeserver.answers.negotiation import Form, form_of
from lambent.kubeserver.resources import Resource
from lambent.kubeserver.status import ApiError, bad_request


@dataclass(frozen=True, slots=True)
class User:
    """Who a token belongs to."""

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    is_admin: bool = False


ADMIN = User("lambent:admin", ("system:masters", "system:authenticated"), is_admin=True)
ANONYMOUS = User("system:anonymous", ("system:unauthenticated",))


VALIDATIONS = ("", "Ignore", "Strict", "Warn")


_WHOLE, _LARGEST = re.compile("([+-]?)0*([0-9]+)"), 1 << 63
_DIGITS = 20  # more are out of range whatever they are


def quoted(text: str) -> str:
    """As Go's `%q` shows a text, where JSON does the same."""
    return orjson.dumps(text).decode()


@dataclass(slots=True)
class Call:
    """`verb` is the API verb (get, list, watch, create, update, patch, delete, deletecollection).

    `duplicates` tell of members that occur twice in the body.
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
        text = self.query.get(name)
        if text is None:
            return 0
        found = _WHOLE.fullmatch(text)
        if found is None:
            raise bad_request(f"strconv.ParseInt: parsing {quoted(text)}: invalid syntax")
        value = int(found[1] + found[2][:_DIGITS])
        if not -_LARGEST <= value < _LARGEST:
            raise bad_request(f"strconv.ParseInt: parsing {quoted(text)}: value out of range")
        return value

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
        return form_of(self.request.header(b"accept").decode("latin-1"))

    def not_found(self) -> ApiError:
        return status.not_found(self.resource.group, self.resource.plural, self.name)


@lru_cache(maxsize=4096)
def split_path(raw: bytes) -> tuple[str, ...]:
    """Decoded segments of a URL path, an encoded slash parts them too; empty ones (a trailing slash) are left out."""
    return tuple(part for part in unquote(raw.decode("latin-1")).split("/") if part)


def parse_query(raw: bytes) -> dict[str, str]:
    """First value of each parameter, without those that Go's parser drops; the caller's own dict."""
    return dict(_parsed_query(raw)) if raw else {}


@lru_cache(maxsize=1024)
def _parsed_query(raw: bytes) -> dict[str, str]:
    out: dict[str, str] = {}
    for pair in raw.decode("latin-1").split("&"):
        if pair and ";" not in pair and not _BAD_ESCAPE.search(pair):
            key, _, value = pair.partition("=")
            out.setdefault(unquote_plus(key), unquote_plus(value))
    return out


_BAD_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")


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
