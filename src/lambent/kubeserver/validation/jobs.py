"""Jobs: counts, indexes, and the policies of failed and successful Pods. Source: Kubernetes API reference, JobSpec."""

from collections.abc import Iterator, Sequence
from typing import Any

from lambent.kube.schema import Problem
from lambent.kubeserver.validation import names, selectors
from lambent.kubeserver.validation.errors import (
    IMMUTABLE,
    go_struct,
    invalid,
    invalid_shown,
    required,
    show,
    texts,
    too_long,
    too_many,
    unchanged,
    unsupported,
)
from lambent.kubeserver.validation.pods import template
from lambent.kubeserver.validation.rules import Members, Rule, always, among, each, members, needed, not_negative, once

_COUNTS = ("parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished",
           "backoffLimitPerIndex", "maxFailedIndexes")  # fmt: skip
_NUMBERS: Members = dict.fromkeys(_COUNTS, not_negative)
_MOST_INDEXES, _MOST_RULES, _MOST_CODES = 100_000, 20, 255
_HIGH_COMPLETIONS, _HIGH_LIMIT = 100_000, 10_000


def _needed(*allowed: str) -> Rule:
    """A member that has to be there; the answer shows the texts as Go prints a list."""
    return needed(among(*allowed), f"valid values: [{' '.join(map(show, allowed))}]")


_RESTARTS = needed(among("OnFailure", "Never"), 'valid values: "OnFailure", "Never"')
_ACTION, _OPERATOR = _needed("Count", "FailIndex", "FailJob", "Ignore"), _needed("In", "NotIn")
_CONDITION: Members = {"type": always(names.qualified), "status": _needed("False", "True", "Unknown")}


def job(obj: Any) -> Iterator[Problem]:
    spec = obj.get("spec") or {}
    yield from members(spec, "spec", _NUMBERS)
    if spec.get("maxFailedIndexes") is not None and spec.get("backoffLimitPerIndex") is None:
        yield required("spec.backoffLimitPerIndex", "when maxFailedIndexes is specified")
    yield from _manager(spec.get("managedBy"))
    yield from _completion(spec)
    yield from _policies(spec)
    found = spec.get("template") or {}
    yield from template(found, "spec.template")
    yield from _restarts(spec, (found.get("spec") or {}).get("restartPolicy", ""))
    yield from _selector(spec, (found.get("metadata") or {}).get("labels"))


def new_job(obj: Any) -> Iterator[Problem]:
    """Unless the client sees to it, Pods are told apart by labels that the server makes; hosts are named by them."""
    spec, meta = obj.get("spec") or {}, obj["metadata"]
    yield from _last_host(meta.get("name", ""), spec)
    selector = spec.get("selector")
    if spec.get("manualSelector") or selector is None:
        return
    own = ((spec.get("template") or {}).get("metadata") or {}).get("labels") or {}
    wanted = own_labels(meta)
    for key, value in wanted.items():
        if own.get(key) != value:
            yield invalid(f"spec.template.metadata.labels[{key}]", own, f"must be '{value}'")
    if selectors.misses(selector, wanted):
        yield invalid("spec.selector", selector, "`selector` not auto-generated")


def own_labels(meta: Any) -> dict[str, str]:
    """Of a Job's Pods: its uid and its name, each under an old key and a new one."""
    uid, name = meta["uid"], meta.get("name", "")
    lead = "batch.kubernetes.io/"
    return {f"{lead}controller-uid": uid, f"{lead}job-name": name, "controller-uid": uid, "job-name": name}


def _manager(name: str | None) -> Iterator[Problem]:
    if name is None:
        return
    at = "spec.managedBy"
    if not name:
        yield required(at)
        return
    domain, slash, path = name.partition("/")
    if not slash or not domain or not path:
        yield invalid(at, name, 'must be a domain-prefixed path (such as "acme.io/foo")')
    else:
        yield from texts(at, domain, names.subdomain(domain))
        yield from texts(at, path, names.url_path(path))
    if len(name.encode()) > names.LABEL_LIMIT:
        yield too_long(at, names.LABEL_LIMIT)


def _completion(spec: Any) -> Iterator[Problem]:
    mode = spec.get("completionMode", "NonIndexed")
    if mode not in ("NonIndexed", "Indexed"):
        yield unsupported("spec.completionMode", mode, ["NonIndexed", "Indexed"])
    elif mode == "Indexed":
        yield from _indexed(spec)
    else:
        for name in ("backoffLimitPerIndex", "maxFailedIndexes"):
            if spec.get(name) is not None:
                yield invalid(f"spec.{name}", spec[name], "requires indexed completion mode")


def _indexed(spec: Any) -> Iterator[Problem]:
    wanted, at_once, failed = (spec.get(name) for name in ("completions", "parallelism", "maxFailedIndexes"))
    if wanted is None:
        yield required("spec.completions", "when completion mode is Indexed")
    if (at_once or 0) > _MOST_INDEXES:
        text = f"must be less than or equal to {_MOST_INDEXES} when completion mode is Indexed"
        yield invalid("spec.parallelism", at_once, text)
    if wanted is not None and failed is not None and failed > wanted:
        yield invalid("spec.maxFailedIndexes", failed, "must be less than or equal to completions")
    if (failed or 0) > _MOST_INDEXES:
        yield invalid("spec.maxFailedIndexes", failed, f"must be less than or equal to {_MOST_INDEXES}")
    if (wanted or 0) <= _HIGH_COMPLETIONS or spec.get("backoffLimitPerIndex") is None:
        return
    if failed is None:
        text = f"must be specified when completions is above {_HIGH_COMPLETIONS}"
        yield required("spec.maxFailedIndexes", text)
    for name, value in (("parallelism", at_once), ("maxFailedIndexes", failed)):
        if (value or 0) > _HIGH_LIMIT:
            text = f"when completions are above {_HIGH_COMPLETIONS} and used with backoff limit per index"
            yield invalid(f"spec.{name}", value, f"must be less than or equal to {_HIGH_LIMIT} {text}")


def _policies(spec: Any) -> Iterator[Problem]:
    failure, success = spec.get("podFailurePolicy"), spec.get("successPolicy")
    if failure is not None:
        yield from _failure(failure, spec, "spec.podFailurePolicy.rules")
    if success is not None and spec.get("completionMode") != "Indexed":
        yield invalid_shown("spec.successPolicy", _shown(success), "requires indexed completion mode")
    elif success is not None:
        yield from _success(success, spec, "spec.successPolicy.rules")
    policy = spec.get("podReplacementPolicy", "Failed")
    allowed = ["Failed"] if failure is not None else ["Failed", "TerminatingOrFailed"]
    if policy not in allowed:
        yield unsupported("spec.podReplacementPolicy", policy, allowed)


def _shown(policy: Any) -> str:
    rules = policy.get("rules")
    listed = [go_struct(rule, "SucceededIndexes", "SucceededCount") for rule in rules or ()]
    return f'{{"Rules":{"null" if rules is None else "[" + ",".join(listed) + "]"}}}'


def _failure(policy: Any, spec: Any, at: str) -> Iterator[Problem]:
    rules = policy.get("rules") or ()
    if len(rules) > _MOST_RULES:
        yield too_many(at, len(rules), _MOST_RULES)
    pods = (spec.get("template") or {}).get("spec") or {}
    known = [one.get("name", "") for kind in ("containers", "initContainers") for one in pods.get(kind) or ()]
    for rule, here in each(rules, at):
        codes, conditions = rule.get("onExitCodes"), rule.get("onPodConditions") or ()
        yield from _action(rule.get("action", ""), spec, f"{here}.action")
        if codes is not None:
            yield from _codes(codes, known, f"{here}.onExitCodes")
        yield from _conditions(conditions, f"{here}.onPodConditions")
        if codes is not None and conditions:
            yield invalid_shown(here, "specifying both OnExitCodes and OnPodConditions is not supported", "")
        elif codes is None and not conditions:
            yield invalid_shown(here, "specifying one of OnExitCodes and OnPodConditions is required", "")


def _action(action: str, spec: Any, at: str) -> Iterator[Problem]:
    if action == "FailIndex" and spec.get("backoffLimitPerIndex") is None:
        yield invalid(at, action, "requires the backoffLimitPerIndex to be set")
    yield from _ACTION(action, at)


def _codes(codes: Any, known: Sequence[str], at: str) -> Iterator[Problem]:
    operator, name, values = codes.get("operator", ""), codes.get("containerName"), codes.get("values") or []
    yield from _OPERATOR(operator, f"{at}.operator")
    if name is not None and name not in known:
        text = "must be one of the container or initContainer names in the pod template"
        yield invalid(f"{at}.containerName", name, text)
    if not values:
        yield invalid(f"{at}.values", codes.get("values"), "at least one value is required")
    elif len(values) > _MOST_CODES:
        yield too_many(f"{at}.values", len(values), _MOST_CODES)
    seen: set[int] = set()
    for value, here in each(values, f"{at}.values"):
        if operator == "In" and value == 0:
            yield invalid(here, value, "must not be 0 for the In operator")
        yield from once(value, here, seen)
    if sorted(values) != values:
        yield invalid(f"{at}.values", values, "must be ordered")


def _conditions(conditions: Any, at: str) -> Iterator[Problem]:
    if len(conditions) > _MOST_RULES:
        yield too_many(at, len(conditions), _MOST_RULES)
    for one, here in each(conditions, at):
        yield from members(one, here, _CONDITION)


def _success(policy: Any, spec: Any, at: str) -> Iterator[Problem]:
    rules, wanted = policy.get("rules") or (), spec.get("completions")
    if not rules:
        yield required(at, "at least one rules must be specified when the successPolicy is specified")
    if len(rules) > _MOST_RULES:
        yield too_many(at, len(rules), _MOST_RULES)
    for rule, here in each(rules, at):
        yield from _success_rule(rule, wanted or 0, here)


def _success_rule(rule: Any, wanted: int, at: str) -> Iterator[Problem]:
    indexes, count = rule.get("succeededIndexes"), rule.get("succeededCount")
    if indexes is None and count is None:
        yield required(at, "at least one of succeededCount or succeededIndexes must be specified")
    total = 0
    if indexes is not None:
        try:
            total = count_of(indexes, wanted)
        except ValueError as error:
            yield invalid(f"{at}.succeededIndexes", indexes, f"error parsing succeededIndexes: {error}")
    if count is None:
        return
    here, lead = f"{at}.succeededCount", "must be less than or equal to"
    yield from not_negative(count, here)
    if count > wanted:
        yield invalid(here, count, f"{lead} {wanted} (the number of specified completions)")
    if indexes is not None and count > total:
        text = f"{lead} {total} (the number of indexes in the specified succeededIndexes field)"
        yield invalid(here, count, text)


def count_of(indexes: str, wanted: int) -> int:
    """How many of `wanted` indexes a text like "1,3-5" names; raises ValueError with kube-apiserver's words."""
    total, last = 0, None
    for part in indexes.split(",") if indexes else ():
        first, end = _interval(part, wanted)
        if last is not None and last >= first:
            raise ValueError(f"non-increasing order, previous: {last}, current: {first}")
        total += end - first + 1
        last = end
    return total


def _interval(part: str, wanted: int) -> tuple[int, int]:
    ends = part.split("-")
    if len(ends) > 2:
        text = "violates the requirement that an index interval can have at most two parts separated by '-'"
        raise ValueError(f"the fragment {show(part)} {text}")
    numbers = []
    for end in ends:
        if not end.isdecimal():
            raise ValueError(f"cannot convert string to integer for index: {show(end)}")
        if int(end) >= wanted:
            raise ValueError(f"too large index: {show(end)}")
        numbers.append(int(end))
    if len(numbers) > 1 and numbers[0] >= numbers[1]:
        raise ValueError(f"non-increasing order, previous: {numbers[0]}, current: {numbers[1]}")
    return numbers[0], numbers[-1]


def _restarts(spec: Any, policy: str) -> Iterator[Problem]:
    at = "spec.template.spec.restartPolicy"
    if wrong := [*_RESTARTS("" if policy == "Always" else policy, at)]:
        yield from wrong
    elif spec.get("podFailurePolicy") is not None and policy != "Never":
        yield invalid(at, policy, 'only "Never" is supported when podFailurePolicy is specified')


def _selector(spec: Any, labels: Any) -> Iterator[Problem]:
    selector = spec.get("selector")
    if selector is None:
        yield required("spec.selector")
    yield from selectors.label_selector(selector, "spec.selector")
    if selectors.misses(selector, labels):
        yield invalid("spec.template.metadata.labels", labels, selectors.MISMATCH)


def _last_host(name: str, spec: Any) -> Iterator[Problem]:
    wanted = spec.get("completions") or 0
    if spec.get("completionMode") != "Indexed" or wanted <= 0:
        return
    host = f"{name}-{wanted - 1}"
    if names.dns_label(host):
        yield invalid("metadata.name", name, f"will not able to create pod with invalid DNS label: {host}")


def kept_job(new: Any, old: Any) -> Iterator[Problem]:
    """What makes the Pods of a Job stays; a suspended one may still change how they are scheduled."""
    after, before = new.get("spec") or {}, old["spec"]
    wanted = after.get("completions")
    if after.get("completionMode") != "Indexed":
        yield from unchanged("spec.completions", wanted, before.get("completions"))
    elif wanted is not None and wanted != before.get("completions") and wanted != after.get("parallelism"):
        yield invalid("spec.completions", wanted, "can only be modified in tandem with spec.parallelism")
    yield from unchanged("spec.selector", after.get("selector"), before.get("selector"))
    kept = before.get("template")
    is_unstarted = before.get("suspend") and not (old.get("status") or {}).get("startTime")
    if is_unstarted:
        kept = _rescheduled(kept, after.get("template") or {})
    if after.get("template") != kept:
        yield invalid("spec.template", after.get("template"), IMMUTABLE)
    for name in ("completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy"):
        yield from unchanged(f"spec.{name}", after.get(name), before.get(name))


def _rescheduled(kept: Any, found: Any) -> Any:
    """The old template with what the new one says of where its Pods go."""
    now, then = found.get("spec") or {}, dict(kept.get("spec") or {})
    for name in ("nodeSelector", "tolerations", "schedulingGates"):
        then[name] = now.get(name)
    affinity = {**(then.get("affinity") or {}), "nodeAffinity": (now.get("affinity") or {}).get("nodeAffinity")}
    then["affinity"] = {name: value for name, value in affinity.items() if value is not None}
    if not then["affinity"] and now.get("affinity") is None:
        then["affinity"] = None
    meta = {**(kept.get("metadata") or {})}
    for name in ("labels", "annotations"):
        meta[name] = (found.get("metadata") or {}).get(name)
    return {**kept, "metadata": _present(meta), "spec": _present(then)}


def _present(members: Any) -> Any:
    return {name: value for name, value in members.items() if value is not None}
