"""Volumes that are deprecated, ask for parts of bytes, or put two files in one place.

Source: Kubernetes API reference, Volume, PersistentVolumeClaimSpec.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from lambent.kubeserver.validation.errors import show
from lambent.kubeserver.validation.warnings.amounts import fractions

# Member, its name in the internal version, since when.
_OLD = (
    ("photonPersistentDisk", "photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"),
    ("gitRepo", "gitRepo", "deprecated in v1.11, and disabled by default in v1.33+"),
    ("scaleIO", "scaleIO", "deprecated in v1.16, non-functional in v1.22+"),
    ("flocker", "flocker", "deprecated in v1.22, non-functional in v1.25+"),
    ("storageos", "storageOS", "deprecated in v1.22, non-functional in v1.25+"),
    ("quobyte", "quobyte", "deprecated in v1.22, non-functional in v1.25+"),
    ("glusterfs", "glusterfs", "deprecated in v1.25, non-functional in v1.26+"),
    ("cephfs", "cephfs", "deprecated in v1.28, non-functional in v1.31+"),
    ("rbd", "rbd", "deprecated in v1.28, non-functional in v1.31+"),
)


def of_pod(found: Sequence[Any], at: str) -> Iterator[str]:
    for index, volume in enumerate(found):
        for member, name, why in _OLD:
            if volume.get(member) is not None:
                yield f"{at}[{index}].{name}: {why}"
        template = (volume.get("ephemeral") or {}).get("volumeClaimTemplate")
        if template:
            yield from claim(template.get("spec") or {}, f"{at}[{index}].ephemeral.volumeClaimTemplate.spec")
    for volume in found:
        yield from _overlaps(volume)


def claim(spec: Any, at: str) -> Iterator[str]:
    resources = spec.get("resources") or {}
    for kind in ("requests", "limits"):
        yield from fractions(resources.get(kind), "storage", f"{at}.resources.{kind}")


_DEEPEST = 32  # directories looked at: no volume is so deep, and a text of slashes would take all memory
_File = tuple[str, str]
"""A path, and in brackets where it comes from."""


def _overlaps(volume: Any) -> Iterator[str]:
    """Files of one volume, one of which hides another or stands where the other needs a directory."""
    lead = f"volume {show(volume.get('name', ''))}"
    for member, name_member in (("configMap", "name"), ("secret", "secretName"), ("downwardAPI", "")):
        source = volume.get(member)
        if source is not None and source.get("items"):
            files = [(one.get("path", ""), "") for one in source["items"]]
            yield from _Tree(f"{lead} ({_described(member, source.get(name_member))})").add(files)
    tree = _Tree(f"{lead} (Projected)")
    for source in (volume.get("projected") or {}).get("sources") or ():
        if not source:
            yield f"{lead} (Projected) has no sources provided"
        else:
            yield from tree.add(_files(source))


_DESCRIBED = {"configMap": "ConfigMap", "secret": "Secret", "downwardAPI": "DownwardAPI"}


def _described(member: str, name: str | None) -> str:
    return f"{_DESCRIBED[member]} {show(name or '')}" if member != "downwardAPI" else _DESCRIBED[member]


def _files(source: Any) -> Iterator[_File]:
    for member in _DESCRIBED:
        found = source.get(member)
        if found is not None:
            whence = f" ({_described(member, found.get('name'))})"
            yield from ((one.get("path", ""), whence) for one in found.get("items") or ())
    if (token := source.get("serviceAccountToken")) is not None:
        yield token.get("path", ""), " (ServiceAccountToken)"


class _Tree:
    """The files of one volume. Most of them meet no other, and of those no pairs are made."""

    def __init__(self, lead: str) -> None:
        self._lead = lead
        self._files: list[_File] = []
        self._paths: set[str] = set()
        self._above: set[str] = set()

    def add(self, files: Iterable[_File]) -> Iterator[str]:
        """What is to be said of each."""
        for path, whence in files:
            path = path.rstrip("/")
            parents = list(_above(path))
            if path in self._paths or path in self._above or not self._paths.isdisjoint(parents):
                yield from self._met(path, whence)
            self._files.append((path, whence))
            self._paths.add(path)
            self._above.update(parents)

    def _met(self, path: str, whence: str) -> Iterator[str]:
        for other, its in self._files:
            if path and other and (f"{path}/".startswith(f"{other}/") or f"{other}/".startswith(f"{path}/")):
                yield f"{self._lead}: overlapping paths: {show(path)}{whence} with {show(other)}{its}"


def _above(path: str) -> Iterator[str]:
    """What a path is below of: "a" and "a/b" of "a/b/c"."""
    at = -1
    for _ in range(min(path.count("/"), _DEEPEST)):
        at = path.find("/", at + 1)
        yield path[:at]
