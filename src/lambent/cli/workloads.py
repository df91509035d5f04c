"""Verbs on the objects that workflows serve in a cluster: explain, inspect, reconcile, prune."""

import argparse
from typing import Any

from lambent.cli.flags import ON_CLUSTER, add_settings, cluster_of
from lambent.cli.printing import print_data, print_table
from lambent.cli.reporting import add_reporting, paint_of

_DIFFERENCE = 3


def register(verbs: Any) -> None:
    explain = verbs.add_parser(
        "explain",
        help="why an object of a trigger kind is not Ready, or what a managed resource belongs to",
        epilog="example: lambent explain archive/orders -n archives",
    )
    explain.set_defaults(run=run_explain)
    inspect = verbs.add_parser(
        "inspect",
        help="an object of a trigger kind with its conditions and resources",
        epilog="example: lambent inspect archive/orders -n archives",
    )
    inspect.set_defaults(run=run_inspect)
    reconcile = verbs.add_parser(
        "reconcile",
        help="have the controller run the workflow of an object now",
        epilog="example: lambent reconcile archive/orders -n archives",
    )
    reconcile.set_defaults(run=run_reconcile)
    for verb in (explain, inspect, reconcile):
        verb.add_argument("name", metavar="KIND/NAME", help="the object; KIND/NAMESPACE/NAME saves -n")
        verb.add_argument("-n", "--namespace", default="default", help="its namespace (default default)")
    prune = verbs.add_parser(
        "prune",
        help="find functions and templates that no workflow uses; delete them with --delete",
        epilog="example: lambent prune --delete -n archives",
    )
    prune.add_argument("-n", "--namespace", help="only in this namespace (default all)")
    prune.add_argument("--delete", action="store_true", help="really delete them; without it they are only named")
    prune.set_defaults(run=run_prune)
    for verb in (explain, inspect, reconcile, prune):
        add_reporting(verb)
        add_settings(verb, ON_CLUSTER)


def run_explain(args: argparse.Namespace) -> int:
    from lambent.clock import utc_now
    from lambent.platform.daemon import run
    from lambent.platform.workloads import explain_on
    from lambent.workflow.authoring.explanation_output import explanation_text, ownership_text
    from lambent.workflow.authoring.ownership import Ownership

    cluster = cluster_of(args)
    found = run(lambda: explain_on(cluster, args.name, namespace=args.namespace))
    if args.output != "text":
        print_data(found.to_dict(), args.output)
    elif isinstance(found, Ownership):
        print(ownership_text(found, paint_of(args), now=utc_now()))
    else:
        print(explanation_text(found, paint_of(args), now=utc_now()))
    return 0 if found.is_settled else 1


def run_inspect(args: argparse.Namespace) -> int:
    from lambent.platform.daemon import run
    from lambent.platform.workloads import inspect_on
    from lambent.platform.workloads.inspecting import inspection_lines

    cluster = cluster_of(args)
    found = run(lambda: inspect_on(cluster, args.name, namespace=args.namespace))
    if args.output != "text":
        print_data(found.to_dict(), args.output)
        return 0
    print("\n".join(inspection_lines(found, paint_of(args))))
    if found.resources:
        rows = [(f"{r.kind}/{r.name}", r.namespace, r.ready, r.note, r.message) for r in found.resources]
        print_table(("RESOURCE", "NAMESPACE", "READY", "NOTE", "MESSAGE"), rows)
    return 0


def run_reconcile(args: argparse.Namespace) -> int:
    from lambent.platform.daemon import run
    from lambent.platform.workloads import request_pass

    cluster = cluster_of(args)
    found = run(lambda: request_pass(cluster, args.name, namespace=args.namespace))
    if args.output != "text":
        print_data({"version": 1, **found}, args.output)
    else:
        print(f"{found['object']}: pass requested at {found['requested_at']}")
    return 0


def run_prune(args: argparse.Namespace) -> int:
    from lambent.platform.daemon import run
    from lambent.platform.workloads import prune_on

    cluster = cluster_of(args)
    found = run(lambda: prune_on(cluster, namespace=args.namespace, delete=args.delete))
    if args.output != "text":
        print_data(found.to_dict(), args.output)
    else:
        verb = "deleted" if args.delete else "unused"
        for name in found.unused:
            print(f"{name} {found.failed.get(name, verb)}")
        hint = "; --delete removes them" if found.unused and not args.delete else ""
        print(f"{len(found.unused) - len(found.failed)} {verb}{hint}")
    if found.failed:
        return 1
    return _DIFFERENCE if found.unused and not args.delete else 0
