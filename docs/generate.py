"""Writes the reference pages that follow from the code. A test compares them with the files."""

import argparse
import json
import re
from collections.abc import Iterator
from pathlib import Path

from lambent import cel
from lambent.cli.main import build_parser
from lambent.settings import options
from lambent.workflow.spec import KINDS
from lambent.workflow.spec.fields import Field

REFERENCE = Path(__file__).parent / "reference"
GOLDEN = Path(__file__).parents[1] / "tests/workflow/diagnostics"


def settings_page() -> str:
    rows = [
        "# Settings",
        "",
        "A flag beats the environment, which beats the file (`--config FILE` or `LAMBENT_CONFIG`).",
        "With the embedded AWS (`up`, `demo`) the shell's `AWS_*` variables are not read.",
        "",
        "| Setting | Flag | Variable | Default | Meaning |",
        "|---|---|---|---|---|",
    ]
    for option in options():
        variables = " or ".join(f"`{name}`" for name in (option.variable, option.alias) if name)
        default = f"`{option.default}`" if option.default not in ("", None, ()) else ""
        unit = f" {option.unit}" if option.unit and default else ""
        rows.append(f"| `{option.path}` | `{option.flag}` | {variables} | {default}{unit} | {option.doc} |")
    return "\n".join(rows) + "\n"


def commands_page() -> str:
    parser = build_parser()
    parts = ["# Commands", "", "Exit codes of every verb: 0 ok, 1 failed, 2 usage, 3 difference found.", ""]
    for name, verb in sorted(_verbs(parser).items()):
        parts += [f"## lambent {name}", ""]
        nested = _verbs(verb)
        for label, one in [(name, verb)] if not nested else [(f"{name} {k}", v) for k, v in sorted(nested.items())]:
            parts += _one(label, one)
    return "\n".join(parts).rstrip() + "\n"


def _verbs(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


def _one(label: str, parser: argparse.ArgumentParser) -> list[str]:
    rows = [f"`lambent {label}`", ""]
    if parser.epilog:
        rows += [f"{parser.epilog[0].upper()}{parser.epilog[1:].replace(': ', ': `', 1)}`", ""]
    flags = []
    for action in parser._actions:
        names = ", ".join(f"`{name}`" for name in action.option_strings) or f"`{action.metavar or action.dest}`"
        if action.dest != "help":
            flags.append(f"* {names}: {(action.help or '').replace('%%', '%')}")
    return [*rows, *flags, ""]


def metrics_page() -> str:
    """Every metric of every process: importing the processes registers them."""
    import lambent.platform.up  # noqa: F401 - registers
    from lambent.telemetry import REGISTRY

    rows = [
        "# Metrics",
        "",
        "Prometheus text on `/metrics` of the admin port, `/_lambent/metrics` of the AWS port.",
        "",
    ]
    rows += ["| Metric | Type | Meaning |", "|---|---|---|"]
    for metric in sorted(REGISTRY.collect(), key=lambda each: each.name):
        rows.append(f"| `{metric.name}` | {metric.type} | {metric.documentation.rstrip('.')} |")
    return "\n".join(rows) + "\n"


def kinds_page() -> str:
    """The CRDs `lambent crds` prints."""
    from lambent.platform.crds import all_crds

    rows = ["# Kinds", "", "What `lambent crds` prints; `kubectl explain KIND` shows the fields.", ""]
    rows += ["| Kind | Group and version | Short names |", "|---|---|---|"]
    for crd in sorted(all_crds(), key=lambda each: (each["spec"]["group"], each["spec"]["names"]["kind"])):
        spec = crd["spec"]
        versions = ", ".join(version["name"] for version in spec["versions"])
        short = ", ".join(spec["names"].get("shortNames", []))
        rows.append(f"| {spec['names']['kind']} | `{spec['group']}/{versions}` | {short} |")
    return "\n".join(rows) + "\n"


def functions_page() -> str:
    rows = [
        "# Functions in expressions",
        "",
        "What `lambent cel functions` prints. `f(x, y)` and `x.f(y)` are the same.",
    ]
    rows += ["", "| Function | Signature | Profile | Meaning |", "|---|---|---|---|"]
    for each in sorted(cel.functions(), key=lambda each: (each.name, each.signature)):
        cells = (f"`{each.name}`", f"`{each.signature}`", each.profile or "both", each.doc)
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    rows += ["", "## Macros", "", "| Form | Meaning |", "|---|---|"]
    rows += [f"| `{form}` | {doc} |" for form, doc in cel.MACROS.items()]
    return "\n".join(rows) + "\n"


def fields_page() -> str:
    rows = [
        "# Fields of workflow documents",
        "",
        "`=`: may be an expression; `!`: required. Made from the validator's tables.",
    ]
    for kind in KINDS.values():
        rows += ["", f"## {kind.kind}", "", f"`{kind.api_version}`. {kind.doc}", ""]
        rows += ["| Field | Type | Default | Meaning |", "|---|---|---|---|", *_fields(kind.spec, "spec")]
    return "\n".join(rows) + "\n"


def _fields(table: Field, path: str) -> Iterator[str]:
    for name, member in (table.fields or {}).items():
        below = f"{path}.{name}"
        marks = ("!" if member.required else "") + ("=" if member.expression != "never" else "")
        default = "" if member.default is None else f"`{json.dumps(member.default)}`"
        said = [member.doc] if member.doc else []
        said += [f"one of {', '.join(member.enum)}"] if member.enum else []
        said += [f"exactly one of {', '.join(group)}" for group in member.exactly_one]
        yield f"| `{below}`{marks} | {member.type} | {default} | {'; '.join(said)} |"
        yield from _fields(member, below)
        if member.items is not None:
            yield from _fields(member.items, below + "[]")


def diagnostics_page() -> str:
    """The first text of each code, from the files that tests hold every refusal to."""
    found: dict[str, tuple[str, str, str]] = {}
    for file in sorted(GOLDEN.glob("*.txt")):
        for block in file.read_text(encoding="utf-8").split("\n\n"):
            first = re.match(r"\S+: (error|warning)\[([a-z-]+)\]: (.*)", block)
            assert first is not None, block
            severity, code, message = first.groups()
            help_ = re.search(r"^  help: (.*)", block, re.MULTILINE)
            found.setdefault(code, (severity, message, help_.group(1) if help_ else ""))
    rows = [
        "# Diagnostics of workflow documents",
        "",
        "Codes are stable. `lambent validate` prints each with its place, the source line and a caret.",
        "In a cluster the same stands in `status.diagnostics` of the object. Warnings fail only with `--strict`.",
        "",
        "| Code | Severity | For example | Help |",
        "|---|---|---|---|",
    ]
    for code, cells in sorted(found.items()):
        rows.append(f"| `{code}` | " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(rows) + "\n"


PAGES = {
    "diagnostics.md": diagnostics_page,
    "functions.md": functions_page,
    "fields.md": fields_page,
    "settings.md": settings_page,
    "commands.md": commands_page,
    "metrics.md": metrics_page,
    "kinds.md": kinds_page,
}

if __name__ == "__main__":
    for page, make in PAGES.items():
        (REFERENCE / page).write_text(make())
