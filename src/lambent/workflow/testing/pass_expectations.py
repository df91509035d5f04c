"""What a pass of a workflow was to do against what it did: differences by their path below `expect`, and the values
that would have been met.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from lambent.workflow.engine import Ok
from lambent.workflow.testing.expectations import ABSENT, Mismatch, mismatches
from lambent.workflow.testing.memory_api import MemoryApi, place_of
from lambent.workflow.testing.stated_outcomes import said_of, statement_of, wrong_outcome
from lambent.workflow.testing.world import Pass

_WRITE = ("verb", "kind", "name")


def pass_differences(expect: Mapping[str, Any], done: Pass, api: MemoryApi) -> Iterator[Mismatch]:
    """Everything that differs, in the order of the specification's table."""
    for label, wanted in (expect.get("steps") or {}).items():
        yield from _step(label, wanted, done)
    for type_, wanted in (expect.get("conditions") or {}).items():
        found = _condition(done, type_)
        for name, value in wanted.items():
            if not _is_said(name, value, found.get(name)):
                yield Mismatch(f"conditions.{type_}.{name}", value, found.get(name, ABSENT))
    if expect.get("state") is not None:
        yield from mismatches(expect["state"], done.status["state"], "state")
    yield from _writes(expect, done)
    if expect.get("outcome") and (wrong := wrong_outcome(expect["outcome"], done.result.outcome)):
        yield Mismatch("outcome", expect["outcome"], said_of(done.result.outcome), wrong)
    for index, wanted in enumerate(expect.get("resources") or ()):
        live = api.objects.get(place_of(wanted), ABSENT)
        yield from _partly(wanted, live, f"resources[{index}]")
    if expect.get("managedResources") is not None:
        yield from mismatches(expect["managedResources"], done.managed, "managedResources")
    if expect.get("requeueAfter") is not None and done.requeue_s != expect["requeueAfter"]:
        yield Mismatch("requeueAfter", expect["requeueAfter"], _whole_number(done.requeue_s))


def _whole_number(value: float | None) -> float | None:
    """Without a fraction where there is none, as a test would state it."""
    return int(value) if value is not None and value == int(value) else value


def _condition(done: Pass, type_: str) -> Mapping[str, Any]:
    found = (condition for condition in done.status["conditions"] if condition["type"] == type_)
    return next(found, {})


def _is_said(name: str, wanted: str | None, found: Any) -> bool:
    """A member of a condition: messages in part, all else exactly; null says that there is none."""
    if name == "message" and wanted is not None:
        return isinstance(found, str) and wanted.lower() in found.lower()
    return bool(found == wanted)


def _step(label: str, wanted: Mapping[str, Any], done: Pass) -> Iterator[Mismatch]:
    path = f"steps.{label}"
    step = done.result.steps.get(label)
    if step is None:
        yield Mismatch(path, wanted, ABSENT, "there is no such step")
    elif "return" not in wanted:
        if wrong := wrong_outcome(wanted, step.outcome):
            yield Mismatch(path, wanted, said_of(step.outcome), wrong)
    elif isinstance(step.outcome, Ok):
        yield from mismatches(wanted["return"], step.outcome.value, f"{path}.return")
    else:
        yield Mismatch(path, wanted, said_of(step.outcome), f"expected a return, got {said_of(step.outcome)}")


def _line(write: Mapping[str, Any]) -> str:
    return " ".join(str(write[name]) for name in _WRITE)


def _writes(expect: Mapping[str, Any], done: Pass) -> Iterator[Mismatch]:
    made = [_line(write) for write in done.writes]
    if expect.get("noWrites") and made:
        yield Mismatch("noWrites", True, made, f"expected no writes, got {', '.join(made)}")
    if expect.get("writes") is None:
        return
    wanted = [_line(write) for write in expect["writes"]]
    if wanted != made:
        yield Mismatch("writes", wanted, made)
        return
    for index, (write, did) in enumerate(zip(expect["writes"], done.writes, strict=True)):
        if write.get("body") is not None:
            yield from _partly(write["body"], did["body"], f"writes[{index}].body")


def _partly(wanted: Any, live: Any, path: str) -> Iterator[Mismatch]:
    """Only what is wanted is compared."""
    if isinstance(wanted, Mapping) and isinstance(live, Mapping):
        for key, value in wanted.items():
            yield from _partly(value, live.get(key, ABSENT), f"{path}.{key}")
    else:
        yield from mismatches(wanted, live, path)


def met_by(expect: Mapping[str, Any], done: Pass, api: MemoryApi) -> dict[str, Any]:
    """`expect` as this pass would have met it, with nothing more stated than there is.

    What no value can mend stays: writes where none were allowed, an outcome where a return was expected, a step, a
    condition or an object that is not there.
    """
    met = dict(expect)
    if expect.get("steps"):
        met["steps"] = {label: _met_step(label, wanted, done) for label, wanted in expect["steps"].items()}
    if expect.get("conditions"):
        met["conditions"] = {
            type_: _met_condition(w, _condition(done, type_)) for type_, w in met["conditions"].items()
        }
    if expect.get("writes") is not None:
        met["writes"] = [_met_write(write, expect["writes"]) for write in done.writes]
    if expect.get("outcome"):
        met["outcome"] = statement_of(expect["outcome"], done.result.outcome)
    if expect.get("resources"):
        met["resources"] = [_met_part(wanted, api.objects.get(place_of(wanted))) for wanted in expect["resources"]]
    for name, value in (
        ("state", done.status["state"]),
        ("managedResources", done.managed),
        ("requeueAfter", _whole_number(done.requeue_s)),
    ):
        if expect.get(name) is not None and value is not None:
            met[name] = value
    return met


def _met_step(label: str, wanted: Mapping[str, Any], done: Pass) -> Mapping[str, Any]:
    step = done.result.steps.get(label)
    if step is None:
        return wanted
    if "return" in wanted:
        return {"return": step.outcome.value} if isinstance(step.outcome, Ok) else wanted
    return statement_of(wanted, step.outcome)


def _met_condition(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value if not found or _is_said(name, value, found.get(name)) else found.get(name)
        for name, value in wanted.items()
    }


def _met_write(write: Mapping[str, Any], stated: list[Mapping[str, Any]]) -> dict[str, Any]:
    """A write as a test would state it; its body as far as the same write's was stated."""
    met = {name: write[name] for name in _WRITE}
    same = next((one for one in stated if _line(one) == _line(write)), {})
    if same.get("body") is not None:
        met["body"] = _met_part(same["body"], write["body"])
    return met


def _met_part(wanted: Any, live: Any) -> Any:
    """The live value, as far as it was wanted; what is wanted and not there goes."""
    if not isinstance(wanted, Mapping) or not isinstance(live, Mapping):
        return wanted if live is None else live
    return {key: _met_part(value, live[key]) for key, value in wanted.items() if key in live}
