"""`lambent apply`: manifests into a cluster in the order that works.

Namespaces and CRDs go first, then this waits until the CRDs are Established, then the rest in file order. One bad
manifest does not stop the others; each failure is told with file, line and what the server said. Server-side apply
under the field manager `lambent`; a manifest that is already as it should be is not written.
"""

import asyncio
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lambent.errors import UsageError
from lambent.kube.client import KubeClient
from lambent.kube.errors import Conflict, Invalid, KubeError, NotFound
from lambent.kube.types import GVK, KubeObject
from lambent.platform.source_lines import line_of
from lambent.settings import Cluster

NAMESPACE = GVK("", "v1", "Namespace")
CRD = GVK("apiextensions.k8s.io", "v1", "CustomResourceDefinition")
MANIFEST_SUFFIXES = (".yaml", ".yml", ".json", ".k", ".koreo")
MANAGER = "lambent"

# A CRD is Established within milliseconds; a busy real cluster has needed seconds.
ESTABLISHED_BOUND_S = 30.0

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Manifest:
    """One document and where it stands; `node` is its YAML tree, which knows the line of every field."""

    file: Path
    node: yaml.Node
    object: KubeObject

    @property
    def name(self) -> str:
        kind, meta = self.object["kind"], self.object["metadata"]
        return f"{kind}/{meta['name']}"

    def where(self, field: str = "") -> str:
        line, column = line_of(self.node, field)
        return f"{self.file}:{line}:{column}"


def read_manifests(paths: Sequence[Path]) -> list[Manifest]:
    """All documents of these files and folders, in order; raises `UsageError` with file:line:col."""
    manifests = [manifest for file in _files(paths) for manifest in _documents(file)]
    if not manifests:
        raise UsageError(f"no manifests in {', '.join(map(str, paths))}")
    return manifests


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(file for file in path.rglob("*") if file.suffix in MANIFEST_SUFFIXES and file.is_file())
        elif path.is_file():
            yield path
        else:
            raise UsageError(f"{path}: no such file or folder")


def _documents(file: Path) -> Iterator[Manifest]:
    try:
        loader = yaml.CSafeLoader(file.read_bytes())
        while loader.check_node():
            node = loader.get_node()
            data = loader.construct_document(node) if node else None
            if node and data is not None:
                yield from _split(file, node, data)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        at = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        raise UsageError(f"{file}{at}: not YAML: {error.problem}") from error


def _split(file: Path, node: yaml.Node, data: object) -> Iterator[Manifest]:
    """A `List` is its items; anything else must look like an object."""
    if isinstance(data, dict) and data.get("kind") == "List":
        items = next((value for key, value in node.value if key.value == "items"), None)
        for child, item in zip(items.value if items else (), data.get("items") or (), strict=True):
            yield from _split(file, child, item)
        return
    at = f"{file}:{node.start_mark.line + 1}:1"
    if not isinstance(data, dict):
        raise UsageError(f"{at}: a manifest is a mapping with apiVersion, kind and metadata")
    missing = [key for key in ("apiVersion", "kind") if not isinstance(data.get(key), str)]
    if not isinstance(data.get("metadata"), dict) or not isinstance(data["metadata"].get("name"), str):
        missing.append("metadata.name")
    if missing:
        raise UsageError(f"{at}: {', '.join(missing)} missing")
    yield Manifest(file, node, data)  # type: ignore[arg-type]  # checked above


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of one manifest: created, configured, unchanged or failed, with the complaint."""

    object: str
    where: str
    action: str
    message: str = ""


class Applier:
    """Applies manifests through one client; `tell` gets a line per object, `results` an entry."""

    def __init__(self, kube: KubeClient, *, create_namespace: bool, tell: Tell) -> None:
        self._kube = kube
        self._create_namespace = create_namespace
        self._tell = tell
        self.results: list[Applied] = []

    async def apply(self, manifests: Iterable[Manifest]) -> int:
        """Applies all of them in order; returns how many failed."""
        first: list[Manifest] = []
        rest: list[Manifest] = []
        for manifest in manifests:
            (first if GVK.of(manifest.object) in (NAMESPACE, CRD) else rest).append(manifest)
        first.sort(key=lambda manifest: GVK.of(manifest.object) != NAMESPACE)
        good = [await self._apply_one(manifest) for manifest in first]
        for manifest, was_applied in zip(first, tuple(good), strict=True):
            if was_applied and GVK.of(manifest.object) == CRD:
                good.append(await self._established(manifest))
        good += [await self._apply_one(manifest) for manifest in rest]
        return good.count(False)

    async def _apply_one(self, manifest: Manifest) -> bool:
        try:
            verb = await self._write(manifest)
        except KubeError as error:
            complaint = _complaint(manifest, error)
            self._tell(complaint)
            self.results.append(Applied(manifest.name, manifest.where(), "failed", complaint))
            return False
        self._tell(f"{manifest.name} {verb}")
        self.results.append(Applied(manifest.name, manifest.where(), verb))
        return True

    async def _write(self, manifest: Manifest) -> str:
        namespace = manifest.object["metadata"].get("namespace")
        if self._create_namespace and namespace:
            await self._ensure_namespace(namespace)
        return await apply_object(self._kube, manifest.object)

    async def _ensure_namespace(self, name: str) -> None:
        try:
            await self._kube.get(NAMESPACE, name)
        except NotFound:
            await apply_object(self._kube, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
            self._tell(f"Namespace/{name} created")

    async def _established(self, manifest: Manifest) -> bool:
        try:
            async with asyncio.timeout(ESTABLISHED_BOUND_S):
                await wait_established(self._kube, manifest.object["metadata"]["name"])
        except (TimeoutError, KubeError):
            self._tell(f"{manifest.where()}: {manifest.name} is not Established after {ESTABLISHED_BOUND_S:.0f} s")
            return False
        return True


async def apply_object(kube: KubeClient, obj: KubeObject) -> str:
    """Applies one object; says created, configured or unchanged."""
    meta = obj["metadata"]
    gvk = GVK.of(obj)
    info = await kube.resolve(gvk)
    namespace = (meta.get("namespace") or "default") if info.namespaced else None
    if info.namespaced and "namespace" not in meta:
        obj = {**obj, "metadata": {**meta, "namespace": "default"}}
    try:
        old = await kube.get(gvk, meta["name"], namespace=namespace)
    except NotFound:
        old = None
    new = await kube.apply(obj, manager=MANAGER, force=True)
    if old is None:
        return "created"
    return "unchanged" if _wanted(old) == _wanted(new) else "configured"


def _wanted(obj: KubeObject) -> dict[str, Any]:
    """What a manifest decides; a controller may have written the status between our read and our write."""
    meta = {k: v for k, v in obj["metadata"].items() if k not in ("resourceVersion", "managedFields")}
    return {**obj, "status": None, "metadata": meta}


async def wait_established(kube: KubeClient, name: str) -> None:
    """Returns when the CRD's Established condition is True; the caller sets the bound."""
    while True:
        crd = await kube.get(CRD, name)
        conditions = (crd.get("status") or {}).get("conditions") or ()
        if any(c["type"] == "Established" and c["status"] == "True" for c in conditions):
            return
        # The condition follows within milliseconds; a watch for it would cost more requests than it saves.
        await asyncio.sleep(0.05)


# How an API server tells a server-side apply that a field is unknown or of the wrong type; it gives no causes then.
_TYPED = re.compile(r"^failed to create typed patch object \(.*?\): \.([^:]+): (.+)$", re.DOTALL)


def _complaint(manifest: Manifest, error: KubeError) -> str:
    typed = _TYPED.match(error.message)
    if typed:
        return f"{manifest.where(typed[1])}: {manifest.name}: {typed[1]}: {typed[2]}"
    if isinstance(error, Invalid) and error.causes:
        return "\n".join(f"{manifest.where(field)}: {manifest.name}: {field}: {text}" for field, text in error.causes)
    hint = ""
    if isinstance(error, NotFound) and "namespaces" in error.message:
        hint = "; --create-namespace makes it"
    elif isinstance(error, NotFound):
        hint = "; is its CRD applied?"
    elif isinstance(error, Conflict):
        hint = "; another manager owns these fields"
    return f"{manifest.where()}: {manifest.name}: {error.message}{hint}"


async def apply_paths(
    paths: Sequence[Path], cluster: Cluster, *, create_namespace: bool, tell: Tell
) -> tuple[int, list[Applied]]:
    """Reads, connects and applies; how many failed, and what became of each."""
    from lambent.platform.clients import cluster_client

    manifests = read_manifests(paths)
    kube = cluster_client(cluster)
    try:
        applier = Applier(kube, create_namespace=create_namespace, tell=tell)
        return await applier.apply(manifests), applier.results
    finally:
        await kube.close()
