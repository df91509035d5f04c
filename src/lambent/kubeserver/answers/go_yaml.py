"""YAML of a decoded JSON value, as kube-apiserver writes it.

Its writer descends from libyaml, as ours does: what differs is the order of keys and which texts are in quotes. Not
here: reading YAML (`requests.yaml_text`).
"""

import re
from typing import Any

import yaml

_OTHER_TYPES = re.compile(
    r"""~|null|Null|NULL|true|True|TRUE|false|False|FALSE|y|Y|yes|Yes|YES|on|On|ON|n|N|no|No|NO|off|Off|OFF|<<|
        [-+]?(\.inf|\.Inf|\.INF) | \.nan|\.NaN|\.NAN |
        [-+]?(0b[01_]+ | 0x[0-9a-fA-F_]+ | 0o[0-7_]+ | [0-9][0-9_]* | [0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?) |
        [-+]?(\.[0-9_]+ | [0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)? |
        [0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt\ ].*)?
    """,
    re.VERBOSE,
)
"""Plain texts that YAML 1.1 reads as something else than a text."""


class _Dumper(yaml.CSafeDumper):
    """Knows what JSON has."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: _Dumper, value: str) -> yaml.Node:
    style = "|" if "\n" in value else '"' if not value or _OTHER_TYPES.fullmatch(value) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


def _mapping(dumper: _Dumper, value: dict[str, Any]) -> yaml.Node:
    return dumper.represent_mapping("tag:yaml.org,2002:map", [(key, value[key]) for key in sorted(value, key=_natural)])


def _float(dumper: _Dumper, value: float) -> yaml.Node:
    """No fraction where there is none, as Go's `%g`."""
    return dumper.represent_scalar("tag:yaml.org,2002:float", repr(value).removesuffix(".0"))


_Dumper.add_representer(str, _text)
_Dumper.add_representer(dict, _mapping)
_Dumper.add_representer(float, _float)
# PyYAML would say of a float without a dot that it is one.
_Dumper.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(r"-?[0-9]+(e[-+][0-9]+)?\Z"), list("-0123456789"))


def yaml_text(value: Any) -> bytes:
    """A document without markers, ended by a line break."""
    text: str = yaml.dump(value, Dumper=_Dumper, default_flow_style=False, allow_unicode=True)
    return text.encode()


def _natural(key: str) -> list[tuple[int, int]]:
    """Numbers within a key count as numbers, and other signs are before letters."""
    parts = re.findall(r"[0-9]+|.", key, re.DOTALL)
    return [(1, int(p)) if p[0].isdigit() else (2 if p.isalpha() else 0, ord(p)) for p in parts]
