"""Verbs on expressions alone: cel eval, cel functions."""

import argparse
import sys
import time
from pathlib import Path
from typing import Any

from lambent.cli.printing import print_data, print_table
from lambent.cli.reporting import add_reporting, paint_of
from lambent.errors import UsageError

_NANO = 1e9
# Repeated until this has passed, so that the time is that of a warm evaluation and not of the first.
_MEASURE_S = 0.02


def register(verbs: Any) -> None:
    cel = verbs.add_parser(
        "cel",
        help="evaluate an expression, list the functions",
        epilog="example: lambent cel eval name.upperAscii() --bind name=orders",
    )
    actions = cel.add_subparsers(title="actions", dest="action", metavar="ACTION", required=True)
    evaluate = actions.add_parser(
        "eval",
        help="the value of one expression",
        epilog="example: lambent cel eval 'inputs.count+1' --bind inputs=@inputs.yaml --explain",
    )
    evaluate.add_argument("expression", metavar="EXPR", help="the expression; a leading = is left out")
    evaluate.add_argument(
        "--bind",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a variable: JSON or YAML text, or @FILE; may be repeated",
    )
    evaluate.add_argument("--profile", choices=("koreo", "strict"), default="koreo", help="which rules hold")
    evaluate.add_argument("--explain", action="store_true", help="also print type, paths read, remarks and time")
    add_reporting(evaluate, strict=True)
    evaluate.set_defaults(run=run_eval)

    functions = actions.add_parser(
        "functions",
        help="functions and macros, or those that hold a text",
        epilog="example: lambent cel functions split",
    )
    functions.add_argument("text", nargs="?", default="", metavar="TEXT", help="only functions whose name holds this")
    functions.add_argument("--profile", choices=("koreo", "strict"), default="koreo", help="whose functions")
    add_reporting(functions)
    functions.set_defaults(run=run_functions)


def run_eval(args: argparse.Namespace) -> int:
    from lambent import cel

    bindings = dict(_binding(text) for text in args.bind)
    source = args.expression.lstrip("=")
    try:
        program = cel.compile(source, names=tuple(bindings), profile=args.profile)
        shown = cel.json_value(program.evaluate(bindings))
    except cel.CelError as error:
        return _refuse(args, source, error)
    details = {
        "version": 1,
        "value": shown,
        "type": program.kind,
        "profile": args.profile,
        "references": [".".join(path) for path in sorted(program.references)],
        "lints": [lint.message for lint in program.lints],
    }
    if args.explain or args.output != "text":
        details["microseconds"] = round(_microseconds(program.evaluate, bindings), 2)
    _print_value(args, details)
    return 1 if args.strict and program.lints else 0


def _print_value(args: argparse.Namespace, details: dict[str, Any]) -> None:
    if args.output != "text":
        print_data(details, args.output)
        return
    from lambent.workflow.authoring.yaml_text import yaml_text

    value = details["value"]
    print(value if isinstance(value, str) else yaml_text(value))
    if not (details["lints"] or args.explain):
        return
    paint = paint_of(args)
    for lint in details["lints"]:
        print(paint("warn", f"remark: {lint}"))
    if args.explain:
        reads = ", ".join(details["references"]) or "nothing"
        print(paint("dim", f"reads {reads}; type {details['type']}; {details['microseconds']} us"))


def _refuse(args: argparse.Namespace, source: str, error: Any) -> int:
    if args.output != "text":
        print_data({"version": 1, "error": error.as_dict()}, args.output)
        return 1
    lines = source.splitlines() or [""]
    line = lines[min(error.line, len(lines)) - 1]
    print(f"{error.line}:{error.col}: error[cel-{error.code}]: {error.message}", file=sys.stderr)
    print(f"  {line}\n  {' ' * (error.col - 1)}^", file=sys.stderr)
    return 1


def _binding(text: str) -> tuple[str, Any]:
    """NAME=VALUE as a pair; values are read as documents are, so that a date stays text."""
    from lambent.workflow.spec.yaml_events import parse_nodes
    from lambent.workflow.spec.yaml_nodes import YamlProblem, to_value

    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise UsageError(f"--bind {text}: write NAME=VALUE")
    if value.startswith("@"):
        try:
            value = Path(value[1:]).read_text(encoding="utf-8")
        except OSError as error:
            raise UsageError(f"--bind {text}: {error.strerror}") from error
        except UnicodeError as error:
            raise UsageError(f"--bind {text}: the file is not UTF-8 text") from error
    try:
        nodes = list(parse_nodes(value))
    except YamlProblem as problem:
        raise UsageError(f"--bind {name}: line {problem.line + 1}: {problem.message}") from problem
    return name, to_value(nodes[0], value, []) if nodes else None


def _microseconds(evaluate: Any, bindings: dict[str, Any]) -> float:
    """Of one evaluation: the mean over a bounded time."""
    count, start = 0, time.perf_counter_ns()
    while True:
        evaluate(bindings)
        count += 1
        passed = time.perf_counter_ns() - start
        if passed > _MEASURE_S * _NANO:
            return passed / count / 1000


def run_functions(args: argparse.Namespace) -> int:
    from lambent import cel

    wanted = args.text.lower()
    found = [
        {"name": each.name, "signature": each.signature, "doc": each.doc, "profile": each.profile or "both"}
        for each in sorted(cel.functions(), key=lambda each: (each.name, each.signature))
        if wanted in each.name.lower() and each.profile in (None, args.profile)
    ]
    macros = [{"form": form, "doc": doc} for form, doc in cel.MACROS.items() if wanted in form.lower()]
    if not found and not macros:
        raise UsageError(f"no function or macro of the profile {args.profile} holds {args.text!r}")
    if args.output != "text":
        print_data({"version": 1, "profile": args.profile, "functions": found, "macros": macros}, args.output)
        return 0
    if found:
        print_table(("FUNCTION", "SIGNATURE", "MEANING"), [(f["name"], f["signature"], f["doc"]) for f in found])
    if macros:
        print()
        print_table(("MACRO", "MEANING"), [(m["form"], m["doc"]) for m in macros])
    return 0
