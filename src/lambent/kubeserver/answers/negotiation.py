"""What an answer is to look like, from the Accept header: its media type, and the form an object is shown in.

Protobuf is answered as JSON. Source: Kubernetes API concepts, "Alternate representations of resources"; RFC 9110,
12.5.1; the order of alternatives and the refusals as kube-apiserver 1.34.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from lambent.kubeserver.status import ApiError, not_acceptable

JSON, YAML, PROTOBUF = "application/json", "application/yaml", "application/vnd.kubernetes.protobuf"
_GIVEN = (JSON, YAML, PROTOBUF)
_STREAMED = (f"{JSON};stream=watch", f"{PROTOBUF};stream=watch")
_SHAPES = {"Table": "table", "PartialObjectMetadata": "metadata", "PartialObjectMetadataList": "metadata"}
_GROUP, _VERSIONS = "meta.k8s.io", ("v1", "v1beta1")


class Form(NamedTuple):
    """How an object is shown: `full`, `metadata` (PartialObjectMetadata) or `table`; `kind` is what was asked for."""

    shape: str = "full"
    version: str = "v1"
    kind: str = ""
    media: str = JSON


FULL = Form()


class _Clause(NamedTuple):
    """One alternative of an Accept header."""

    main: str
    sub: str
    quality: float
    parameters: dict[str, str]


def _clauses(accept: str) -> list[_Clause]:
    """Best first: by quality, then the more exact one."""
    found = [clause for text in accept.split(",") for clause in _clause(text.strip())]
    return sorted(found, key=lambda c: (-c.quality, c.main == "*", c.sub == "*"))


def _clause(text: str) -> Iterator[_Clause]:
    media, *rest = text.split(";")
    main, slash, sub = media.strip(" ").partition("/")
    if not slash:
        if main != "*":
            return
        sub = "*"
    named = [part.strip(" ").split("=") for part in rest]
    parameters = {pair[0]: pair[1] for pair in named if len(pair) == 2}
    yield _Clause(main, sub.strip(" "), _quality(parameters.pop("q", "1")), parameters)


def _quality(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 1.0


def _matching(clause: _Clause, media: str) -> bool:
    main, _, sub = media.partition("/")
    return (clause.main, clause.sub) in ((main, sub), (main, "*"), ("*", "*"))


def _form(clause: _Clause, media: str) -> Form | None:
    """None when this alternative cannot be given as this media type."""
    named = clause.parameters
    if named.get("stream", "") not in ("", "watch"):
        return None
    if _is_plain(clause):
        return Form(media=media)
    kind, version = named.get("as", ""), named.get("v", "")
    shape = _SHAPES.get(kind)
    if shape is None or named.get("g") != _GROUP or version not in _VERSIONS:
        return None
    if shape == "table" and media == PROTOBUF:
        return None
    return Form(shape, version, kind, media)


@lru_cache(maxsize=512)
def form_of(accept: str) -> Form:
    """The best alternative that can be given; raises 406."""
    if not accept:
        return FULL
    for clause in _clauses(accept):
        for media in _GIVEN:
            if _matching(clause, media) and (form := _form(clause, media)) is not None:
                return form
    raise not_acceptable(_GIVEN)


@lru_cache(maxsize=512)
def check_builtin(accept: str, *, is_list: bool) -> None:
    """Raises 406 for a builtin kind when no alternative names a type literally: there the router looks first."""
    check_named(accept, (*_GIVEN, *_STREAMED) if is_list else _GIVEN)


def check_named(accept: str, given: tuple[str, ...] = (JSON,)) -> None:
    """Raises 406 when the header has neither one of these types nor takes all."""
    named = {text.partition(";")[0].strip(" ") for text in accept.split(",")}
    if accept and not named & {"*/*", *given}:
        text = f"406: Not Acceptable\n\nAvailable representations: {', '.join(given)}"
        raise ApiError(406, text, details={})


@lru_cache(maxsize=512)
def check_stream(accept: str) -> None:
    """Raises 406 for what a watch cannot be given as: YAML has no end of an event."""
    if form_of(accept).media == YAML:
        raise not_acceptable(_STREAMED)


@lru_cache(maxsize=512)
def check_media(accept: str, *, can_aggregate: bool) -> None:
    """Raises 406 when no media type of ours is among those named; documents of discovery have no other form but one."""
    if accept and not any(
        _matching(clause, media) and (_is_plain(clause) or (can_aggregate and _is_aggregated(clause)))
        for clause in _clauses(accept)
        for media in _GIVEN
    ):
        raise not_acceptable(_GIVEN)


def _is_plain(clause: _Clause) -> bool:
    return not clause.parameters.keys() & {"as", "g", "v"}


def _is_aggregated(clause: _Clause) -> bool:
    named = [clause.parameters.get(name) for name in ("g", "v", "as")]
    return named == ["apidiscovery.k8s.io", "v2", "APIGroupDiscoveryList"]


def in_yaml(accept: bytes, *, is_refusal: bool) -> bool:
    """Whether YAML is what this header asks for most; of a refusal there is no Table."""
    for clause in _clauses(accept.decode("latin-1")):
        for media in _GIVEN:
            if _matching(clause, media) and (_is_plain(clause) or not is_refusal):
                return media == YAML
    return False
