"""The verb plan: what a workflow would write for an object, offline or with what a cluster holds."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lambent.cli.flags import ON_CLUSTER, add_settings, cluster_of
from lambent.cli.printing import print_data
from lambent.cli.reporting import add_files, add_reporting, files_of, has_strict_warnings, paint_of
from lambent.errors import LambentError

if TYPE_CHECKING:
    from lambent.workflow.authoring.forecast import Forecast
    from lambent.workflow.engine import Workflow
    from lambent.workflow.testing import Loaded
    from lambent.workflow.testing.readiness import Readiness

_DIFFERENCE = 3


def register(verbs: Any) -> None:
    plan = verbs.add_parser(
        "plan",
        help="what a workflow would write; writes nothing, and exits with 3 when there is something",
        epilog="example: lambent plan orders --parent order.yaml --resources live/ -f examples/",
    )
    plan.add_argument("workflow", metavar="WORKFLOW", help="its name, or NAMESPACE/NAME")
    plan.add_argument("--parent", required=True, type=Path, metavar="FILE", help="the trigger object")
    source = plan.add_mutually_exclusive_group()
    source.add_argument("--resources", type=Path, metavar="DIR", help="objects that exist (default: none)")
    source.add_argument("--cluster", action="store_true", help="read the objects, and the parent, from the cluster")
    plan.add_argument(
        "--converge",
        action="store_true",
        help="further passes, until one writes nothing; objects become ready as a WorkflowTest among the files says",
    )
    add_files(plan)
    add_reporting(plan, strict=True)
    add_settings(plan, ON_CLUSTER)
    plan.set_defaults(run=run_plan)


def run_plan(args: argparse.Namespace) -> int:
    from lambent.workflow.authoring.choosing import load_existing, read_object, require_complete, workflow_of
    from lambent.workflow.authoring.forecast_output import plan_data, plan_text
    from lambent.workflow.engine import PermFail
    from lambent.workflow.engine.expressions import Failed

    loaded = load_existing(files_of(args))
    workflow = workflow_of(loaded.catalog, args.workflow)
    require_complete(workflow, loaded.catalog)
    parent = read_object(args.parent, "--parent")
    ready, assumed = _readiness(workflow, loaded) if args.converge else ({}, [])
    try:
        made, notes = _forecast(args, workflow, parent, loaded, ready)
    except Failed as failure:
        raise LambentError(f"an object cannot be made ready as {', '.join(assumed)}: {failure.message}") from failure
    notes += assumed
    if args.output == "text":
        print(plan_text(made, notes, paint_of(args)))
    else:
        print_data(plan_data(made, notes), args.output)
    if isinstance(made.passes[-1].result.outcome, PermFail) or has_strict_warnings(args, loaded.diagnostics):
        return 1
    return _DIFFERENCE if made.has_difference else 0


def _readiness(workflow: "Workflow", loaded: "Loaded") -> "tuple[Readiness, list[str]]":
    """What makes objects ready between passes, and a note that says who said so."""
    from lambent.workflow.testing.readiness import stated_readiness

    ready, tests = stated_readiness(loaded.documents, workflow.identity.name)
    if not ready:
        return ready, ["no WorkflowTest among the files says what makes objects ready (converge.ready)"]
    return ready, [f"{', '.join(ready)} become ready as {', '.join(tests)} says"]


def _forecast(
    args: argparse.Namespace, workflow: "Workflow", parent: dict[str, Any], loaded: "Loaded", ready: "Readiness"
) -> "tuple[Forecast, list[str]]":
    from lambent.workflow.authoring.choosing import read_objects
    from lambent.workflow.authoring.forecast import answer_from, completed, drive, forecast
    from lambent.workflow.authoring.schemas import defaulted
    from lambent.workflow.engine.managed import parse_record

    converge = args.converge
    if args.cluster:
        from lambent.platform.daemon import run
        from lambent.platform.workloads import forecast_on

        cluster = cluster_of(args)
        return run(lambda: forecast_on(cluster, workflow, parent, loaded.catalog, converge=converge, ready=ready))
    # Before a uid is assumed, which would make the record of a file without one another object's.
    record = parse_record(parent.get("metadata") or {})
    parent, notes = completed(defaulted(parent, loaded.documents), workflow=workflow)
    objects = [document.value for document in read_objects([args.resources], "--resources")] if args.resources else []
    reading = forecast(workflow, parent, loaded.catalog, converge=converge, record=record, ready=ready)
    return drive(reading, answer_from(objects)), notes
