"""How outcomes, objects and changes look in reports, for people and as data; values of Secrets never appear."""

from collections.abc import Iterator, Mapping
from typing import Any

from lambent.workflow.engine import Ok, Outcome, Retry, name_of
from lambent.workflow.engine.patches import without_directives
from lambent.workflow.spec.painting import Paint, Style
from lambent.workflow.testing.expectations import ABSENT, mismatches, without_traces

REDACTED = "(redacted)"
MARKS = {"Ok": "✓", "Skip": "·", "DepSkip": "·", "Retry": "…", "PermFail": "✗"}
STYLES: dict[str, Style] = {"Ok": "good", "Skip": "dim", "DepSkip": "dim", "Retry": "warn", "PermFail": "bad"}
_SECRET_MEMBERS = ("data", "stringData")


def outcome_data(outcome: Outcome) -> dict[str, Any]:
    """`{type, message, delay_s, location}`, without what is empty."""
    data: dict[str, Any] = {"type": name_of(outcome)}
    if not isinstance(outcome, Ok):
        data["message"] = outcome.message
        if isinstance(outcome, Retry):
            data["delay_s"] = outcome.delay_s
        if outcome.location:
            data["location"] = outcome.location
    return data


def outcome_text(outcome: Outcome, paint: Paint) -> str:
    """One line: the outcome's name, its message, and the wait."""
    name = name_of(outcome)
    text = paint(STYLES[name], name)
    if not isinstance(outcome, Ok) and outcome.message:
        text += f"  {outcome.message}"
    if isinstance(outcome, Retry):
        text += paint("dim", f"  (again within {outcome.delay_s:g} s)")
    return text


def redacted(obj: Mapping[str, Any] | None) -> Any:
    """The object; the data of a Secret, and the record of it in an annotation, are blanked."""
    if obj is None:
        return None
    shown = without_traces(without_directives(obj))
    if shown.get("kind") != "Secret":
        return shown
    for name in _SECRET_MEMBERS:
        if isinstance(shown.get(name), Mapping):
            shown[name] = dict.fromkeys(shown[name], REDACTED)
    return shown


def changed_fields(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """`{path, before, after}` of every field that a write changes; a side that has nothing there is left out."""
    is_secret = after.get("kind") == "Secret"
    for found in mismatches(without_traces(after), without_traces(before)):
        hides = is_secret and found.path.startswith(_SECRET_MEMBERS)
        entry: dict[str, Any] = {"path": found.path}
        for name, value in (("before", found.actual), ("after", found.expected)):
            if value is not ABSENT:
                entry[name] = REDACTED if hides else value
        yield entry


def one_line(value: Any, limit: int = 100) -> str:
    """A value as short JSON-like text."""
    import orjson

    text = orjson.dumps(value, default=str).decode()
    return text if len(text) <= limit else text[: limit - 1] + "…"
