"""Results of a session for people and as data. JUnit's form is in `junit`."""

from collections.abc import Iterator, Sequence
from typing import Any

from lambent.workflow.spec import Document
from lambent.workflow.spec.painting import Paint, Style, plain
from lambent.workflow.testing.expectations import ABSENT, Mismatch
from lambent.workflow.testing.results import CaseResult
from lambent.workflow.testing.session import Run, Session, tested_kind

VERSION = 1
_MARKS: dict[str, tuple[str, Style]] = {"passed": ("✓", "good"), "failed": ("✗", "bad"), "skipped": ("·", "dim")}
_SLOWEST = 3
# Below this a case is not worth naming as slow.
_SLOW_US = 5000.0
_MAX_NEVER = 10
_MAX_VALUE = 400
# Of a difference between texts of several lines; of a long line, what is shown before the first difference.
_MAX_LINES = 40
_CONTEXT = 60


def pretty(session: Session, paint: Paint = plain) -> str:
    """A line per case, differences under those that failed, then counts, the slowest, and what was never evaluated."""
    lines = [diagnostic.render() for diagnostic in session.problems]
    for run in session.runs:
        lines += _test_lines(run, paint)
    lines += ["", *_slowest(session, paint), *_never(session, paint), _counts(session, paint)]
    return "\n".join(lines)


def _test_lines(run: Run, paint: Paint) -> Iterator[str]:
    result = run.result
    mode = f"  ({run.mode})" if run.mode else ""
    yield paint("strong", f"{result.file}:{result.line}  {result.identity}{mode}")
    for problem in result.problems:
        yield paint("bad", f"  ✗ {problem}")
    for case in result.cases:
        mark, style = _MARKS[case.status]
        note = "  (after a failure)" if case.is_after_failure else ""
        time = paint("dim", f"  {case.duration_us / 1000:.2f} ms{note}")
        yield f"  {paint(style, mark)} {case.label}{time}"
        if case.status == "failed":
            yield from (f"      {line}" for line in _failure(case, paint))


def _failure(case: CaseResult, paint: Paint) -> Iterator[str]:
    yield paint("dim", case.place)
    yield from case.reason.splitlines()
    for difference in case.differences:
        yield from difference_lines(difference, paint)
    yield from (paint("dim", note) for note in case.notes)
    if case.location:
        yield paint("dim", f"at {case.location}")


def difference_lines(difference: Mismatch, paint: Paint = plain) -> Iterator[str]:
    """The path, then what was expected and what came, one below the other so that the eye can compare.

    Of long texts only the part around the first difference, of texts of several lines the lines that differ.
    """
    yield f"  {difference.path or '(root)'}"
    if difference.said:
        yield f"    {difference.said}"
        return
    expected, actual = difference.expected, difference.actual
    if isinstance(expected, str) and isinstance(actual, str):
        if "\n" in expected.strip() and "\n" in actual.strip():
            yield from _line_diff(expected, actual, paint)
            return
        expected, actual = _near_difference(expected, actual)
    yield paint("good", f"    expected: {_shown(expected)}")
    yield paint("bad", f"    actual:   {_shown(actual)}")


def _line_diff(expected: str, actual: str, paint: Paint) -> Iterator[str]:
    """Lines only expected are marked -, lines that came instead +."""
    import difflib  # only needed when something is wrong

    styles: dict[str, Style] = {"-": "good", "+": "bad"}
    lines = difflib.unified_diff(expected.splitlines(), actual.splitlines(), lineterm="", n=2)
    yield "    - expected, + actual"
    for line in list(lines)[2 : 2 + _MAX_LINES]:
        yield f"    {paint(styles[line[0]], line) if line[0] in styles else line}"


def _near_difference(expected: str, actual: str) -> tuple[str, str]:
    """Both texts, cut where they have been the same for long."""
    pairs = enumerate(zip(expected, actual, strict=False))
    same = next((index for index, (want, have) in pairs if want != have), min(len(expected), len(actual)))
    start = same - _CONTEXT
    if start <= 0 or max(len(expected), len(actual)) <= _MAX_VALUE:
        return expected, actual
    return f"…{expected[start:]}", f"…{actual[start:]}"


def _shown(value: Any) -> str:
    """JSON, because its quotes and brackets tell "1" from 1."""
    import orjson

    if value is ABSENT:
        return "(nothing)"
    text = orjson.dumps(value, default=str).decode()
    return text if len(text) <= _MAX_VALUE else text[: _MAX_VALUE - 1] + "…"


def _slowest(session: Session, paint: Paint) -> Iterator[str]:
    slow = sorted(session.cases(), key=lambda pair: -pair[1].duration_us)[:_SLOWEST]
    slow = [(run, case) for run, case in slow if case.duration_us >= _SLOW_US]
    if slow:
        yield "slowest:"
        for run, case in slow:
            yield paint("dim", f"  {case.duration_us / 1000:8.2f} ms  {run.result.identity}: {case.label}")


def _never(session: Session, paint: Paint) -> Iterator[str]:
    if not session.never or not session.count("passed"):
        return
    yield f"expressions never evaluated: {len(session.never)}"
    for place in session.never[:_MAX_NEVER]:
        text = place.text if len(place.text) <= 60 else place.text[:59] + "…"
        yield paint("dim", f"  {place.place or place.object}  {place.path}: ={text}")
    if len(session.never) > _MAX_NEVER:
        yield paint("dim", f"  and {len(session.never) - _MAX_NEVER} more (all of them with -o json)")


def _counts(session: Session, paint: Paint) -> str:
    passed, failed, skipped = (session.count(status) for status in ("passed", "failed", "skipped"))
    total_ms = sum(case.duration_us for _, case in session.cases()) / 1000
    counts = f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else "")
    if session.problems:
        counts += f", {len(session.problems)} errors in documents"
    return paint("good" if session.is_passed else "bad", f"{counts} in {total_ms:.1f} ms")


def session_data(session: Session) -> dict[str, Any]:
    """Version 1: {version, summary, diagnostics, tests[{object, file, line, mode, problems, cases}], never_evaluated};
    a case is {label, status, place, outcome, explanation, diff, duration_us}.
    """
    return {
        "version": VERSION,
        "summary": {status: session.count(status) for status in ("passed", "failed", "skipped")},
        "diagnostics": [diagnostic.render() for diagnostic in session.loaded.diagnostics],
        "tests": [
            {
                "object": str(run.result.identity),
                "file": run.result.file,
                "line": run.result.line,
                **({"mode": run.mode} if run.mode else {}),
                "problems": run.result.problems,
                "cases": [_case_data(case) for case in run.result.cases],
            }
            for run in session.runs
        ],
        "never_evaluated": [place._asdict() for place in session.never],
    }


def _case_data(case: CaseResult) -> dict[str, Any]:
    return {
        "label": case.label,
        "status": case.status,
        "place": case.place,
        "outcome": case.outcome,
        "explanation": case.explain(),
        "diff": [_difference_data(difference) for difference in case.differences],
        "duration_us": round(case.duration_us, 1),
    }


def _difference_data(difference: Mismatch) -> dict[str, Any]:
    """A side that has nothing there is left out."""
    sides = {"expected": difference.expected, "actual": difference.actual}
    said = {"said": difference.said} if difference.said else {}
    return {"path": difference.path, **{name: value for name, value in sides.items() if value is not ABSENT}, **said}


def list_data(documents: Sequence[Document]) -> list[dict[str, Any]]:
    """{object, file, line, tests, cases} of each test."""
    found = []
    for document in documents:
        spec = document.spec
        reference = spec.get("functionRef") or spec.get("workflowRef") or {}
        found.append(
            {
                "object": str(document.identity),
                "file": document.file,
                "line": document.span(()).line,
                "tests": f"{tested_kind(document)}/{reference.get('name', '')}",
                "cases": len(spec.get("testCases") or spec.get("passes") or ()),
            }
        )
    return found


def list_lines(documents: Sequence[Document]) -> Iterator[str]:
    """A line per test: where it stands, its name, what it tests, how many cases."""
    for one in list_data(documents):
        cases = "1 case" if one["cases"] == 1 else f"{one['cases']} cases"
        yield f"{one['file']}:{one['line']}  {one['object']}  {one['tests']}  {cases}"
