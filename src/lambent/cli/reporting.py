"""What the verbs on workflows share: `-o`, `--color`, `--strict`, `-f`, and how diagnostics are told."""

import argparse
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lambent.cli.flags import add_output

if TYPE_CHECKING:
    from lambent.workflow.spec import Diagnostic
    from lambent.workflow.spec.painting import Paint


def add_reporting(
    parser: argparse.ArgumentParser, *, formats: tuple[str, ...] = ("text", "json", "yaml"), strict: bool = False
) -> None:
    """`-o` and `--color`; with `strict` the flag that makes warnings count."""
    add_output(parser, formats=formats)
    parser.add_argument(
        "--color", choices=("auto", "always", "never"), default="auto", help="colours (auto: on a terminal)"
    )
    if strict:
        parser.add_argument("--strict", action="store_true", help="warnings fail too")


def add_paths(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "paths", nargs="*", type=Path, default=[Path(".")], metavar="PATH", help="files or folders, or - (default .)"
    )


def counted(number: int, noun: str) -> str:
    """`1 error`, `2 errors`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def add_files(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-f",
        "--files",
        action="append",
        type=Path,
        metavar="PATH",
        help="file or folder of workflows and functions; may be repeated (default .)",
    )


def files_of(args: argparse.Namespace) -> list[Path]:
    return args.files or [Path(".")]


def paint_of(args: argparse.Namespace) -> "Paint":
    """Colours on a terminal, unless NO_COLOR or the flag say otherwise. Source: no-color.org."""
    from lambent.workflow.spec.painting import coloured, plain

    if args.color == "auto":
        return coloured if sys.stdout.isatty() and not os.environ.get("NO_COLOR") else plain
    return coloured if args.color == "always" else plain


def diagnostic_data(diagnostics: "Iterable[Diagnostic]") -> list[dict[str, Any]]:
    """Every member of each, without the excerpt of the source."""
    members = ("severity", "code", "message", "file", "line", "col", "end_line", "end_col", "object", "path", "hint")
    return [{name: getattr(diagnostic, name) for name in members} for diagnostic in diagnostics]


def has_strict_warnings(args: argparse.Namespace, diagnostics: "Iterable[Diagnostic]") -> bool:
    """Whether `--strict` makes these fail; they are then told on standard error."""
    found = list(diagnostics) if args.strict else []
    for diagnostic in found:
        print(diagnostic.render(), file=sys.stderr)
    return bool(found)
