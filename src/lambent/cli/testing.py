"""The verb test: runs FunctionTests and WorkflowTests offline, and shows what failed so that it can be mended."""

import argparse
import sys
import time
from typing import TYPE_CHECKING, Any

from lambent.cli.printing import print_data
from lambent.cli.reporting import add_paths, add_reporting, has_strict_warnings, paint_of
from lambent.errors import UsageError

if TYPE_CHECKING:
    from lambent.workflow.testing.session import Choice, Session

# Fast enough that a save feels immediate, rare enough to cost nothing; inotify is not in the standard library.
_LOOK_EVERY_S = 0.3


def register(verbs: Any) -> None:
    test = verbs.add_parser(
        "test", help="run FunctionTests and WorkflowTests", epilog="example: lambent test examples/ -k bucket"
    )
    add_paths(test)
    test.add_argument("-k", dest="select", default="", metavar="TEXT", help="only tests whose name holds this")
    test.add_argument("--kind", default="", metavar="KIND", help="only tests of this kind, or of functions of it")
    test.add_argument(
        "--changed",
        nargs="?",
        const="HEAD",
        metavar="COMMIT",
        help="only tests that edits since the commit affect (default HEAD)",
    )
    test.add_argument("--list", action="store_true", help="name the tests and run none")
    test.add_argument("--watch", action="store_true", help="run again after every edit, until Ctrl-C")
    test.add_argument("--update", action="store_true", help="rewrite the values of failing expectations to what came")
    test.add_argument(
        "--state-merge",
        choices=("merge", "legacy", "both"),
        help="how a write changes the object under test: merged as the API does (default), or as Koreo's runner does",
    )
    test.add_argument("--fail-fast", action="store_true", help="stop at the first case that fails")
    test.add_argument("-j", "--jobs", type=int, metavar="N", help="processes (default: by the number of tests)")
    add_reporting(test, formats=("text", "json", "yaml", "junit"), strict=True)
    test.set_defaults(run=run_test)


def run_test(args: argparse.Namespace) -> int:
    if "-" in map(str, args.paths) and (args.watch or args.update or args.changed is not None):
        raise UsageError("--watch, --update and --changed need files; standard input has none")
    if args.watch:
        return _watch(args)
    return _once(args)


def _once(args: argparse.Namespace) -> int:
    from lambent.workflow.authoring.choosing import load_existing
    from lambent.workflow.testing.session import run_session, selected

    loaded = load_existing(args.paths)
    choice = _choice(args)
    documents = selected(loaded, choice)
    has_errors = any(diagnostic.is_error for diagnostic in loaded.diagnostics)
    if not documents and not (has_errors and not args.select):
        if args.changed is not None:
            print(f"no test is affected by edits since {args.changed}")
            return 0
        raise UsageError(f"no FunctionTest or WorkflowTest selected in {', '.join(map(str, args.paths))}")
    if args.list:
        return _list(args, documents)
    session = run_session(loaded, choice)
    if args.update:
        session = _update(args, session, choice)
    _print(args, session)
    return 1 if not session.is_passed or has_strict_warnings(args, loaded.diagnostics) else 0


def _choice(args: argparse.Namespace) -> "Choice":
    from lambent.workflow.testing.changes import changed_since
    from lambent.workflow.testing.session import Choice

    files = changed_since(args.changed, args.paths) if args.changed is not None else None
    return Choice(
        select=args.select,
        kind=args.kind,
        files=files,
        mode=args.state_merge,
        fail_fast=args.fail_fast,
        jobs=args.jobs,
    )


def _list(args: argparse.Namespace, documents: list[Any]) -> int:
    from lambent.workflow.testing.output import list_data, list_lines

    if args.output in ("json", "yaml"):
        print_data({"version": 1, "tests": list_data(documents)}, args.output)
    else:
        print("\n".join(list_lines(documents)))
    return 0


def _update(args: argparse.Namespace, session: "Session", choice: "Choice") -> "Session":
    """Rewrites, tells, and runs again, so that what is printed is how things stand now."""
    from lambent.workflow.authoring.choosing import load_existing
    from lambent.workflow.testing.rewriting import update
    from lambent.workflow.testing.session import run_session

    updated = update(session)
    for case in updated.cases:
        print(f"updated {case}", file=sys.stderr)
    for case in updated.left:
        print(f"left as it is {case}", file=sys.stderr)
    return run_session(load_existing(args.paths), choice) if updated.files else session


def _print(args: argparse.Namespace, session: "Session") -> None:
    from lambent.workflow.testing.junit import junit
    from lambent.workflow.testing.output import pretty, session_data

    if args.output == "text":
        print(pretty(session, paint_of(args)))
    elif args.output == "junit":
        print(junit(session), end="")
    else:
        print_data(session_data(session), args.output)


def _watch(args: argparse.Namespace) -> int:
    from lambent.workflow.testing.changes import stamps

    seen: dict[str, tuple[int, int]] = {}
    code = 0
    try:
        while True:
            now = stamps(args.paths)
            if now != seen:
                seen = now
                code = _tell_once(args)
                # What --update wrote is no edit of the user's.
                seen = stamps(args.paths) if args.update else seen
            time.sleep(_LOOK_EVERY_S)
    except KeyboardInterrupt:
        return code


def _tell_once(args: argparse.Namespace) -> int:
    """A run whose mistakes do not end the watch."""
    try:
        code = _once(args)
    except UsageError as error:
        print(f"lambent test: {error}", file=sys.stderr)
        code = 2
    print(f"-- waiting for edits in {', '.join(map(str, args.paths))}; Ctrl-C ends", flush=True)
    return code
