"""Where a container finds its volumes: as directories and as block devices.

Source: Kubernetes API reference, VolumeMount, VolumeDevice.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from lambent.kube.schema import Problem
from lambent.kubeserver.validation.errors import forbidden, invalid, not_found, required, unsupported
from lambent.kubeserver.validation.paths import descending, no_backsteps
from lambent.kubeserver.validation.rules import among, each

_PROPAGATION = among("Bidirectional", "HostToContainer", "None")


def mounts(one: Any, volumes: Mapping[str, Any], at: str) -> Iterator[Problem]:
    taken = {device.get("name", ""): device.get("devicePath", "") for device in one.get("volumeDevices") or ()}
    seen: set[str] = set()
    for mount, here in each(one.get("volumeMounts"), at):
        name, path = mount.get("name", ""), mount.get("mountPath", "")
        if not name:
            yield required(f"{here}.name")
        if name not in volumes:
            yield not_found(f"{here}.name", name)
        if not path:
            yield required(f"{here}.mountPath")
        if path in seen:
            yield invalid(f"{here}.mountPath", path, "must be unique")
        seen.add(path)
        if name in taken:
            yield invalid(f"{here}.name", name, "must not already exist in volumeDevices")
        if path in taken.values():
            yield invalid(f"{here}.mountPath", path, "must not already exist as a path in volumeDevices")
        yield from _below(mount, here, at)
        yield from _propagation(mount.get("mountPropagation"), one, f"{at}.mountPropagation")
        yield from _read_only(mount, f"{at}.recursiveReadOnly")


def _below(mount: Any, here: str, at: str) -> Iterator[Problem]:
    plain, expression = mount.get("subPath", ""), mount.get("subPathExpr", "")
    if plain:
        yield from descending(plain, f"{at}.subPath")
    if expression:
        if plain:
            yield invalid(f"{here}.subPathExpr", expression, "subPathExpr and subPath are mutually exclusive")
        yield from descending(expression, f"{at}.subPathExpr")


def _propagation(kind: str | None, one: Any, at: str) -> Iterator[Problem]:
    yield from _PROPAGATION(kind, at)
    if kind == "Bidirectional" and not (one.get("securityContext") or {}).get("privileged"):
        yield forbidden(at, "Bidirectional mount propagation is available only to privileged containers")


def _read_only(mount: Any, at: str) -> Iterator[Problem]:
    match mount.get("recursiveReadOnly"):
        case None | "Disabled":
            return
        case "Enabled" | "IfPossible":
            if not mount.get("readOnly"):
                yield forbidden(at, "may only be specified when readOnly is true")
            if mount.get("mountPropagation") not in (None, "None"):
                yield forbidden(at, "may only be specified when mountPropagation is None or not specified")
        case other:
            yield unsupported(at, other, ["Disabled", "Enabled", "IfPossible"])


def devices(one: Any, volumes: Mapping[str, Any], at: str) -> Iterator[Problem]:
    taken = {mount.get("name", ""): mount.get("mountPath", "") for mount in one.get("volumeMounts") or ()}
    seen_names: set[str] = set()
    seen_paths: set[str] = set()
    for device, here in each(one.get("volumeDevices"), at):
        name, path = device.get("name", ""), device.get("devicePath", "")
        yield from _device_name(name, volumes, seen_names, f"{here}.name")
        if not path:
            yield required(f"{here}.devicePath")
        if path in seen_paths:
            yield invalid(f"{here}.devicePath", path, "must be unique")
        if any(no_backsteps(path, at)):
            yield invalid(f"{here}.devicePath", path, "can not contain backsteps ('..')")
        else:
            seen_paths.add(path)
        if name in taken:
            yield invalid(f"{here}.name", name, "must not already exist in volumeMounts")
        if path in taken.values():
            yield invalid(f"{here}.devicePath", path, "must not already exist as a path in volumeMounts")


def _device_name(name: str, volumes: Mapping[str, Any], seen: set[str], at: str) -> Iterator[Problem]:
    if not name:
        yield required(at)
    if name in seen:
        yield invalid(at, name, "must be unique")
    seen |= {name} if name else set()
    if name not in volumes:
        yield not_found(at, name)
    elif not {"persistentVolumeClaim", "ephemeral"} & volumes[name].keys():
        text = "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode"
        yield invalid(at, name, text)
