"""An explanation for people: from Ready down to what has to happen."""

from collections.abc import Iterator

from lambent.workflow.authoring.explanation import Cause, Explanation
from lambent.workflow.authoring.texts import STYLES
from lambent.workflow.spec.painting import Paint, plain


def explanation_text(found: Explanation, paint: Paint = plain) -> str:
    lines = [paint("strong", f"{found.object}") + f"  by {found.workflow}"]
    ready = f"Ready is {found.ready or 'not set'}" + (f" ({found.reason})" if found.reason else "")
    lines.append(
        paint("good" if found.ready == "True" else "bad", ready) + (f": {found.message}" if found.message else "")
    )
    lines += [paint("warn", f"note: {note}") for note in found.notes]
    for cause in found.causes:
        lines += _cause(cause, paint)
    if not found.causes:
        lines.append("every step is Ok")
    if found.orphans:
        lines.append(f"orphans: {', '.join(found.orphans)}")
    return "\n".join(lines)


def _cause(cause: Cause, paint: Paint) -> Iterator[str]:
    if cause.holds_up:
        yield f"└─ {', '.join(reversed(cause.holds_up))} {'wait' if len(cause.holds_up) > 1 else 'waits'} for"
    yield f"└─ {paint('strong', cause.step)}  {paint(STYLES[cause.outcome], cause.outcome)}  {cause.message}"
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
    yield from _times(cause)


def _times(cause: Cause) -> Iterator[str]:
    if cause.since:
        attempts = f", {cause.attempts} attempts" if cause.attempts is not None else ""
        yield f"     {'since:':12}{cause.since}{attempts}"
    if cause.next_at:
        yield f"     {'next look:':12}{cause.next_at}"
    elif cause.delay_s is not None:
        yield f"     {'next look:':12}within {cause.delay_s:g} s, or when the object changes"
