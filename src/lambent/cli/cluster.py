"""Verbs on a Kubernetes API: apply, crds."""

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from lambent.cli.flags import ON_CLUSTER, add_output, add_settings, cluster_of
from lambent.cli.printing import print_data
from lambent.cli.reporting import add_files, files_of

if TYPE_CHECKING:
    from lambent.kube.types import KubeObject


def register(verbs: Any) -> None:
    apply = verbs.add_parser(
        "apply",
        help="apply manifests: namespaces and CRDs first, then the rest",
        epilog="example: lambent apply examples/lambda-workload/manifests",
    )
    apply.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="files, or folders of .yaml and .k files")
    apply.add_argument("--create-namespace", action="store_true", help="make a namespace that a manifest needs")
    add_output(apply)
    add_settings(apply, ON_CLUSTER)
    apply.set_defaults(run=run_apply)

    crds = verbs.add_parser(
        "crds",
        help="print the CRDs lambent ships, or one inferred for a workflow's trigger kind",
        epilog="example: lambent crds | kubectl apply -f -",
    )
    crds.add_argument("--infer", metavar="WORKFLOW", help="the trigger kind of this workflow, from what it reads")
    add_files(crds)
    crds.add_argument("-o", "--output", choices=("yaml", "json"), default="yaml")
    crds.set_defaults(run=run_crds)

    manifests = verbs.add_parser(
        "manifests",
        help="print namespace, service accounts and roles for a cluster",
        epilog="example: lambent manifests | kubectl apply -f -",
    )
    manifests.add_argument("-o", "--output", choices=("yaml", "json"), default="yaml")
    manifests.set_defaults(run=run_manifests)


def run_apply(args: argparse.Namespace) -> int:
    from lambent.platform.apply import apply_paths
    from lambent.platform.daemon import run

    cluster = cluster_of(args)
    tell = print if args.output == "text" else _silent
    failures, results = run(lambda: apply_paths(args.paths, cluster, create_namespace=args.create_namespace, tell=tell))
    if args.output != "text":
        print_data({"version": 1, "failed": failures, "results": [asdict(result) for result in results]}, args.output)
    return 1 if failures else 0


def _silent(line: str) -> None: ...


def run_crds(args: argparse.Namespace) -> int:
    if args.infer is not None:
        return _print_objects([_inferred(args)], args.output)
    from lambent.platform.crds import all_crds

    return _print_objects(all_crds(), args.output)


def _inferred(args: argparse.Namespace) -> "KubeObject":
    from lambent.workflow.authoring.choosing import load_existing, workflow_of
    from lambent.workflow.authoring.inference import infer_crd

    loaded = load_existing(files_of(args))
    return cast("KubeObject", infer_crd(workflow_of(loaded.catalog, args.infer), loaded))


def run_manifests(args: argparse.Namespace) -> int:
    from lambent.platform.manifests import manifests

    return _print_objects(manifests(), args.output)


def _print_objects(objects: "list[KubeObject]", form: str) -> int:
    if form == "json":
        print_data({"apiVersion": "v1", "kind": "List", "items": objects}, form)
        return 0
    for obj in objects:
        print("---", flush=True)
        print_data(obj, form)
    return 0
