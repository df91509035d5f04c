"""From the command line to a verb: finds its module, runs it, turns errors into exit codes.

A verb family is a module with `register(verbs)`, which declares the verbs and points each at a `run(args) -> int`.
Families keep their heavy imports inside `run`, so that `lambent --help` stays under 150 ms; a verb that is named first
loads its own family only, which halves the time until it runs.

Exit codes: 0 ok, 1 failed, 2 usage, 3 difference found; no others.
"""

import argparse
import gc
import sys
from collections.abc import Sequence
from importlib import import_module

from lambent import __version__
from lambent.errors import LambentError, UsageError

OK, FAILED, USAGE, DIFFERENCE = 0, 1, 2, 3

# In the order of `--help`.
FAMILIES = {
    "embedded": ("up", "demo", "env", "status"),
    "cluster": ("apply", "crds", "manifests"),
    "testing": ("test",),
    "workflows": ("validate", "render", "graph", "fmt"),
    "planning": ("plan",),
    "expressions": ("cel",),
    "workloads": ("explain", "inspect", "reconcile", "prune"),
    "invoking": ("invoke", "logs"),
    "image": ("image",),
    "services": ("server", "controller", "kubeserver"),
}

_DESCRIPTION = "Run AWS-Lambda-compatible functions as a native part of Kubernetes."
_EPILOG = """start here:
  lambent demo            from nothing to an invoked function, then cleans up
  lambent up              the platform on this machine; Ctrl-C stops it
  eval "$(lambent env)"   point kubectl, the aws CLI and boto3 at it
"""


def build_parser(verb: str = "") -> argparse.ArgumentParser:
    """With the family of `verb` alone if there is such a verb, with all of them otherwise."""
    parser = argparse.ArgumentParser(
        prog="lambent", description=_DESCRIPTION, epilog=_EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--version", action="version", version=f"lambent {__version__}")
    verbs = parser.add_subparsers(title="verbs", dest="verb", metavar="VERB", required=True)
    for family in [name for name, its in FAMILIES.items() if verb in its] or FAMILIES:
        import_module(f"lambent.cli.{family}").register(verbs)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one verb; the return value is the process' exit code."""
    # What a start imports stays, some hundred thousand objects; at Python's own 700 the collector walks them again and
    # again before the verb's first line, a twentieth of the time until then.
    gc.set_threshold(20_000)
    words = sys.argv[1:] if argv is None else argv
    args = build_parser(words[0] if words else "").parse_args(words)
    try:
        return int(args.run(args))
    except LambentError as error:
        return _complain(args.verb, error)
    except ExceptionGroup as group:
        known = _first_of_ours(group)
        if known is None:
            raise
        return _complain(args.verb, known)
    except (BrokenPipeError, KeyboardInterrupt):
        return FAILED


def _complain(verb: str, error: LambentError) -> int:
    print(f"lambent {verb}: {error}", file=sys.stderr)
    return USAGE if isinstance(error, UsageError) else FAILED


def _first_of_ours(group: ExceptionGroup[Exception]) -> LambentError | None:
    """What parts that ran side by side failed with, when all of it is known; a defect keeps its traceback."""
    ours, others = group.split(LambentError)
    if ours is None or others is not None:
        return None
    first = ours.exceptions[0]
    return first if isinstance(first, LambentError) else _first_of_ours(first)
