"""Flags that verbs share: settings from their table, `-o`, and how both become values.

Every setting is a flag (`settings.options`); a verb names the ones it takes, so `--help` shows what matters there.
"""

import argparse
import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, get_origin

from lambent.errors import UsageError
from lambent.settings import Cluster, Option, Settings, load, options

CLUSTER = ("kubeconfig", "context", "as", "as_group")
ON_CLUSTER = ("state", *CLUSTER)
EMBEDDED = (
    "state", "ephemeral", "account_id", "region", "queue_wait", "drain_timeout", "log_level",
    "aws.", "kube.", "execution.", "functions.",
)  # fmt: skip
SERVER = (*ON_CLUSTER, "account_id", "region", "queue_wait", "drain_timeout", "log_level",
          "aws.", "admin.", "execution.", "functions.")  # fmt: skip
CONTROLLER = (*CLUSTER, "aws_endpoint", "account_id", "region", "drain_timeout", "log_level", "admin.",
              "controllers.")  # fmt: skip


def add_settings(parser: argparse.ArgumentParser, paths: Iterable[str]) -> None:
    """Adds the flags of these settings ("a.b", or "a." for all of a group) and `--config`."""
    group = parser.add_argument_group("settings (flag, then environment, then file)")
    group.add_argument("--config", type=Path, metavar="FILE", help="settings file (YAML)")
    wanted = tuple(paths)
    for option in options():
        if any(option.path == path or (path.endswith(".") and option.path.startswith(path)) for path in wanted):
            _add_option(group, option)


def _add_option(group: Any, option: Option) -> None:
    unit = f" {option.unit}" if option.unit else ""
    default = f" (default {option.default}{unit})" if option.default not in ("", None, ()) else ""
    extra: dict[str, Any] = {"metavar": "VALUE"}
    if option.type is bool:
        extra = {"nargs": "?", "const": "true", "metavar": "true|false"}
    elif get_origin(option.type) is tuple:
        extra["action"] = "append"
    names = [option.flag, "--port"] if option.path == "aws.port" else [option.flag]
    group.add_argument(*names, dest=_destination(option), help=f"{option.doc}{default}".replace("%", "%%"), **extra)


def _destination(option: Option) -> str:
    return "setting_" + option.path.replace(".", "__")


def settings_of(args: argparse.Namespace, *, ignore_aws_environment: bool = False) -> Settings:
    """Settings of this run. With the embedded AWS the shell's AWS_* variables are not read (they mean another AWS)."""
    flags = {option.path: getattr(args, _destination(option), None) for option in options()}
    if flags["state"] is not None and flags["ephemeral"] not in (None, False, "false"):
        raise UsageError("--state keeps everything and --ephemeral nothing: give one of them")
    environ = {k: v for k, v in os.environ.items() if not (ignore_aws_environment and k.startswith("AWS_"))}
    config = getattr(args, "config", None) or (Path(environ["LAMBENT_CONFIG"]) if "LAMBENT_CONFIG" in environ else None)
    return load(flags=flags, environ=environ, file=config)


def add_output(parser: argparse.ArgumentParser, *, formats: tuple[str, ...] = ("text", "json", "yaml")) -> None:
    parser.add_argument("-o", "--output", choices=formats, default=formats[0], help="how the answer is printed")


def add_state(parser: argparse.ArgumentParser) -> None:
    """`--state` alone, for verbs that only look for a running platform."""
    add_settings(parser, ("state",))


def cluster_of(args: argparse.Namespace) -> Cluster:
    """Its kubeconfig: that of the state directory that was named, else the one given, else that of a running platform.

    A platform that was asked for by its state directory wins over the shell's KUBECONFIG. Raises `UsageError`.
    """
    from lambent.platform.discovery import require_running

    settings = settings_of(args)
    is_named = args.setting_state is not None
    if settings.kubeconfig and not is_named:
        return settings.cluster
    try:
        kubeconfig = require_running(settings.state).kubeconfig
    except UsageError as error:
        raise UsageError(f"{error}" + ("" if is_named else ", or a cluster by --kubeconfig")) from None
    # A context that no flag names is one of the shell's kubeconfig.
    return replace(settings.cluster, kubeconfig=kubeconfig, context=args.setting_context or "")
