"""Verbs that run one part of the system as a process of its own: server, controller, kubeserver."""

import argparse
from typing import Any

from lambent.cli.flags import CONTROLLER, SERVER, add_settings, settings_of


def register(verbs: Any) -> None:
    server = verbs.add_parser(
        "server",
        help="the AWS endpoint and the functions, on a cluster's state",
        epilog="example: lambent server --kubeconfig ~/.kube/config --aws-port 4566",
    )
    add_settings(server, SERVER)
    server.set_defaults(run=run_server)

    controller = verbs.add_parser(
        "controller",
        help="the controllers of workflows and AWS resources, on a cluster",
        epilog="example: lambent controller --kubeconfig ~/.kube/config --aws-endpoint http://127.0.0.1:4566",
    )
    add_settings(controller, CONTROLLER)
    shards = "same as --controllers-shards"
    controller.add_argument("--shards", dest="setting_controllers__shards", metavar="VALUE", help=shards)
    controller.set_defaults(run=run_controller)

    kubeserver = verbs.add_parser(
        "kubeserver",
        help="the embedded Kubernetes API alone",
        epilog="example: lambent kubeserver --state ./dev --kube-port 6444",
    )
    add_settings(kubeserver, ("state", "ephemeral", "kube.", "drain_timeout", "log_level"))
    kubeserver.add_argument("--port", dest="setting_kube__port", metavar="VALUE", help="same as --kube-port")
    kubeserver.add_argument("--listen", dest="setting_kube__listen", metavar="VALUE", help="same as --kube-listen")
    kubeserver.set_defaults(run=run_kubeserver)


def run_server(args: argparse.Namespace) -> int:
    from lambent.platform.server import ServerDaemon

    settings = settings_of(args)
    return _serve(ServerDaemon(settings), settings.log_level)


def run_controller(args: argparse.Namespace) -> int:
    from lambent.platform.controller import ControllerDaemon

    settings = settings_of(args)
    return _serve(ControllerDaemon(settings), settings.log_level)


def run_kubeserver(args: argparse.Namespace) -> int:
    from lambent.platform.kubeserver import KubeServerDaemon

    settings = settings_of(args)
    return _serve(KubeServerDaemon(settings), settings.log_level)


def _serve(daemon: Any, log_level: str) -> int:
    from lambent.platform.daemon import run, run_daemon
    from lambent.telemetry import configure_logging

    configure_logging(log_level)
    return run(lambda: run_daemon(daemon, on_ready=daemon.announce))
