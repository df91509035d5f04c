"""What is doubtful in the spec of a Pod, on its own or in a template. Source: Kubernetes API reference, PodSpec.

Each function yields in the order in which kube-apiserver tells; `at` is what stands before `spec` and `metadata`: ""
or "spec.template.". Not here: volumes (`volumes`), ports (`ports`).
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from lambent.kubeserver.validation import names
from lambent.kubeserver.validation.errors import show
from lambent.kubeserver.validation.rules import each
from lambent.kubeserver.validation.warnings import ports, volumes
from lambent.kubeserver.validation.warnings.addresses import address
from lambent.kubeserver.validation.warnings.amounts import fractions

Annotations = Mapping[str, str]

_OLD_LABELS = {
    "beta.kubernetes.io/arch": 'deprecated since v1.14; use "kubernetes.io/arch" instead',
    "beta.kubernetes.io/os": 'deprecated since v1.14; use "kubernetes.io/os" instead',
    "failure-domain.beta.kubernetes.io/region": 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
    "failure-domain.beta.kubernetes.io/zone": 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
    "beta.kubernetes.io/instance-type": 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
    "node-role.kubernetes.io/master": 'use "node-role.kubernetes.io/control-plane" instead',
}
_OLD_ANNOTATIONS = {
    "scheduler.alpha.kubernetes.io/critical-pod": ("v1.16+", "priorityClassName"),
    "security.alpha.kubernetes.io/sysctls": ("v1.11+", "sysctls"),
    "security.alpha.kubernetes.io/unsafe-sysctls": ("v1.11+", "sysctls"),
}
_SECCOMP, _SECCOMP_OF = "seccomp.security.alpha.kubernetes.io/pod", "container.seccomp.security.alpha.kubernetes.io/"
_APP_ARMOR_OF = "container.apparmor.security.beta.kubernetes.io/"
_REQUIRED, _PREFERRED = (
    "requiredDuringSchedulingIgnoredDuringExecution",
    "preferredDuringSchedulingIgnoredDuringExecution",
)
_CONTAINERS = ("initContainers", "containers", "ephemeralContainers")
_BYTES = ("memory", "ephemeral-storage")
_NO_MATCH = "a null labelSelector results in matching no pod"
_NEGATIVE = "must be >= 0; negative values are invalid and will be treated as 1"


def of_pod(spec: Any, annotations: Annotations, at: str) -> Iterator[str]:
    here = f"{at}spec"
    affinity = spec.get("affinity")
    yield from _placing(spec, affinity or {}, here)
    if annotations:
        yield from _non_functional(annotations, at)
    if spec.get("volumes"):
        yield from volumes.of_pod(spec["volumes"], f"{here}.volumes")
    yield from _repeated(spec.get("hostAliases"), "ip", f"{here}.hostAliases")
    yield from _pull_secrets(spec.get("imagePullSecrets"), f"{here}.imagePullSecrets")
    for name in _BYTES if spec.get("overhead") else ():
        yield from fractions(spec["overhead"], name, f"{here}.overhead")
    if annotations:
        yield from _seccomp(spec, annotations, at)
    containers = [found for kind in _CONTAINERS for found in each(spec.get(kind), f"{here}.{kind}")]
    for one, where in containers:
        yield from _container(one, where, annotations, spec, at)
    yield from ports.of_containers(containers)
    if (spec.get("terminationGracePeriodSeconds") or 0) < 0:
        yield f"{here}.terminationGracePeriodSeconds: {_NEGATIVE}"
    if affinity:
        for kind in ("podAffinity", "podAntiAffinity"):
            yield from _pod_affinity(affinity.get(kind) or {}, f"{here}.affinity.{kind}")
    yield from _addresses(spec, here)


# Where it may run.


def _placing(spec: Any, affinity: Any, here: str) -> Iterator[str]:
    for label in spec.get("nodeSelector") or ():
        if label in _OLD_LABELS:
            yield f"{here}.nodeSelector[{label}]: {_OLD_LABELS[label]}"
    if affinity:
        yield from _node_affinity(affinity.get("nodeAffinity") or {}, f"{here}.affinity.nodeAffinity")
    for constraint, where in each(spec.get("topologySpreadConstraints"), f"{here}.topologySpreadConstraints"):
        yield from _old_key(constraint.get("topologyKey"), f"{where}.topologyKey")
        yield from _matches_none(constraint, where)


def _old_key(key: Any, at: str) -> Iterator[str]:
    if key in _OLD_LABELS:
        yield f"{at}: {key} is {_OLD_LABELS[key]}"


def _matches_none(term: Any, at: str) -> Iterator[str]:
    if term.get("labelSelector") is None:
        yield f"{at}.labelSelector: {_NO_MATCH}"


def _node_affinity(affinity: Any, at: str) -> Iterator[str]:
    terms = (affinity.get(_REQUIRED) or {}).get("nodeSelectorTerms")
    for term, where in each(terms, f"{at}.{_REQUIRED}.nodeSelectorTerms"):
        for one, here in each(term.get("matchExpressions"), f"{where}.matchExpressions"):
            yield from _old_key(one.get("key"), f"{here}.key")
    for term, where in each(affinity.get(_PREFERRED), f"{at}.{_PREFERRED}"):
        terms = (term.get("preference") or {}).get("matchExpressions")
        for one, here in each(terms, f"{where}.preference.matchExpressions"):
            yield from _old_key(one.get("key"), f"{here}.key")
            # Values that no label can have are refused where they are required.
            for value, place in each(one.get("values"), f"{here}.values"):
                for why in names.label_value(value):
                    yield f"{place}: {value} is invalid, {why}"


def _pod_affinity(affinity: Any, at: str) -> Iterator[str]:
    for term, where in each(affinity.get(_REQUIRED), f"{at}.{_REQUIRED}"):
        yield from _matches_none(term, where)
    for term, where in each(affinity.get(_PREFERRED), f"{at}.{_PREFERRED}"):
        yield from _matches_none(term.get("podAffinityTerm") or {}, f"{where}.podAffinityTerm")


# What once was said in annotations.


def _non_functional(annotations: Annotations, at: str) -> Iterator[str]:
    for name, (since, member) in _OLD_ANNOTATIONS.items():
        if name in annotations:
            yield f'{at}metadata.annotations[{name}]: non-functional in {since}; use the "{member}" field instead'


def _seccomp(owner: Any, annotations: Annotations, at: str, name: str = _SECCOMP) -> Iterator[str]:
    """Of a Pod or a container whose profile stands in an annotation alone."""
    if name in annotations and (owner.get("securityContext") or {}).get("seccompProfile") is None:
        yield f'{at}metadata.annotations[{name}]: non-functional in v1.27+; use the "seccompProfile" field instead'


def app_armor(spec: Any, annotations: Annotations, at: str) -> Iterator[str]:
    for kind in _CONTAINERS if annotations else ():
        for one in spec.get(kind) or ():
            yield from _app_armor(one, spec, annotations, at)


def _app_armor(one: Any, spec: Any, annotations: Annotations, at: str) -> Iterator[str]:
    name = _APP_ARMOR_OF + one.get("name", "")
    has_profile = any((owner.get("securityContext") or {}).get("appArmorProfile") for owner in (spec, one))
    if name in annotations and not has_profile:
        yield f'{at}metadata.annotations[{name}]: deprecated since v1.30; use the "appArmorProfile" field instead'


# What is in it.


def _container(one: Any, where: str, annotations: Annotations, spec: Any, at: str) -> Iterator[str]:
    if annotations:
        yield from _seccomp(one, annotations, at, _SECCOMP_OF + one.get("name", ""))
        if at:  # of a Pod this is told before it is judged
            yield from _app_armor(one, spec, annotations, at)
    resources = one.get("resources")
    for name in _BYTES if resources else ():
        for kind in ("limits", "requests"):
            yield from fractions(resources.get(kind), name, f"{where}.resources.{kind}")
    env = one.get("env")
    if env and len(env) > 1:
        yield from _hidden(env, f"{where}.env")


def _hidden(env: Iterable[Any], at: str) -> Iterator[str]:
    """Variables that hide an earlier one without being made of it."""
    seen: set[str] = set()
    for index, entry in enumerate(env):
        name, value = entry.get("name", ""), entry.get("value", "")
        earlier = f"$({name})"
        is_made_of_it = entry.get("valueFrom") is None and earlier in value and value != earlier
        if name in seen and not is_made_of_it:
            yield f"{at}[{index}]: hides previous definition of {show(name)}, which may be dropped when using apply"
        seen.add(name)


def _addresses(spec: Any, here: str) -> Iterator[str]:
    for server, where in each((spec.get("dnsConfig") or {}).get("nameservers"), f"{here}.dnsConfig.nameservers"):
        yield from address(server, where)
    for alias, where in each(spec.get("hostAliases"), f"{here}.hostAliases"):
        yield from address(alias.get("ip", ""), f"{where}.ip")


def _pull_secrets(found: Any, at: str) -> Iterator[str]:
    yield from _repeated(found, "name", at)
    for secret, where in each(found, at):
        if not secret.get("name"):
            yield f'{where}.name: invalid empty name ""'


def _repeated(found: Any, member: str, at: str) -> Iterator[str]:
    seen: set[str] = set()
    for one, where in each(found, at):
        value = one.get(member, "")
        if value in seen:
            yield f"{where}.{member}: duplicate {member} {show(value)}"
        seen.add(value)
