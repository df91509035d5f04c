"""What of a Pod may change. Source: Kubernetes docs, "Pod update and replacement".

The refusal of kube-apiserver goes on with a difference of Go structs, which is left out here.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from lambent.kube.schema import Problem
from lambent.kubeserver.validation.containers import untrimmed
from lambent.kubeserver.validation.errors import forbidden, invalid
from lambent.kubeserver.validation.rules import between, each, needed
from lambent.kubeserver.validation.scheduling import toleration

_DEADLINE = between(0, 2**31 - 1)
_IMAGE = needed()
_REFUSED = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)


def kept_pod(new: Any, old: Any) -> Iterator[Problem]:
    after, before = new.get("spec") or {}, old["spec"]
    for kind in ("containers", "initContainers"):
        now, then = after.get(kind) or (), before.get(kind) or ()
        if len(now) != len(then):
            yield forbidden(f"spec.{kind}", "pod updates may not add or remove containers")
            return
        for one, here in each(now, f"spec.{kind}"):
            yield from _IMAGE(one.get("image"), f"{here}.image")
            yield from untrimmed(one, here)
    wrong = [*_deadline(after.get("activeDeadlineSeconds"), before.get("activeDeadlineSeconds"))]
    yield from wrong
    if wrong and after.get("activeDeadlineSeconds") is not None:
        return
    yield from _tolerations(after.get("tolerations") or (), before.get("tolerations") or ())
    yield from _gates(after.get("schedulingGates") or (), before.get("schedulingGates") or ())
    yield from _rest(after, before)


def _deadline(now: int | None, then: int | None) -> Iterator[Problem]:
    at = "spec.activeDeadlineSeconds"
    if now is None:
        if then is not None:
            yield invalid(at, None, "must not update from a positive integer to nil value")
    elif wrong := [*_DEADLINE(now, at)]:
        yield from wrong
    elif then is not None and then < now:
        yield invalid(at, now, "must be less than or equal to previous value")


def _untimed(found: Any) -> Any:
    return {name: value for name, value in found.items() if name != "tolerationSeconds"}


def _tolerations(now: Sequence[Any], then: Sequence[Any]) -> Iterator[Problem]:
    left = [_untimed(one) for one in now]
    if any(_untimed(one) not in left for one in then):
        text = "existing toleration can not be modified except its tolerationSeconds"
        yield forbidden("spec.tolerations", text)
        return
    for one, here in each(now, "spec.tolerations"):
        yield from toleration(one, here)


def _gates(now: Sequence[Any], then: Sequence[Any]) -> Iterator[Problem]:
    known = {one.get("name", "") for one in then}
    for one, here in each(now, "spec.schedulingGates"):
        if (name := one.get("name", "")) not in known:
            yield forbidden(f"{here}.name", f"only deletion is allowed, but found new scheduling gate '{name}'")


_FREE = ("activeDeadlineSeconds", "schedulingGates", "tolerations")


def _rest(after: Any, before: Any) -> Iterator[Problem]:
    now, then = _fixed(after), _fixed(before)
    if before.get("schedulingGates"):  # where it goes may be narrowed until it is let go
        yield from _narrowed(now.pop("nodeSelector", None) or {}, then.pop("nodeSelector", None) or {})
        for spec in (now, then):
            affinity = {key: value for key, value in (spec.get("affinity") or {}).items() if key != "nodeAffinity"}
            spec["affinity"] = affinity or None
    if (before.get("terminationGracePeriodSeconds") or 0) < 0 and after.get("terminationGracePeriodSeconds") == 1:
        now["terminationGracePeriodSeconds"] = then.get("terminationGracePeriodSeconds")
    if _present(now) != _present(then):
        yield forbidden("spec", _REFUSED)


def _fixed(spec: Any) -> dict[str, Any]:
    kept = {name: value for name, value in spec.items() if name not in _FREE}
    for kind in ("containers", "initContainers"):
        kept[kind] = [{**one, "image": ""} for one in spec.get(kind) or ()]
    return kept


def _present(spec: Any) -> Any:
    return {name: value for name, value in spec.items() if value not in (None, [], "")}


def _narrowed(now: Any, then: Any) -> Iterator[Problem]:
    if any(now.get(key) != value for key, value in then.items()):
        text = "only additions to spec.nodeSelector are allowed (no mutations or deletions)"
        yield invalid("spec.nodeSelector", now, text)
