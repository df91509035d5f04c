"""The status of an object, built from the last observation and the verdict, and whether it has to be written.

Members that AWS no longer tells go; when nothing was observed, what was known stays. Volatile members (how often a
policy is attached) change from outside all the time: they alone are no reason to write. Pure.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from lambent.resources.conditions import Verdict, conditions
from lambent.resources.declaration import Kind, Observed, Subject

Status = dict[str, Any]


def build_status(
    kind: Kind,
    subject: Subject,
    *,
    verdict: Verdict,
    observed: Observed | None,
    records: Mapping[str, Any],
    now: str,
    with_extras: bool = True,
) -> Status:
    """The complete new status. `with_extras` False: without the members that ACK's own definitions lack."""
    old: Mapping[str, Any] = subject.obj.get("status") or {}
    generation = subject.obj["metadata"].get("generation", 0)
    status: Status = dict(old)
    if observed is not None:
        status = {name: value for name, value in old.items() if name not in kind.status.members}
        status |= observed.status
    status["ackResourceMetadata"] = _metadata(old, subject, observed)
    status["conditions"] = conditions(old.get("conditions") or (), verdict, generation=generation, now=now)
    if not with_extras:
        return without_extras(status)
    status["observedGeneration"] = generation
    if records:
        status["lambent"] = dict(records)
    return status


def without_extras(status: Mapping[str, Any]) -> Status:
    """As ACK's definitions would keep it."""
    bare = {name: value for name, value in status.items() if name not in ("lambent", "observedGeneration")}
    found = bare.get("conditions") or ()
    bare["conditions"] = [{key: item[key] for key in item if key != "observedGeneration"} for item in found]
    return bare


def _metadata(old: Mapping[str, Any], subject: Subject, observed: Observed | None) -> Status:
    known = dict(old.get("ackResourceMetadata") or {})
    place = {"ownerAccountID": subject.account_id, "region": subject.region}
    arn = {"arn": observed.arn} if observed is not None else {}
    partition = {"partition": subject.partition} if not known or "partition" in known else {}
    return {**known, **place, **partition, **arn}


def must_write(kind: Kind, old: Mapping[str, Any], new: Status, *, verdict: Verdict, is_resync: bool) -> bool:
    """False when the server would change nothing, when only volatile members moved, and for a passing trouble.

    A trouble that may be over at the next try is told only when it brings the first news of a resource.
    """
    if verdict.quiet and (_arn(old) or not _arn(new)):
        return False
    if is_resync or not kind.volatile:
        return old != new
    return _steady(kind, old) != _steady(kind, new)


def _arn(status: Mapping[str, Any]) -> str:
    return str((status.get("ackResourceMetadata") or {}).get("arn") or "")


def _steady(kind: Kind, status: Mapping[str, Any]) -> Status:
    return {name: value for name, value in status.items() if name not in kind.volatile}


def new_records(
    kind: Kind, subject: Subject, *, remembered: Mapping[str, Any], declared: frozenset[str], settled: frozenset[str]
) -> dict[str, Any]:
    """`status.lambent`: paths declared now, those declared earlier and not yet reset, and what kinds remember.

    A late-initialised path stays recorded for good, so that a user may remove it.
    """
    earlier = subject.declared - settled - frozenset(kind.late_init)
    kept = subject.declared & frozenset(kind.late_init)
    records = {**subject.records, **remembered, "declared": sorted(declared | earlier | kept)}
    poked = subject.annotations.get("lambent.dev/reconcile")
    return {**records, "poked": poked} if poked else records


def condition_of(status: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    found: Sequence[Mapping[str, Any]] = status.get("conditions") or ()
    return next((item for item in found if item.get("type") == kind), {})
