"""Verbs for people who write workflows: validate, render, graph, fmt. Only `graph --cluster` asks a cluster."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lambent.cli.flags import ON_CLUSTER, add_settings, cluster_of
from lambent.cli.printing import print_data
from lambent.cli.reporting import (
    add_files,
    add_paths,
    add_reporting,
    counted,
    diagnostic_data,
    files_of,
    has_strict_warnings,
    paint_of,
)
from lambent.errors import UsageError

if TYPE_CHECKING:
    from lambent.workflow.spec import Diagnostic
    from lambent.workflow.testing import Loaded

_DIFFERENCE = 3


def register(verbs: Any) -> None:
    _register_validate(verbs)
    _register_render(verbs)
    _register_graph(verbs)
    _register_fmt(verbs)


def _register_validate(verbs: Any) -> None:
    validate = verbs.add_parser(
        "validate",
        help="check workflows, functions and tests, without a cluster",
        epilog="example: lambent validate examples/ --strict",
    )
    add_paths(validate)
    validate.add_argument(
        "--crds", type=Path, metavar="DIR", help="check resources in the files against these CRDs as well"
    )
    validate.add_argument(
        "--rbac", action="store_true", help="print the role that the controller needs for these workflows instead"
    )
    add_reporting(validate, strict=True)
    validate.set_defaults(run=run_validate)


def _register_render(verbs: Any) -> None:
    render = verbs.add_parser(
        "render",
        help="what a function makes of some inputs",
        epilog="example: lambent render ResourceFunction/bucket --inputs inputs.yaml -f examples/",
    )
    render.add_argument("name", metavar="KIND/NAME", help="a function; KIND/NAMESPACE/NAME when the name is not enough")
    render.add_argument("--inputs", type=Path, metavar="FILE", help="its inputs, as YAML or JSON (default none)")
    render.add_argument("--resource", type=Path, metavar="FILE", help="the live object (default: it does not exist)")
    render.add_argument("--stages", action="store_true", help="show the target after the template and each overlay")
    add_files(render)
    add_reporting(render, strict=True)
    render.set_defaults(run=run_render)


def _register_graph(verbs: Any) -> None:
    graph = verbs.add_parser(
        "graph",
        help="the steps of a workflow and what each waits for",
        epilog="example: lambent graph orders -o svg -f examples/",
    )
    graph.add_argument("workflow", metavar="WORKFLOW", help="its name, or NAMESPACE/NAME")
    graph.add_argument("--parent", type=Path, metavar="FILE", help="a trigger object whose status marks the steps")
    graph.add_argument("--cluster", action="store_true", help="read the status of the parent from the cluster")
    graph.add_argument("--expand", action="store_true", help="draw the steps of sub-workflows too (text and json)")
    add_files(graph)
    add_reporting(graph, formats=("text", "mermaid", "dot", "json", "yaml", "svg"), strict=True)
    add_settings(graph, ON_CLUSTER)
    graph.set_defaults(run=run_graph)


def _register_fmt(verbs: Any) -> None:
    fmt = verbs.add_parser(
        "fmt", help="write YAML in one form, keeping comments", epilog="example: lambent fmt --check examples/"
    )
    add_paths(fmt)
    fmt.add_argument("--check", action="store_true", help="change nothing; exit with 3 when a file would change")
    add_reporting(fmt)
    fmt.set_defaults(run=run_fmt)


def run_validate(args: argparse.Namespace) -> int:
    from lambent.workflow.authoring.choosing import load_existing
    from lambent.workflow.authoring.lint import all_diagnostics
    from lambent.workflow.spec import has_errors, in_order, kind_of

    loaded = load_existing(args.paths)
    found = all_diagnostics(loaded)
    if args.crds is not None:
        from lambent.workflow.authoring.schemas import schema_diagnostics

        found = in_order([*found, *schema_diagnostics(loaded, args.crds)])
    count = sum(kind_of(document.value) is not None for document in loaded.documents)
    errors = sum(diagnostic.is_error for diagnostic in found)
    if not count and not errors:
        raise UsageError(f"no workflow, function or test in {', '.join(map(str, args.paths))}")
    if args.rbac:
        return _print_role(args, loaded, found)
    summary = {"documents": count, "errors": errors, "warnings": len(found) - errors}
    if args.output != "text":
        print_data({"version": 1, "summary": summary, "diagnostics": diagnostic_data(found)}, args.output)
    else:
        paint = paint_of(args)
        for diagnostic in found:
            first, _, rest = diagnostic.render().partition("\n")
            print(paint("bad" if diagnostic.is_error else "warn", first) + (f"\n{rest}" if rest else ""))
        print(f"{counted(count, 'document')}: {counted(errors, 'error')}, {counted(len(found) - errors, 'warning')}")
    return 1 if has_errors(found, strict=args.strict) else 0


def _print_role(args: argparse.Namespace, loaded: "Loaded", found: "list[Diagnostic]") -> int:
    """What is wrong goes to standard error, since the role is meant for kubectl."""
    from lambent.workflow.authoring.rbac import cluster_role
    from lambent.workflow.spec import has_errors

    for diagnostic in found:
        print(diagnostic.render(), file=sys.stderr)
    print_data(cluster_role(loaded), "json" if args.output == "json" else "yaml")
    return 1 if has_errors(found, strict=args.strict) else 0


def run_render(args: argparse.Namespace) -> int:
    from lambent.workflow.authoring.choosing import function_of, load_existing, read_object
    from lambent.workflow.authoring.rendering import render, render_data, render_text
    from lambent.workflow.engine import PermFail

    loaded = load_existing(files_of(args))
    function = function_of(loaded.catalog, args.name)
    inputs = read_object(args.inputs, "--inputs", is_whole=False) if args.inputs else {}
    live = read_object(args.resource, "--resource") if args.resource else None
    rendered = render(function, inputs, loaded.catalog, live)
    if args.output == "text":
        print(render_text(rendered, with_stages=args.stages, paint=paint_of(args)))
    else:
        print_data(render_data(rendered, with_stages=args.stages), args.output)
    is_bad = isinstance(rendered.outcome, PermFail) or has_strict_warnings(args, function.diagnostics)
    return 1 if is_bad else 0


def run_graph(args: argparse.Namespace) -> int:
    from lambent.workflow.authoring import graph as graphs
    from lambent.workflow.authoring.choosing import load_existing, workflow_of
    from lambent.workflow.authoring.drawing import svg

    loaded = load_existing(files_of(args))
    workflow = workflow_of(loaded.catalog, args.workflow)
    graph = graphs.graph_of(workflow, loaded.catalog, outcomes=_outcomes(args), expand=args.expand)
    writers = {"mermaid": graphs.mermaid, "dot": graphs.dot, "svg": svg}
    if args.output in ("json", "yaml"):
        print_data(graphs.graph_data(graph), args.output)
    elif args.output == "text":
        print(graphs.graph_text(graph, paint_of(args)))
    else:
        print(writers[args.output](graph))
    return 1 if has_strict_warnings(args, workflow.diagnostics) else 0


def _outcomes(args: argparse.Namespace) -> dict[str, str]:
    """Outcome by step, from the status of the parent."""
    from lambent.workflow.authoring.choosing import read_object

    if args.parent is None:
        if args.cluster:
            raise UsageError("--cluster reads the status of an object; name it by --parent FILE")
        return {}
    parent = read_object(args.parent, "--parent")
    if args.cluster:
        from lambent.platform.daemon import run
        from lambent.platform.workloads import read_live

        cluster = cluster_of(args)
        parent = run(lambda: read_live(cluster, parent))
    steps = ((parent.get("status") or {}).get("koreo") or {}).get("steps") or []
    return {step["label"]: step["outcome"] for step in steps if "label" in step and "outcome" in step}


def run_fmt(args: argparse.Namespace) -> int:
    from lambent.workflow.authoring.formatting import format_files

    if [str(path) for path in args.paths] == ["-"]:
        return _format_stdin(args)
    for path in args.paths:
        if not path.exists():
            raise UsageError(f"{path}: no such file or folder")
    report = format_files(args.paths, write=not args.check)
    if args.output != "text":
        print_data(report.to_dict(), args.output)
    else:
        verb = "would change" if args.check else "changed"
        for file in report.changed:
            print(f"{file} {verb}")
        for file, reason in report.refused.items():
            print(f"{file} left as it is: {reason}")
        print(f"{counted(report.count, 'file')}, {len(report.changed)} {verb}")
    if any(reason.is_error for reason in report.refused.values()):
        return 1
    return _DIFFERENCE if args.check and report.changed else 0


def _format_stdin(args: argparse.Namespace) -> int:
    """From standard input to standard output, for editors."""
    from lambent.workflow.authoring.formatting import format_text

    text = sys.stdin.read()
    formatted, refusal = format_text(text)
    if refusal is not None:
        print(f"left as it is: {refusal}", file=sys.stderr)
    if not args.check:
        print(formatted, end="")
    if refusal is not None and refusal.is_error:
        return 1
    return _DIFFERENCE if args.check and formatted != text else 0
