"""Writes the reference pages that follow from the code: settings, commands. A test compares them with the files."""

import argparse
from pathlib import Path

from lambent.cli.main import build_parser
from lambent.settings import options

REFERENCE = Path(__file__).parent / "reference"


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
        default = f"`{option.default}`" if option.default not in ("", None) else ""
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


PAGES = {"settings.md": settings_page, "commands.md": commands_page}

if __name__ == "__main__":
    for page, make in PAGES.items():
        (REFERENCE / page).write_text(make())
