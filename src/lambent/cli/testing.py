"""The verb test: runs FunctionTests offline, and shows what failed so that it can be mended."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lambent.cli.flags import add_output
from lambent.cli.printing import print_data
from lambent.errors import UsageError

if TYPE_CHECKING:
    from lambent.workflow.testing import CaseResult, Report, TestResult

_MARKS = {"passed": "✓", "failed": "✗", "skipped": "·"}


def register(verbs: Any) -> None:
    test = verbs.add_parser("test", help="run FunctionTests", epilog="example: lambent test examples/")
    test.add_argument("paths", nargs="*", type=Path, default=[Path(".")], metavar="PATH", help="files or folders")
    test.add_argument("-k", dest="select", default="", metavar="TEXT", help="only tests whose name holds this")
    test.add_argument(
        "--state-merge",
        choices=("merge", "legacy"),
        help="how a write changes the object under test: merged as the API does (default), or as Koreo's runner does",
    )
    test.add_argument("--fail-fast", action="store_true", help="stop at the first test that fails")
    add_output(test)
    test.set_defaults(run=run_test)


def run_test(args: argparse.Namespace) -> int:
    from lambent.workflow.testing import load, run_tests

    missing = [str(path) for path in args.paths if not path.exists()]
    if missing:
        raise UsageError(f"{missing[0]}: no such file or folder")
    report = run_tests(load(args.paths), select=args.select, mode=args.state_merge, fail_fast=args.fail_fast)
    if not report.tests and not any(d.is_error for d in report.loaded.diagnostics):
        raise UsageError(f"no FunctionTest selected in {', '.join(map(str, args.paths))}")
    if args.output == "text":
        print(render(report))
    else:
        print_data(_data(report), args.output)
    return 0 if report.is_passed else 1


def render(report: "Report") -> str:
    """What a person sees: a line per case, differences under those that failed, then a count."""
    lines = [diagnostic.render() for diagnostic in report.loaded.diagnostics if diagnostic.is_error]
    for test in report.tests:
        lines += _render_test(test)
    passed, failed, skipped = (report.count(status) for status in ("passed", "failed", "skipped"))
    total_ms = sum(case.duration_us for test in report.tests for case in test.cases) / 1000
    counts = f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else "")
    return "\n".join([*lines, "", f"{counts} in {total_ms:.1f} ms"])


def _render_test(test: "TestResult") -> list[str]:
    lines = [f"{test.file}:{test.line}  {test.identity}"]
    lines += [f"  ✗ {problem}" for problem in test.problems]
    for case in test.cases:
        note = "  (after a failure)" if case.is_after_failure else ""
        lines.append(f"  {_MARKS[case.status]} {case.label}  {case.duration_us / 1000:.2f} ms{note}")
        if case.status == "failed":
            lines += [f"      {line}" for line in (case.place, *case.explain().splitlines()) if line]
    return lines


def _data(report: "Report") -> dict[str, Any]:
    """Version 1 of the JSON schema: summary, diagnostics, tests with their cases."""
    return {
        "version": 1,
        "summary": {status: report.count(status) for status in ("passed", "failed", "skipped")},
        "diagnostics": [diagnostic.render() for diagnostic in report.loaded.diagnostics],
        "tests": [
            {
                "object": str(test.identity),
                "file": test.file,
                "line": test.line,
                "problems": test.problems,
                "cases": [_case(case) for case in test.cases],
            }
            for test in report.tests
        ],
    }


def _case(case: "CaseResult") -> dict[str, Any]:
    return {
        "label": case.label,
        "status": case.status,
        "outcome": case.outcome,
        "explanation": case.explain(),
        "duration_us": round(case.duration_us, 1),
    }
