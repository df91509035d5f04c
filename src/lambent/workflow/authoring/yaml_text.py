"""Values as YAML for people: keys in their order, indented lists, texts of several lines as blocks."""

from typing import Any

import yaml


class _Dumper(yaml.SafeDumper):
    """Lists are indented below their key, texts of several lines stand as blocks."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def yaml_text(value: Any, indent: int = 0) -> str:
    """A value as YAML in the order of its keys, without a final newline."""
    text = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
    lines = text.removesuffix("\n").removesuffix("\n...").split("\n")
    return "\n".join(f"{' ' * indent}{line}" if line else line for line in lines)
