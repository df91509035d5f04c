"""Volumes of Pods, of every source. Source: Kubernetes API reference, Volume.

A source is judged by its rule in one table; what its members alone have to be are tables too.
"""

import re
from collections.abc import Iterator
from typing import Any

from lambent.kube.schema import Problem
from lambent.kubeserver.validation import names
from lambent.kubeserver.validation.access import token_life
from lambent.kubeserver.validation.claims import claim_template
from lambent.kubeserver.validation.errors import (
    duplicate,
    forbidden,
    invalid,
    required,
    texts,
    too_long,
    unsupported,
)
from lambent.kubeserver.validation.paths import descending, no_backsteps, unreserved
from lambent.kubeserver.validation.quantities import parse
from lambent.kubeserver.validation.references import VOLUME_FIELDS, field, resource_field
from lambent.kubeserver.validation.rules import (
    Members,
    Rule,
    among,
    between,
    each,
    inside,
    items,
    members,
    named,
    needed,
)

_NAME = needed(named(names.dns_label))
_MODE = between(0, 0o777, "must be a number between 0 and 0777 (octal), both inclusive")
_PARTITION = between(0, 255, "must be between 1 and 255, inclusive")
_UNIT = between(0, 255)
_PATH = needed(unreserved)
_SECRET = inside({"name": needed()})
_FILES: Members = {"items": items(inside({"key": needed(), "path": _PATH, "mode": _MODE}))}


def volumes(found: Any, at: str, pod: str = "") -> tuple[dict[str, Any], list[Problem]]:
    """Those that mounts may name, only the good ones, and all that is wrong; `pod` is the Pod's name, if it has one."""
    usable: dict[str, Any] = {}
    problems: list[Problem] = []
    made = {f"{pod}-{one.get('name', '')}" for one in found if one.get("ephemeral") is not None} if pod else set()
    for volume, here in each(found, at):
        wrong = [*_volume(volume, usable, here)]
        if not wrong:
            usable[volume["name"]] = volume
        problems += wrong
        claimed = (volume.get("persistentVolumeClaim") or {}).get("claimName", "")
        if claimed in made:
            text = "must not reference a PVC that gets created for an ephemeral volume"
            problems.append(invalid(f"{here}.persistentVolumeClaim.claimName", claimed, text))
    return usable, problems


def _volume(volume: Any, usable: Any, at: str) -> Iterator[Problem]:
    name = volume.get("name", "")
    yield from _source(volume, at)
    yield from _NAME(name, f"{at}.name")
    if name in usable:
        yield duplicate(f"{at}.name", name)


def _source(volume: Any, at: str) -> Iterator[Problem]:
    kinds = [kind for kind in _SOURCES if volume.get(kind) is not None]
    if not kinds:
        yield required(at, "must specify a volume type")
        return
    first = kinds[0]
    yield from _SOURCES[first](volume[first], f"{at}.{'persistentDisk' if first == 'gcePersistentDisk' else first}")
    for kind in kinds[1:]:
        yield forbidden(f"{at}.{_TOLD.get(kind, kind)}", "may not specify more than 1 volume type")


_TOLD = {"cephfs": "cephFS", "downwardAPI": "downwarAPI"}  # as kube-apiserver spells them there


def _empty_dir(source: Any, at: str) -> Iterator[Problem]:
    if source.get("sizeLimit") is not None and parse(source["sizeLimit"])[0] < 0:
        yield forbidden(f"{at}.sizeLimit", "SizeLimit field must be a valid resource quantity")


_PATH_TYPE = among("", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket")


def _host_path(source: Any, at: str) -> Iterator[Problem]:
    if not source.get("path"):
        yield required(f"{at}.path")
        return
    yield from no_backsteps(source["path"], f"{at}.path")
    yield from _PATH_TYPE(source.get("type"), f"{at}.type")


def _absolute(path: str | None, at: str) -> Iterator[Problem]:
    if not path:
        yield required(at)
    if not (path or "").startswith("/"):
        yield invalid(at, path or "", "must be an absolute path")


_INITIATORS = {
    "iqn": re.compile(r"iqn\.\d{4}-\d{2}\.([a-zA-Z0-9.-]+)(:[^,;*&$|\s]+)\Z", re.ASCII),
    "eui": re.compile(r"eui.[a-zA-Z0-9]{16}\Z", re.ASCII),
    "naa": re.compile(r"naa.[a-zA-Z0-9]{32}\Z", re.ASCII),
}


def _initiator(name: str, at: str) -> Iterator[Problem]:
    shape = _INITIATORS.get(name[:3])
    if shape is None:
        yield invalid(at, name, "must be valid format starting with iqn, eui, or naa")
    elif not shape.search(name):
        yield invalid(at, name, "must be valid format")


_ISCSI: Members = {"targetPortal": needed(), "iqn": needed(_initiator), "lun": _UNIT}


def _iscsi(source: Any, at: str) -> Iterator[Problem]:
    yield from members(source, at, _ISCSI)
    if (source.get("chapAuthDiscovery") or source.get("chapAuthSession")) and source.get("secretRef") is None:
        yield required(f"{at}.secretRef")
    if (own := source.get("initiatorName")) is not None:
        yield from _initiator(own, f"{at}.initiatorname")


def _flocker(source: Any, at: str) -> Iterator[Problem]:
    name, uid = source.get("datasetName", ""), source.get("datasetUUID", "")
    if not name and not uid:
        yield required(at, "one of datasetName and datasetUUID is required")
    if name and uid:
        yield invalid(at, "resource", "datasetName and datasetUUID can not be specified simultaneously")
    if "/" in name:
        yield invalid(f"{at}.datasetName", name, "must not contain '/'")


def _quobyte(source: Any, at: str) -> Iterator[Problem]:
    text = "must be a host:port pair or multiple pairs separated by commas"
    registry = source.get("registry", "")
    if not source.get("volume"):
        yield required(f"{at}.volume")
    if not registry:
        yield required(f"{at}.registry", text)
    elif len(source.get("tenant", "")) > 64:
        yield required(f"{at}.tenant", "must be a UUID and may not exceed a length of 64 characters")
    else:
        wrong = [pair for pair in registry.split(",") if pair.rpartition("]")[2].count(":") != 1]
        yield from (invalid(f"{at}.registry", registry, text) for _pair in wrong)


def _downward(source: Any, at: str) -> Iterator[Problem]:
    yield from _MODE(source.get("defaultMode"), f"{at}.defaultMode")
    yield from _downward_files(source, at)


def _downward_files(source: Any, at: str) -> Iterator[Problem]:
    for one in source.get("items") or ():
        yield from _downward_file(one, at)


def _downward_file(one: Any, at: str) -> Iterator[Problem]:
    ref, amount = one.get("fieldRef"), one.get("resourceFieldRef")
    yield from _PATH(one.get("path"), f"{at}.path")
    if ref is not None:
        yield from field(ref, VOLUME_FIELDS, f"{at}.fieldRef")
        if amount is not None:
            yield invalid(at, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously")
    elif amount is not None:
        yield from resource_field(amount, f"{at}.resourceFieldRef", needs_container=True)
    else:
        yield required(at, "one of fieldRef and resourceFieldRef is required")
    yield from _MODE(one.get("mode"), f"{at}.mode")


def _fibre(source: Any, at: str) -> Iterator[Problem]:
    targets, wide = source.get("targetWWNs") or [], source.get("wwids") or []
    if not targets and not wide:
        yield required(f"{at}.targetWWNs", "must specify either targetWWNs or wwids, but not both")
    if targets and wide:
        yield invalid(f"{at}.targetWWNs", targets, "targetWWNs and wwids can not be specified simultaneously")
    if targets and source.get("lun") is None:
        yield required(f"{at}.lun", "lun is required if targetWWNs is specified")
    elif targets:
        yield from _UNIT(source["lun"], f"{at}.lun")


def _reserved(options: Any, at: str) -> Iterator[Problem]:
    for key in options or ():
        if f".{key.partition('/')[0].lower()}".endswith((".kubernetes.io", ".k8s.io")):
            yield invalid(f"{at}[{key}]", key, "kubernetes.io and k8s.io namespaces are reserved")


_MANAGED_DISK = "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}"
_BLOB_DISK = "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd"
_AZURE: Members = {
    "diskName": needed(),
    "diskURI": needed(),
    "cachingMode": among("None", "ReadOnly", "ReadWrite"),
    "kind": among("Dedicated", "Managed", "Shared"),
}


def _azure(source: Any, at: str) -> Iterator[Problem]:
    yield from members(source, at, _AZURE)
    kind, where = source.get("kind"), source.get("diskURI", "")
    if kind == "Managed" and not where.startswith("/subscriptions/"):
        yield unsupported(f"{at}.diskURI", where, [_MANAGED_DISK])
    elif kind not in (None, "Managed") and not where.startswith("https://"):
        yield unsupported(f"{at}.diskURI", where, [_BLOB_DISK])


def _csi(source: Any, at: str) -> Iterator[Problem]:
    driver, ref = source.get("driver", ""), source.get("nodePublishSecretRef")
    if not driver:
        yield required(f"{at}.driver")
    if len(driver.encode()) > names.LABEL_LIMIT:
        yield too_long(f"{at}.driver", names.LABEL_LIMIT)
    yield from texts(f"{at}.driver", driver, names.subdomain(driver.lower()))
    if ref is not None and not ref.get("name"):
        yield required(f"{at}.nodePublishSecretRef.name")
    elif ref is not None:
        yield from texts(f"{at}.name", ref["name"], names.subdomain(ref["name"]))


def _ephemeral(source: Any, at: str) -> Iterator[Problem]:
    if not (found := source.get("volumeClaimTemplate")):
        yield required(f"{at}.volumeClaimTemplate")
    if found is not None:
        yield from claim_template(found, f"{at}.volumeClaimTemplate")


def _projected(source: Any, at: str) -> Iterator[Problem]:
    yield from _MODE(source.get("defaultMode"), f"{at}.defaultMode")
    seen: set[str] = set()
    for one, here in each(source.get("sources"), f"{at}.sources"):
        given = [kind for kind in _PROJECTIONS if one.get(kind) is not None]
        for kind in given:
            yield from _PROJECTIONS[kind](one[kind], f"{here}.{kind}")
            yield from _written(kind, one[kind], seen, at)
        if (token := one.get("serviceAccountToken")) is not None:
            yield from _PATH(token.get("path"), f"{at}.path")
        if len(given) > 1:
            yield forbidden(here, "may not specify more than 1 volume type per source")


def _written(kind: str, one: Any, seen: set[str], at: str) -> Iterator[Problem]:
    """No two sources may write one path; of files in Secrets and ConfigMaps the source's name is told."""
    for path in filter(None, (item.get("path") for item in one.get("items") or ())):
        if path in seen:
            shown = one.get("name", "") if kind in ("secret", "configMap") else path
            yield invalid(at, shown, "conflicting duplicate paths")
        seen.add(path)


def _token(source: Any, at: str) -> Iterator[Problem]:
    return token_life(source.get("expirationSeconds", 0), f"{at}.expirationSeconds")


_PROJECTIONS: dict[str, Rule] = {
    "secret": inside({"name": needed(), **_FILES}),
    "configMap": inside({"name": needed(), **_FILES}),
    "downwardAPI": _downward_files,
    "serviceAccountToken": _token,
}
# In the order in which kube-apiserver looks for them.
_SOURCES: dict[str, Rule] = {
    "emptyDir": _empty_dir,
    "hostPath": _host_path,
    "gitRepo": inside({"repository": needed(), "directory": descending}),
    "gcePersistentDisk": inside({"pdName": needed(), "partition": _PARTITION}),
    "awsElasticBlockStore": inside({"volumeID": needed(), "partition": _PARTITION}),
    "secret": inside({"secretName": needed(), "defaultMode": _MODE, **_FILES}),
    "nfs": inside({"server": needed(), "path": _absolute}),
    "iscsi": _iscsi,
    "glusterfs": inside({"endpoints": needed(), "path": needed()}),
    "flocker": _flocker,
    "persistentVolumeClaim": inside({"claimName": needed()}),
    "rbd": inside({"monitors": needed(), "image": needed()}),
    "cinder": inside({"volumeID": needed(), "secretRef": _SECRET}),
    "cephfs": inside({"monitors": needed()}),
    "quobyte": _quobyte,
    "downwardAPI": _downward,
    "fc": _fibre,
    "flexVolume": inside({"driver": needed(), "options": _reserved}),
    "configMap": inside({"name": needed(), "defaultMode": _MODE, **_FILES}),
    "azureFile": inside({"secretName": needed(), "shareName": needed()}),
    "vsphereVolume": inside({"volumePath": needed()}),
    "photonPersistentDisk": inside({"pdID": needed()}),
    "portworxVolume": inside({"volumeID": needed()}),
    "azureDisk": _azure,
    "storageos": inside({"volumeName": _NAME, "volumeNamespace": named(names.dns_label), "secretRef": _SECRET}),
    "projected": _projected,
    "scaleIO": inside({"gateway": needed(), "system": needed(), "volumeName": needed()}),
    "csi": _csi,
    "ephemeral": _ephemeral,
}
