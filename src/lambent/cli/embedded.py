"""Verbs of the embedded platform: up, demo, env, status."""

import argparse
import shlex
import sys
from typing import Any

from lambent.cli.flags import EMBEDDED, add_output, add_settings, add_state, settings_of
from lambent.cli.printing import print_data, print_table


def register(verbs: Any) -> None:
    up = verbs.add_parser("up", help="start the platform on this machine", epilog="example: lambent up --state ./dev")
    add_settings(up, EMBEDDED)
    up.set_defaults(run=run_up)

    demo = verbs.add_parser(
        "demo", help="from nothing to an invoked function", epilog="example: lambent demo --keep -o json"
    )
    demo.add_argument("--keep", action="store_true", help="keep the platform running at the end, until Ctrl-C")
    add_output(demo)
    add_settings(demo, ("log_level",))
    demo.set_defaults(run=run_demo)

    env = verbs.add_parser(
        "env", help="shell variables for kubectl and AWS clients", epilog='example: eval "$(lambent env)"'
    )
    add_state(env)
    env.set_defaults(run=run_env)

    status = verbs.add_parser("status", help="what runs and what is wrong", epilog="example: lambent status -o json")
    add_output(status, formats=("text", "json", "yaml"))
    add_state(status)
    status.set_defaults(run=run_status)


def run_up(args: argparse.Namespace) -> int:
    from lambent.platform.daemon import run, run_daemon
    from lambent.platform.up import Up
    from lambent.telemetry import configure_logging

    settings = settings_of(args, ignore_aws_environment=True)
    configure_logging(settings.log_level)
    up = Up(settings, echo=sys.stdout)
    return run(lambda: run_daemon(up, on_ready=up.print_welcome))


def run_demo(args: argparse.Namespace) -> int:
    from lambent.platform.daemon import run
    from lambent.platform.demo import demonstrate
    from lambent.telemetry import configure_logging

    settings = settings_of(args, ignore_aws_environment=True)
    configure_logging("WARNING" if settings.log_level == "INFO" else settings.log_level)
    return run(lambda: demonstrate(settings, keep=args.keep, output=args.output))


def run_env(args: argparse.Namespace) -> int:
    from lambent.platform.discovery import client_environment, require_running

    running = require_running(settings_of(args, ignore_aws_environment=True).state)
    for name, value in client_environment(running).items():
        print(f"export {name}={shlex.quote(value)}")
    return 0


def run_status(args: argparse.Namespace) -> int:
    from lambent.platform.discovery import require_running

    running = require_running(settings_of(args, ignore_aws_environment=True).state)
    # What asks two APIs takes longer to import than to tell that there is none.
    from lambent.platform.daemon import run
    from lambent.platform.status import read_status

    report = run(lambda: read_status(running))
    if args.output != "text":
        print_data(report.to_dict(), args.output)
    else:
        print_table(("PART", "WHERE", "STATE"), [(p.name, p.where, p.state) for p in report.parts])
        if report.problems:
            print()
            print_table(("WRONG", "WHY"), [(p.what, p.why) for p in report.problems])
    return 1 if report.problems else 0
