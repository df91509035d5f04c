"""An explanation for people: from Ready down to what has to happen."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from lambent.workflow.authoring.explanation import Cause, Explanation
from lambent.workflow.authoring.ownership import Ownership
from lambent.workflow.authoring.texts import STYLES
from lambent.workflow.spec.painting import Paint, plain


def explanation_text(found: Explanation, paint: Paint = plain, *, now: datetime | None = None) -> str:
    """With `now` (in UTC) ages are told beside the times."""
    lines = [paint("strong", f"{found.object}") + f"  by {found.workflow}"]
    ready = f"Ready is {found.ready or 'not set'}" + (f" ({found.reason})" if found.reason else "")
    lines.append(
        paint("good" if found.ready == "True" else "bad", ready) + (f": {found.message}" if found.message else "")
    )
    lines += [paint("warn", f"note: {note}") for note in found.notes]
    for cause in found.causes:
        lines += _chain(cause, paint, now)
    if not found.causes:
        lines.append("every step is Ok")
    if found.orphans:
        lines.append(f"orphans: {', '.join(found.orphans)}")
    return "\n".join(lines)


def ownership_text(found: Ownership, paint: Paint = plain, *, now: datetime | None = None) -> str:
    """The resource, then each trigger that it belongs to with what its next pass says."""
    lines = [paint("strong", found.object), paint("good" if found.is_settled else "warn", f"  {found.state}")]
    lines += [f"  written by {writer}" for writer in found.writers]
    for one in found.holders:
        step = f", step {one.step}" if one.step else ""
        lines.append(f"belongs to {paint('strong', one.trigger)} by {one.workflow or 'no workflow'}{step}")
        lines.append(f"     {'in the end:':12}{one.fate}")
        lines += [f"     {'note:':12}{one.note}"] if one.note else []
        lines += [f"     {'differs at:':12}{path}" for path in one.differs_at]
        lines += _cause(one.cause, paint, now) if one.cause is not None else []
    return "\n".join(lines)


def _chain(cause: Cause, paint: Paint, now: datetime | None) -> Iterator[str]:
    if cause.holds_up:
        yield f"└─ {', '.join(reversed(cause.holds_up))} {'wait' if len(cause.holds_up) > 1 else 'waits'} for"
    yield from _cause(cause, paint, now)


def _cause(cause: Cause, paint: Paint, now: datetime | None) -> Iterator[str]:
    outcome = f"{paint(STYLES[cause.outcome], cause.outcome)}  {cause.message}".rstrip()
    yield f"└─ {paint('strong', cause.step)}  {outcome}"
    details = {
        "function": cause.function,
        "at": cause.location,
        "assert": f"={cause.assertion}" if cause.assertion else "",
    }
    for name, value in details.items():
        if value:
            yield f"     {name + ':':12}{value}"
    for path in cause.paths:
        yield f"     {'reads:':12}{path.path}  {paint('dim', path.found)}"
    for what in cause.waits_for:
        yield f"     {'waits for:':12}{what}"
    for what in cause.due:
        yield f"     {'due:':12}{what}"
    if cause.server:
        yield f"     {'server:':12}{paint('bad', cause.server)}"
    yield from _times(cause, now)


def _times(cause: Cause, now: datetime | None) -> Iterator[str]:
    if cause.since:
        attempts = f", {cause.attempts} attempts" if cause.attempts is not None else ""
        yield f"     {'since:':12}{cause.since}{_age(cause.since, now)}{attempts}"
    if cause.next_at:
        yield f"     {'next look:':12}{cause.next_at}"
    elif cause.delay_s is not None:
        yield f"     {'next look:':12}within {cause.delay_s:g} s, or when the object changes"


def _age(stamp: str, now: datetime | None) -> str:
    """` (2 h 5 min ago)`; nothing for what is no time."""
    try:
        passed = now - datetime.fromisoformat(stamp.replace("Z", "+00:00")) if now is not None else None
    except ValueError:
        return ""
    if passed is None or passed < timedelta(0):
        return ""
    seconds = int(passed.total_seconds())
    units = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))
    parts = [
        f"{seconds // size % limit} {name}" for (size, name), limit in zip(units, (10**6, 24, 60, 60), strict=True)
    ]
    shown = [part for part in parts if not part.startswith("0 ")][:2]
    return f" ({' '.join(shown) or '0 s'} ago)"
