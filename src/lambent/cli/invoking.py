"""Verbs on functions: invoke, logs."""

import argparse
import sys
from pathlib import Path
from typing import Any

from lambent.cli.flags import add_output, add_state, settings_of
from lambent.errors import LambentError, UsageError


def register(verbs: Any) -> None:
    invoke = verbs.add_parser(
        "invoke",
        help="invoke a function through the AWS API",
        epilog="example: lambent invoke orders --payload @event.json",
    )
    invoke.add_argument("function", help="name or ARN, with :qualifier if wanted")
    invoke.add_argument("--payload", default="{}", metavar="JSON|@FILE", help="the event (default {})")
    invoke.add_argument("--event", action="store_true", help="asynchronously: accepted, not waited for")
    invoke.add_argument("--endpoint-url", metavar="URL", help="AWS endpoint instead of the running platform's")
    invoke.add_argument("--log", action="store_true", help="print the end of the invocation's log")
    add_output(invoke)
    add_state(invoke)
    invoke.set_defaults(run=run_invoke)

    logs = verbs.add_parser("logs", help="what a function printed", epilog="example: lambent logs orders --tail 20")
    logs.add_argument("function")
    logs.add_argument("--tail", type=int, default=100, metavar="LINES", help="at most this many lines (default 100)")
    add_state(logs)
    logs.set_defaults(run=run_logs)


def run_invoke(args: argparse.Namespace) -> int:
    from lambent.cli.printing import print_data
    from lambent.platform.discovery import require_running
    from lambent.platform.invocations import boto3_client, invoke

    settings = settings_of(args, ignore_aws_environment=True)
    endpoint = args.endpoint_url or require_running(settings.state).aws
    client = boto3_client("lambda", endpoint, settings.region)
    answer = invoke(client, args.function, _payload(args.payload), asynchronous=args.event)
    if args.output != "text":
        print_data(answer.to_dict(), args.output)
    else:
        if args.log and answer.log_tail:
            print(answer.log_tail, end="", file=sys.stderr)
        print(answer.payload_text)
    return 1 if answer.function_error else 0


def _payload(text: str) -> bytes:
    if not text.startswith("@"):
        return text.encode()
    try:
        return Path(text[1:]).read_bytes()
    except OSError as error:
        raise UsageError(f"--payload {text}: {error.strerror}") from error


def run_logs(args: argparse.Namespace) -> int:
    state = settings_of(args, ignore_aws_environment=True).state
    file = state / "logs" / f"{args.function}.log"
    if not file.is_file():
        known = sorted(path.stem for path in (state / "logs").glob("*.log"))
        hint = f"there are logs of {', '.join(known[:8])}" if known else "no function has printed anything yet"
        raise LambentError(f"no log of {args.function!r} in {state / 'logs'}; {hint}")
    lines = file.read_text(errors="replace").splitlines()[-args.tail :]
    print("\n".join(lines))
    return 0
