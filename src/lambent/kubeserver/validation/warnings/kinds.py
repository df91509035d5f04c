"""Of which builtin kinds kube-apiserver warns, and when: on every write, or only when what it doubts is new.

A warning tells of an object that is accepted. Source: Kubernetes API reference, per kind, and the answers of
kube-apiserver 1.34 (`tests/kubeserver/validation/warnings.json`). Not here: unknown fields, and what a request rather
than an object is warned of.
"""

from collections.abc import Callable, Iterator
from typing import Any

from lambent.kubeserver.validation import names
from lambent.kubeserver.validation.warnings import certificates, network, pods, volumes

Source = Callable[[Any, Any], Iterator[str]]
_TEMPLATE = "spec.template."


def warnings(group: str, kind: str, new: Any, old: Any) -> Iterator[str]:
    """What is doubtful about an object of one of `KINDS` that is about to be stored; `old` is None when it is new."""
    return SOURCES[group, kind](new, old)


def before_verdict(new: Any, old: Any) -> Iterator[str]:
    """Of a new Pod kube-apiserver says this much even when it refuses the Pod."""
    spec = new.get("spec") or {}
    if old is None and (spec.get("os") or {}).get("name") != "windows":
        yield from pods.app_armor(spec, new["metadata"].get("annotations") or {}, "")


def _pod(new: Any, old: Any) -> Iterator[str]:
    if old is not None:
        return
    yield from _name(new, "the Pod's hostname")
    yield from pods.of_pod(new.get("spec") or {}, new["metadata"].get("annotations") or {}, "")


def _workload(new: Any, old: Any) -> Iterator[str]:
    if old is None:
        yield from _name(new, "Pod names and hostnames")
    yield from _template(new, old)


def _template(new: Any, old: Any) -> Iterator[str]:
    """Of a template whose object has changed in a way that counts."""
    if old is None or _generation(new) != _generation(old):
        yield from _any_template(new)


def _any_template(new: Any) -> Iterator[str]:
    template = (new.get("spec") or {}).get("template") or {}
    annotations = (template.get("metadata") or {}).get("annotations") or {}
    spec = template.get("spec") or {}
    yield from pods.of_pod(spec, annotations, _TEMPLATE)


def _daemon_set(new: Any, old: Any) -> Iterator[str]:
    """Only a change of the template itself counts."""
    if old is None or new["spec"].get("template") != old["spec"].get("template"):
        yield from _any_template(new)


def _stateful_set(new: Any, old: Any) -> Iterator[str]:
    spec = new.get("spec") or {}
    yield from _template(new, old)
    if old is None or _generation(new) != _generation(old):
        for index, claim in enumerate(spec.get("volumeClaimTemplates") or ()):
            yield from volumes.claim(claim.get("spec") or {}, f"spec.volumeClaimTemplates[{index}]")
    if (spec.get("revisionHistoryLimit") or 0) < 0:
        yield (
            "spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended"
        )


_MOST_COMPLETIONS, _MOST_PARALLEL = 100_000, 10_000


def _job(new: Any, old: Any) -> Iterator[str]:
    if old is None:
        yield from _name(new, "Pod names and hostnames")
    elif _generation(new) == _generation(old):
        return
    spec = new.get("spec") or {}
    is_vast = (spec.get("completions") or 0) > _MOST_COMPLETIONS and (spec.get("parallelism") or 0) > _MOST_PARALLEL
    if is_vast and spec.get("completionMode") == "Indexed":
        yield (
            "spec: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, "
            "Kubernetes might not be able to track completedIndexes when a big number of indexes fail"
        )
    yield from _any_template(new)


def _claim(new: Any, old: Any) -> Iterator[str]:
    if _OLD_CLASS in (new["metadata"].get("annotations") or {}):
        yield f'metadata.annotations[{_OLD_CLASS}]: deprecated since v1.8; use "storageClassName" attribute instead'
    yield from volumes.claim(new.get("spec") or {}, "spec")


def _account(new: Any, old: Any) -> Iterator[str]:
    before = {} if old is None else old["metadata"].get("annotations") or {}
    if _MOUNTABLE in (new["metadata"].get("annotations") or {}) and _MOUNTABLE not in before:
        yield (
            f"metadata.annotations[{_MOUNTABLE}]: deprecated in v1.32+; prefer separate namespaces to isolate access "
            "to mounted secrets"
        )


def _name(new: Any, use: str) -> Iterator[str]:
    if why := names.dns_label(new["metadata"].get("name", "")):
        yield (
            f"metadata.name: this is used in {use}, which can result in surprising behavior; "
            f"a DNS label is recommended: [{' '.join(why)}]"
        )


def _generation(obj: Any) -> Any:
    return obj["metadata"].get("generation")


_OLD_CLASS = "volume.beta.kubernetes.io/storage-class"
_MOUNTABLE = "kubernetes.io/enforce-mountable-secrets"
SOURCES: dict[tuple[str, str], Source] = {
    ("", "Pod"): _pod,
    ("apps", "Deployment"): _workload,
    ("apps", "ReplicaSet"): _workload,
    ("apps", "StatefulSet"): _stateful_set,
    ("apps", "DaemonSet"): _daemon_set,
    ("batch", "Job"): _job,
    ("", "Service"): network.service,
    ("networking.k8s.io", "NetworkPolicy"): network.policy,
    ("discovery.k8s.io", "EndpointSlice"): network.endpoint_slice,
    ("", "PersistentVolumeClaim"): _claim,
    ("", "ServiceAccount"): _account,
    ("", "Secret"): certificates.secret,
}
