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
    go_struct_of,
    invalid,
    invalid_shown,
    listed,
    required,
    too_long,
    unsupported,
)
from lambent.kubeserver.validation.paths import descending

_LARGEST = 2**31 - 1
_SYSCTL = "^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$"
_IS_SYSCTL = re.compile(_SYSCTL.removesuffix("$") + r"\Z", re.ASCII)
_SYSCTL_LIMIT, _PATH_LIMIT = 253, 4095
_PROFILES = ("Localhost", "RuntimeDefault", "Unconfined")
_IPC = ("kernel.shm", "kernel.msg", "kernel.sem", "fs.mqueue.")


def ids(context: Any, at: str, *members: str) -> Iterator[Problem]:
    for name in members:
        yield from _id(context.get(name), f"{at}.{name}")


def _id(value: int | None, at: str) -> Iterator[Problem]:
    if value is not None and not 0 <= value <= _LARGEST:
        yield invalid(at, value, f"must be between 0 and {_LARGEST}, inclusive")


def of_pod(spec: Any, at: str) -> Iterator[Problem]:
    """`at` is the pod's spec, which holds some of what belongs here."""
    context, here = spec.get("securityContext") or {}, f"{at}.securityContext"
    yield from ids(context, here, "fsGroup", "runAsUser", "runAsGroup")
    for index, one in enumerate(context.get("supplementalGroups") or ()):
        yield from _id(one, f"{here}.supplementalGroups[{index}]")
    if spec.get("hostPID") and spec.get("shareProcessNamespace"):
        text = "ShareProcessNamespace and HostPID cannot both be enabled"
        yield invalid(f"{here}.shareProcessNamespace", True, text)
    yield from _sysctls(context.get("sysctls") or (), spec, f"{here}.sysctls")
    yield from listed(f"{here}.fsGroupChangePolicy", context.get("fsGroupChangePolicy"), ("Always", "OnRootMismatch"))
    yield from _seccomp(context.get("seccompProfile"), f"{here}.seccompProfile")
    yield from _apparmor(context.get("appArmorProfile"), f"{here}.appArmorProfile")
    policy = context.get("supplementalGroupsPolicy")
    yield from listed(f"{here}.supplementalGroupsPolicy", policy, ("Merge", "Strict"))
    policy = context.get("seLinuxChangePolicy")
    yield from listed(f"{here}.seLinuxChangePolicy", policy, ("Recursive",))


def _sysctls(found: Any, spec: Any, at: str) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, one in enumerate(found):
        here, name = f"{at}[{index}].name", one.get("name", "")
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
    if not kind:
        yield required(f"{at}.type", "type is required when seccompProfile is set")
    elif kind not in _PROFILES:
        yield unsupported(f"{at}.type", kind, _PROFILES)
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
    if not kind:
        yield required(f"{at}.type", "type is required when appArmorProfile is set")
    elif kind not in _PROFILES:
        yield unsupported(f"{at}.type", kind, _PROFILES)
    elif kind != "Localhost":
        if local is not None:
            yield invalid(here, local, "can only be set when AppArmor type is Localhost")
    elif not local:
        yield required(here, "must be set when AppArmor type is Localhost")
    elif local.strip() != local:
        yield invalid(here, local, "must not be padded with whitespace")
    if kind == "Localhost" and len((local or "").encode()) > _PATH_LIMIT:
        yield too_long(here, _PATH_LIMIT)


_CONTEXT = (
    "Capabilities", "Privileged", "SELinuxOptions", "WindowsOptions", "RunAsUser", "RunAsGroup", "RunAsNonRoot",
    "ReadOnlyRootFilesystem", "AllowPrivilegeEscalation", "ProcMount", "SeccompProfile", "AppArmorProfile",
)  # fmt: skip
_NESTED = {
    "capabilities": ("Add", "Drop"),
    "sELinuxOptions": ("User", "Role", "Type", "Level"),
    "seccompProfile": ("Type", "LocalhostProfile"),
    "appArmorProfile": ("Type", "LocalhostProfile"),
}


def of_container(context: Any, at: str, *, has_host_users: bool) -> Iterator[Problem]:
    if context is None:
        return
    yield from ids(context, at, "runAsUser", "runAsGroup")
    mount = context.get("procMount")
    yield from listed(f"{at}.procMount", mount, ("Default", "Unmasked"))
    if has_host_users and mount == "Unmasked":
        yield invalid(f"{at}.procMount", mount, "`hostUsers` must be false to use `Unmasked`")
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
    return go_struct_of({**context, **renamed}, _CONTEXT, _NESTED)


def on_host(spec: Any, at: str) -> Iterator[Problem]:
    """What Pods with users of their own may not share with the host."""
    if spec.get("hostUsers") is not False:
        return
    for name, shown in (("hostNetwork", "hostNetwork"), ("hostPID", "HostPID"), ("hostIPC", "HostIPC")):
        if spec.get(name):
            yield forbidden(f"{at}.{shown}", "when `hostUsers` is false")
    for kind in ("initContainers", "containers"):
        for index, one in enumerate(spec.get(kind) or ()):
            if one.get("volumeDevices"):
                yield forbidden(f"{at}.{kind}[{index}].volumeDevices", "when `hostUsers` is false")


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
        for index, one in enumerate(spec.get(kind) or ()):
            own = one.get("securityContext") or {}
            for name in ("windowsOptions",) if is_linux else _LINUX_CONTAINERS:
                if own.get(name) is not None:
                    yield forbidden(f"{at}.{kind}[{index}].securityContext.{name}", text)
