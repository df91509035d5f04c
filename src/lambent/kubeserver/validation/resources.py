"""What containers and Pods ask of a node and may take. Source: Kubernetes API reference, ResourceRequirements."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from lambent.kube.schema import Problem
from lambent.kubeserver.validation import names
from lambent.kubeserver.validation.errors import duplicate, forbidden, invalid, not_found, required, texts, unsupported
from lambent.kubeserver.validation.quantities import NotAQuantity, parse
from lambent.kubeserver.validation.rules import each

_RESOURCES = ("cpu", "memory", "ephemeral-storage")
_WHOLE = ("pods", "services", "replicationcontrollers", "resourcequotas", "secrets", "configmaps",
          "persistentvolumeclaims", "services.nodeports", "services.loadbalancers")  # fmt: skip
_STANDARD = (
    *_RESOURCES,
    *_WHOLE,
    "storage",
    "requests.storage",
    *(f"{kind}.{name}" for kind in ("limits", "requests") for name in _RESOURCES),
)
Judge = Callable[[str, str], Iterator[Problem]]


def of_container(wanted: Any, claims: Sequence[str], at: str) -> Iterator[Problem]:
    yield from _requirements(wanted, container_name, at)
    yield from _claims(wanted.get("claims") or (), claims, f"{at}.claims")


def of_pod(spec: Any, at: str) -> Iterator[Problem]:
    """What a Pod as a whole asks for covers what its containers do."""
    wanted, here = spec.get("resources"), f"{at}.resources"
    if wanted is None:
        return
    if (spec.get("os") or {}).get("name") == "windows":
        yield forbidden(here, "may not be set for a windows pod")
        return
    if wanted.get("claims"):
        yield forbidden(f"{here}.claims", "claims may not be set for Resources at pod-level")
    yield from _requirements(wanted, _pod_name, here)
    limits = wanted.get("limits") or {}
    for one, place in each(spec.get("containers"), f"{here}.containers"):
        for name, amount in ((one.get("resources") or {}).get("limits") or {}).items():
            if name in limits and parse(amount)[0] > parse(limits[name])[0]:
                text = f"must be less than or equal to pod limits of {limits[name]}"
                yield invalid(f"{place}[{name}].limits", amount, text)


def overhead(amounts: Any, at: str) -> Iterator[Problem]:
    yield from _requirements({"limits": amounts}, container_name, at)


def _requirements(wanted: Any, judge: Judge, at: str) -> Iterator[Problem]:
    limits, requests = wanted.get("limits") or {}, wanted.get("requests") or {}
    for name, amount in limits.items():
        yield from _amount(name, amount, judge, f"{at}.limits[{name}]", is_limit=True)
    for name, amount in requests.items():
        yield from _amount(name, amount, judge, f"{at}.requests[{name}]")
        yield from _within(name, amount, limits, at)
    given = {*limits, *requests}
    if any(map(_is_huge, given)) and not given & {"cpu", "memory"}:
        yield forbidden(at, "HugePages require cpu or memory")


def _within(name: str, amount: str, limits: Any, at: str) -> Iterator[Problem]:
    is_divisible = _is_native(name) and not _is_huge(name)
    if name not in limits:
        if not is_divisible:
            yield required(f"{at}.limits", "Limit must be set for non overcommitable resources")
        return
    value, limit = parse(amount)[0], parse(limits[name])[0]
    if value != limit and not is_divisible:
        yield invalid(f"{at}.requests", amount, f"must be equal to {name} limit of {limits[name]}")
    elif value > limit:
        yield invalid(f"{at}.requests", amount, f"must be less than or equal to {name} limit of {limits[name]}")


def _amount(name: str, amount: str, judge: Judge, at: str, *, is_limit: bool = False) -> Iterator[Problem]:
    yield from judge(name, at)
    value = parse(amount)[0]
    if value < 0:
        yield invalid(at, amount, "must be greater than or equal to 0")
    if (not _is_native(name) or name in _WHOLE) and value.denominator != 1:
        yield invalid(at, amount, "must be an integer")
    if is_limit and _is_huge(name) and (text := _no_pages(name, amount)):
        yield invalid(at, amount, text)


def _no_pages(name: str, amount: str) -> str:
    try:
        size = parse(name.removeprefix("hugepages-"))[0]
        is_whole = size > 0 and parse(amount)[0] % size == 0
    except NotAQuantity:
        is_whole = False
    return "" if is_whole else f"{amount} is not positive integer multiple of {name}"


def _is_huge(name: str) -> bool:
    return name.startswith("hugepages-")


def _is_native(name: str) -> bool:
    return "/" not in name or "kubernetes.io/" in name


def _standard(name: str, at: str) -> Iterator[Problem]:
    wrong = names.qualified(name)
    yield from texts(at, name, wrong)
    if not wrong and "/" not in name and name not in _STANDARD and not _is_huge(name):
        yield invalid(at, name, "must be a standard resource type or fully qualified")


def container_name(name: str, at: str) -> Iterator[Problem]:
    yield from _standard(name, at)
    if "/" not in name:
        if name not in _RESOURCES and not _is_huge(name):
            yield invalid(at, name, "must be a standard resource for containers")
    elif not _is_native(name) and (name.startswith("requests.") or names.qualified(f"requests.{name}")):
        yield invalid(at, name, "doesn't follow extended resource name standard")


def _pod_name(name: str, at: str) -> Iterator[Problem]:
    wrong = [*_standard(name, at)]
    yield from wrong
    if not wrong and name not in ("cpu", "memory") and not _is_huge(name):
        yield unsupported(at, name, ["cpu", "hugepages-", "memory"])


def _claims(found: Any, known: Sequence[str], at: str) -> Iterator[Problem]:
    """A claim is named once, as a whole or by parts of it, and is one of the Pod's."""
    seen: set[str] = set()
    for one, here in each(found, at):
        name, part = one.get("name", ""), one.get("request", "")
        if not name:
            yield required(here)
            continue
        key = f"{name}/{part}" if part else name
        if part and name not in seen:
            yield from texts(f"{here}.request", part, names.dns_label(part))
        taken = name if name in seen else key
        if taken in seen or (not part and any(other.startswith(f"{name}/") for other in seen)):
            yield duplicate(here, taken)
        seen.add(key)
        if name not in known:
            listing = f": {', '.join(sorted(known))}" if known else " which is empty"
            yield not_found(here, name, f"must be one of the names in pod.spec.resourceClaims{listing}")
