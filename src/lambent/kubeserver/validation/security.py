"""Security contexts of Pods and containers. Source: Kubernetes API reference, PodSecurityContext, SecurityContext.

Not here: the options of Windows.
"""

import re
from collections.abc import Iterator
from typing import Any

from lambent.kube.schema import Problem
from lambent.kubeserver.validation.errors import (
    duplicate,
    forbidden,
    go_struct,
    invalid,
    invalid_shown,
    required,
    too_long,
)
from lambent.kubeserver.validation.paths import descending
from lambent.kubeserver.validation.rules import Members, among, between, each, items, members, needed

_ID = between(0, 2**31 - 1)
_SYSCTL = "^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$"
_IS_SYSCTL = re.compile(_SYSCTL.removesuffix("$") + r"\Z", re.ASCII)
_SYSCTL_LIMIT, _PATH_LIMIT = 253, 4095
_PROFILE = among("Localhost", "RuntimeDefault", "Unconfined")
_IPC = ("kernel.shm", "kernel.msg", "kernel.sem", "fs.mqueue.")


def of_pod(spec: Any, at: str) -> Iterator[Problem]:
    """`at` is the pod's spec, which holds some of what belongs here."""
    context, here = spec.get("securityContext") or {}, f"{at}.securityContext"
    yield from members(context, here, _POD_IDS)
    if spec.get("hostPID") and spec.get("shareProcessNamespace"):
        text = "ShareProcessNamespace and HostPID cannot both be enabled"
        yield invalid(f"{here}.shareProcessNamespace", True, text)
    yield from _sysctls(context.get("sysctls"), spec, f"{here}.sysctls")
    yield from members(context, here, _POD)


def _sysctls(found: Any, spec: Any, at: str) -> Iterator[Problem]:
    seen: set[str] = set()
    for one, place in each(found, at):
        here, name = f"{place}.name", one.get("name", "")
        if not name:
            yield required(here)
        elif len(name) > _SYSCTL_LIMIT or not _IS_SYSCTL.match(name):
            yield invalid(here, name, f"must have at most {_SYSCTL_LIMIT} characters and match regex {_SYSCTL}")
        elif name in seen:
            yield duplicate(here, name)
        seen.add(name)
        dotted = name.replace("/", ".")
        if spec.get("hostNetwork") and dotted.startswith("net."):
            yield invalid(here, name, "may not be specified when 'hostNetwork' is true")
        if spec.get("hostIPC") and dotted.startswith(_IPC):
            yield invalid(here, name, "may not be specified when 'hostIPC' is true")


def _seccomp(profile: Any, at: str) -> Iterator[Problem]:
    if profile is None:
        return
    kind, local = profile.get("type", ""), profile.get("localhostProfile")
    yield from _SECCOMP(kind, f"{at}.type")
    if kind == "Localhost":
        if local is None:
            yield required(f"{at}.localhostProfile", "must be set when seccomp type is Localhost")
        else:
            yield from descending(local, f"{at}.localhostProfile")
    elif local is not None:
        shown = go_struct({"type": kind, **profile}, "Type", "LocalhostProfile")
        yield invalid_shown(f"{at}.localhostProfile", shown, "can only be set when seccomp type is Localhost")


def _apparmor(profile: Any, at: str) -> Iterator[Problem]:
    if profile is None:
        return
    kind, local, here = profile.get("type", ""), profile.get("localhostProfile"), f"{at}.localhostProfile"
    wrong = [*_APPARMOR(kind, f"{at}.type")]
    yield from wrong
    if wrong:
        return
    if kind != "Localhost":
        if local is not None:
            yield invalid(here, local, "can only be set when AppArmor type is Localhost")
    elif not local:
        yield required(here, "must be set when AppArmor type is Localhost")
    elif local.strip() != local:
        yield invalid(here, local, "must not be padded with whitespace")
    if kind == "Localhost" and len((local or "").encode()) > _PATH_LIMIT:
        yield too_long(here, _PATH_LIMIT)


_SECCOMP = needed(_PROFILE, "type is required when seccompProfile is set")
_APPARMOR = needed(_PROFILE, "type is required when appArmorProfile is set")
_POD_IDS: Members = {"fsGroup": _ID, "runAsUser": _ID, "runAsGroup": _ID, "supplementalGroups": items(_ID)}
_POD: Members = {
    "fsGroupChangePolicy": among("Always", "OnRootMismatch"),
    "seccompProfile": _seccomp,
    "appArmorProfile": _apparmor,
    "supplementalGroupsPolicy": among("Merge", "Strict"),
    "seLinuxChangePolicy": among("Recursive"),
}
_CONTAINER: Members = {"runAsUser": _ID, "runAsGroup": _ID, "procMount": among("Default", "Unmasked")}
_CONTEXT = (
    "Capabilities", "Privileged", "SELinuxOptions", "WindowsOptions", "RunAsUser", "RunAsGroup", "RunAsNonRoot",
    "ReadOnlyRootFilesystem", "AllowPrivilegeEscalation", "ProcMount", "SeccompProfile", "AppArmorProfile",
)  # fmt: skip
_NESTED = {
    "Capabilities": ("Add", "Drop"),
    "SELinuxOptions": ("User", "Role", "Type", "Level"),
    "SeccompProfile": ("Type", "LocalhostProfile"),
    "AppArmorProfile": ("Type", "LocalhostProfile"),
}


def of_container(context: Any, at: str, *, has_host_users: bool) -> Iterator[Problem]:
    if context is None:
        return
    yield from members(context, at, _CONTAINER)
    if has_host_users and context.get("procMount") == "Unmasked":
        yield invalid(f"{at}.procMount", "Unmasked", "`hostUsers` must be false to use `Unmasked`")
    yield from _seccomp(context.get("seccompProfile"), f"{at}.seccompProfile")
    if context.get("allowPrivilegeEscalation") is False:
        lead = "cannot set `allowPrivilegeEscalation` to false and"
        if context.get("privileged"):
            yield invalid_shown(at, _shown(context), f"{lead} `privileged` to true")
        added = (context.get("capabilities") or {}).get("add") or ()
        if "CAP_SYS_ADMIN" in added:
            yield invalid_shown(at, _shown(context), f"{lead} `capabilities.Add` CAP_SYS_ADMIN")
    yield from _apparmor(context.get("appArmorProfile"), f"{at}.appArmorProfile")


def _shown(context: Any) -> str:
    options = context.get("seLinuxOptions")
    empty = {name: "" for name in ("user", "role", "type", "level")}
    renamed = {"sELinuxOptions": None if options is None else empty | options}
    return go_struct({**context, **renamed}, *_CONTEXT, nested=_NESTED)


def on_host(spec: Any, at: str) -> Iterator[Problem]:
    """What Pods with users of their own may not share with the host."""
    if spec.get("hostUsers") is not False:
        return
    for name, shown in (("hostNetwork", "hostNetwork"), ("hostPID", "HostPID"), ("hostIPC", "HostIPC")):
        if spec.get(name):
            yield forbidden(f"{at}.{shown}", "when `hostUsers` is false")
    for kind in ("initContainers", "containers"):
        for one, here in each(spec.get(kind), f"{at}.{kind}"):
            if one.get("volumeDevices"):
                yield forbidden(f"{here}.volumeDevices", "when `hostUsers` is false")


_LINUX_ONLY = ("appArmorProfile", "seLinuxOptions", "seccompProfile", "runAsUser", "runAsGroup")
_LINUX_PODS = (*_LINUX_ONLY, "fsGroup", "fsGroupChangePolicy", "sysctls", "supplementalGroups",
               "supplementalGroupsPolicy", "seLinuxChangePolicy")  # fmt: skip
_LINUX_CONTAINERS = (*_LINUX_ONLY, "capabilities", "readOnlyRootFilesystem", "privileged", "allowPrivilegeEscalation",
                     "procMount")  # fmt: skip


def of_system(spec: Any, at: str) -> Iterator[Problem]:
    """What one operating system knows and the other does not."""
    if (spec.get("os") or {}).get("name") not in ("linux", "windows"):
        return
    is_linux = spec["os"]["name"] == "linux"
    text = "windows options cannot be set for a linux pod" if is_linux else "cannot be set for a windows pod"
    context = spec.get("securityContext") or {}
    for name in ("windowsOptions",) if is_linux else _LINUX_PODS:
        if context.get(name) not in (None, []):
            yield forbidden(f"{at}.securityContext.{name}", text)
    for name in () if is_linux else ("hostUsers", "shareProcessNamespace"):
        if spec.get(name) is not None:
            yield forbidden(f"{at}.{name}", text)
    for name in () if is_linux else ("hostPID", "hostIPC"):
        if spec.get(name):
            yield forbidden(f"{at}.{name}", text)
    for kind in ("initContainers", "containers", "ephemeralContainers"):
        for one, here in each(spec.get(kind), f"{at}.{kind}"):
            own = one.get("securityContext") or {}
            for name in ("windowsOptions",) if is_linux else _LINUX_CONTAINERS:
                if own.get(name) is not None:
                    yield forbidden(f"{here}.securityContext.{name}", text)
