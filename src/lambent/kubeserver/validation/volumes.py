"""Volumes of Pods, of every source. Source: Kubernetes API reference, Volume.

A source is judged by one rule of its own; what most have in common, members that have to be there, is a table.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

from lambent.kube.schema import Problem
from lambent.kubeserver.validation import names
from lambent.kubeserver.validation.claims import claim_template
from lambent.kubeserver.validation.errors import (
    duplicate,
    forbidden,
    invalid,
    listed,
    required,
    texts,
    too_long,
    unsupported,
)
from lambent.kubeserver.validation.paths import descending, no_backsteps, unreserved
from lambent.kubeserver.validation.quantities import parse
from lambent.kubeserver.validation.references import VOLUME_FIELDS, field, resource_field

Rule = Callable[[Any, str], Iterator[Problem]]
_MODE = "must be a number between 0 and 0777 (octal), both inclusive"


def volumes(found: Any, at: str, pod: str = "") -> tuple[dict[str, Any], list[Problem]]:
    """Those that mounts may name, only the good ones, and all that is wrong; `pod` is the Pod's name, if it has one."""
    usable: dict[str, Any] = {}
    problems: list[Problem] = []
    made = {f"{pod}-{one.get('name', '')}" for one in found if one.get("ephemeral") is not None} if pod else set()
    for index, volume in enumerate(found):
        here = f"{at}[{index}]"
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
    if not name:
        yield required(f"{at}.name")
    else:
        yield from texts(f"{at}.name", name, names.dns_label(name))
    if name in usable:
        yield duplicate(f"{at}.name", name)


def _source(volume: Any, at: str) -> Iterator[Problem]:
    kinds = [kind for kind in _ORDER if volume.get(kind) is not None]
    if not kinds:
        yield required(at, "must specify a volume type")
        return
    first = kinds[0]
    here = f"{at}.persistentDisk" if first == "gcePersistentDisk" else f"{at}.{first}"
    for member in _NEEDED.get(first, ()):
        if not volume[first].get(member):
            yield required(f"{here}.{member}")
    if first in _RULES:
        yield from _RULES[first](volume[first], here)
    for kind in kinds[1:]:
        yield forbidden(f"{at}.{_TOLD.get(kind, kind)}", "may not specify more than 1 volume type")


_TOLD = {"cephfs": "cephFS", "downwardAPI": "downwarAPI"}  # as kube-apiserver spells them there
_ORDER = (
    "emptyDir", "hostPath", "gitRepo", "gcePersistentDisk", "awsElasticBlockStore", "secret", "nfs", "iscsi",
    "glusterfs", "flocker", "persistentVolumeClaim", "rbd", "cinder", "cephfs", "quobyte", "downwardAPI", "fc",
    "flexVolume", "configMap", "azureFile", "vsphereVolume", "photonPersistentDisk", "portworxVolume", "azureDisk",
    "storageos", "projected", "scaleIO", "csi", "ephemeral",
)  # fmt: skip
_NEEDED = {
    "gitRepo": ("repository",),
    "gcePersistentDisk": ("pdName",),
    "awsElasticBlockStore": ("volumeID",),
    "secret": ("secretName",),
    "nfs": ("server", "path"),
    "iscsi": ("targetPortal",),
    "glusterfs": ("endpoints", "path"),
    "persistentVolumeClaim": ("claimName",),
    "rbd": ("monitors", "image"),
    "cinder": ("volumeID",),
    "cephfs": ("monitors",),
    "quobyte": ("volume",),
    "flexVolume": ("driver",),
    "configMap": ("name",),
    "azureFile": ("secretName", "shareName"),
    "vsphereVolume": ("volumePath",),
    "photonPersistentDisk": ("pdID",),
    "portworxVolume": ("volumeID",),
    "azureDisk": ("diskName", "diskURI"),
    "storageos": ("volumeName",),
    "scaleIO": ("gateway", "system", "volumeName"),
    "csi": ("driver",),
    "ephemeral": ("volumeClaimTemplate",),
}


def _empty_dir(source: Any, at: str) -> Iterator[Problem]:
    if source.get("sizeLimit") is not None and parse(source["sizeLimit"])[0] < 0:
        yield forbidden(f"{at}.sizeLimit", "SizeLimit field must be a valid resource quantity")


_PATH_TYPES = ("", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket")


def _host_path(source: Any, at: str) -> Iterator[Problem]:
    if not source.get("path"):
        yield required(f"{at}.path")
        return
    yield from no_backsteps(source["path"], f"{at}.path")
    yield from listed(f"{at}.type", source.get("type"), _PATH_TYPES)


def _git(source: Any, at: str) -> Iterator[Problem]:
    yield from descending(source.get("directory", ""), f"{at}.directory")


def _partition(source: Any, at: str) -> Iterator[Problem]:
    number = source.get("partition", 0)
    if not 0 <= number <= 255:
        yield invalid(f"{at}.partition", number, "must be between 1 and 255, inclusive")


def _mode(source: Any, member: str, at: str) -> Iterator[Problem]:
    mode = source.get(member)
    if mode is not None and not 0 <= mode <= 0o777:
        yield invalid(f"{at}.{member}", mode, _MODE)


def _files(source: Any, at: str) -> Iterator[Problem]:
    yield from _mode(source, "defaultMode", at)
    yield from _items(source, at)


def _items(source: Any, at: str) -> Iterator[Problem]:
    for index, item in enumerate(source.get("items") or ()):
        here = f"{at}.items[{index}]"
        for member in ("key", "path"):
            if not item.get(member):
                yield required(f"{here}.{member}")
        yield from unreserved(item.get("path", ""), f"{here}.path")
        yield from _mode(item, "mode", here)


def _nfs(source: Any, at: str) -> Iterator[Problem]:
    path = source.get("path", "")
    if not path.startswith("/"):
        yield invalid(f"{at}.path", path, "must be an absolute path")


_INITIATORS = {
    "iqn": re.compile(r"iqn\.\d{4}-\d{2}\.([a-zA-Z0-9.-]+)(:[^,;*&$|\s]+)\Z", re.ASCII),
    "eui": re.compile(r"eui.[a-zA-Z0-9]{16}\Z", re.ASCII),
    "naa": re.compile(r"naa.[a-zA-Z0-9]{32}\Z", re.ASCII),
}


def _iscsi(source: Any, at: str) -> Iterator[Problem]:
    if not source.get("iqn"):
        yield required(f"{at}.iqn")
    else:
        yield from _initiator(source["iqn"], f"{at}.iqn")
    yield from _unit(source.get("lun", 0), f"{at}.lun")
    if (source.get("chapAuthDiscovery") or source.get("chapAuthSession")) and source.get("secretRef") is None:
        yield required(f"{at}.secretRef")
    if (own := source.get("initiatorName")) is not None:
        yield from _initiator(own, f"{at}.initiatorname")


def _initiator(name: str, at: str) -> Iterator[Problem]:
    shape = _INITIATORS.get(name[:3])
    if shape is None:
        yield invalid(at, name, "must be valid format starting with iqn, eui, or naa")
    elif not shape.search(name):
        yield invalid(at, name, "must be valid format")


def _unit(number: int, at: str) -> Iterator[Problem]:
    if not 0 <= number <= 255:
        yield invalid(at, number, "must be between 0 and 255, inclusive")


def _flocker(source: Any, at: str) -> Iterator[Problem]:
    name, uid = source.get("datasetName", ""), source.get("datasetUUID", "")
    if not name and not uid:
        yield required(at, "one of datasetName and datasetUUID is required")
    if name and uid:
        yield invalid(at, "resource", "datasetName and datasetUUID can not be specified simultaneously")
    if "/" in name:
        yield invalid(f"{at}.datasetName", name, "must not contain '/'")


def _secret_ref(source: Any, at: str) -> Iterator[Problem]:
    if source.get("secretRef") is not None and not source["secretRef"].get("name"):
        yield required(f"{at}.secretRef.name")


def _quobyte(source: Any, at: str) -> Iterator[Problem]:
    text = "must be a host:port pair or multiple pairs separated by commas"
    registry = source.get("registry", "")
    if not registry:
        yield required(f"{at}.registry", text)
    elif len(source.get("tenant", "")) > 64:
        yield required(f"{at}.tenant", "must be a UUID and may not exceed a length of 64 characters")
    else:
        wrong = [pair for pair in registry.split(",") if pair.rpartition("]")[2].count(":") != 1]
        yield from (invalid(f"{at}.registry", registry, text) for _pair in wrong)


def _downward(source: Any, at: str) -> Iterator[Problem]:
    yield from _mode(source, "defaultMode", at)
    for one in source.get("items") or ():
        yield from _downward_file(one, at)


def _downward_file(one: Any, at: str) -> Iterator[Problem]:
    path, ref, amount = one.get("path", ""), one.get("fieldRef"), one.get("resourceFieldRef")
    if not path:
        yield required(f"{at}.path")
    yield from unreserved(path, f"{at}.path")
    if ref is not None:
        yield from field(ref, VOLUME_FIELDS, f"{at}.fieldRef")
        if amount is not None:
            yield invalid(at, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously")
    elif amount is not None:
        yield from resource_field(amount, f"{at}.resourceFieldRef", needs_container=True)
    else:
        yield required(at, "one of fieldRef and resourceFieldRef is required")
    yield from _mode(one, "mode", at)


def _fibre(source: Any, at: str) -> Iterator[Problem]:
    targets, wide = source.get("targetWWNs") or [], source.get("wwids") or []
    if not targets and not wide:
        yield required(f"{at}.targetWWNs", "must specify either targetWWNs or wwids, but not both")
    if targets and wide:
        text = "targetWWNs and wwids can not be specified simultaneously"
        yield invalid(f"{at}.targetWWNs", targets, text)
    if targets and source.get("lun") is None:
        yield required(f"{at}.lun", "lun is required if targetWWNs is specified")
    elif targets:
        yield from _unit(source["lun"], f"{at}.lun")


def _flex(source: Any, at: str) -> Iterator[Problem]:
    for key in source.get("options") or ():
        if f".{key.partition('/')[0].lower()}".endswith((".kubernetes.io", ".k8s.io")):
            yield invalid(f"{at}.options[{key}]", key, "kubernetes.io and k8s.io namespaces are reserved")


_MANAGED_DISK = "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}"
_BLOB_DISK = "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd"


def _azure(source: Any, at: str) -> Iterator[Problem]:
    yield from listed(f"{at}.cachingMode", source.get("cachingMode"), ("None", "ReadOnly", "ReadWrite"))
    kind, where = source.get("kind"), source.get("diskURI", "")
    yield from listed(f"{at}.kind", kind, ("Dedicated", "Managed", "Shared"))
    if kind == "Managed" and not where.startswith("/subscriptions/"):
        yield unsupported(f"{at}.diskURI", where, [_MANAGED_DISK])
    elif kind not in (None, "Managed") and not where.startswith("https://"):
        yield unsupported(f"{at}.diskURI", where, [_BLOB_DISK])


def _storage_os(source: Any, at: str) -> Iterator[Problem]:
    for member in ("volumeName", "volumeNamespace"):
        if name := source.get(member):
            yield from texts(f"{at}.{member}", name, names.dns_label(name))
    yield from _secret_ref(source, at)


def _csi(source: Any, at: str) -> Iterator[Problem]:
    driver, ref = source.get("driver", ""), source.get("nodePublishSecretRef")
    if len(driver.encode()) > names.LABEL_LIMIT:
        yield too_long(f"{at}.driver", names.LABEL_LIMIT)
    yield from texts(f"{at}.driver", driver, names.subdomain(driver.lower()))
    if ref is not None and not ref.get("name"):
        yield required(f"{at}.nodePublishSecretRef.name")
    elif ref is not None:
        yield from texts(f"{at}.name", ref["name"], names.subdomain(ref["name"]))


def _ephemeral(source: Any, at: str) -> Iterator[Problem]:
    if (found := source.get("volumeClaimTemplate")) is not None:
        yield from claim_template(found, f"{at}.volumeClaimTemplate")


def _projected(source: Any, at: str) -> Iterator[Problem]:
    yield from _mode(source, "defaultMode", at)
    seen: set[str] = set()
    for index, one in enumerate(source.get("sources") or ()):
        here = f"{at}.sources[{index}]"
        given = [kind for kind in _PROJECTIONS if one.get(kind) is not None]
        for kind in given:
            yield from _PROJECTIONS[kind](one[kind], f"{here}.{kind}")
            yield from _written(kind, one[kind], seen, at)
        if (token := one.get("serviceAccountToken")) is not None:
            yield from _token_path(token, f"{at}.path")
        if len(given) > 1:
            yield forbidden(here, "may not specify more than 1 volume type per source")


def _written(kind: str, one: Any, seen: set[str], at: str) -> Iterator[Problem]:
    """No two sources may write one path; of files in Secrets and ConfigMaps the source's name is told."""
    for path in filter(None, (item.get("path") for item in one.get("items") or ())):
        if path in seen:
            yield invalid(at, one.get("name", "") if kind in ("secret", "configMap") else path,
                          "conflicting duplicate paths")  # fmt: skip
        seen.add(path)


def _named_files(source: Any, at: str) -> Iterator[Problem]:
    if not source.get("name"):
        yield required(f"{at}.name")
    yield from _items(source, at)


def _downward_files(source: Any, at: str) -> Iterator[Problem]:
    for one in source.get("items") or ():
        yield from _downward_file(one, at)


def _token(source: Any, at: str) -> Iterator[Problem]:
    seconds = source.get("expirationSeconds", 0)
    if seconds < 600:
        yield invalid(f"{at}.expirationSeconds", seconds, "may not specify a duration less than 10 minutes")
    if seconds > 1 << 32:
        yield invalid(f"{at}.expirationSeconds", seconds, "may not specify a duration larger than 2^32 seconds")


def _token_path(source: Any, at: str) -> Iterator[Problem]:
    if not source.get("path"):
        yield required(at)
    else:
        yield from unreserved(source["path"], at)


_PROJECTIONS: dict[str, Rule] = {
    "secret": _named_files,
    "configMap": _named_files,
    "downwardAPI": _downward_files,
    "serviceAccountToken": _token,
}
_RULES: dict[str, Rule] = {
    "emptyDir": _empty_dir,
    "hostPath": _host_path,
    "gitRepo": _git,
    "gcePersistentDisk": _partition,
    "awsElasticBlockStore": _partition,
    "secret": _files,
    "nfs": _nfs,
    "iscsi": _iscsi,
    "flocker": _flocker,
    "cinder": _secret_ref,
    "quobyte": _quobyte,
    "downwardAPI": _downward,
    "fc": _fibre,
    "flexVolume": _flex,
    "configMap": _files,
    "azureDisk": _azure,
    "storageos": _storage_os,
    "projected": _projected,
    "csi": _csi,
    "ephemeral": _ephemeral,
}
