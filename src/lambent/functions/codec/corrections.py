"""The one place where AWS's recorded behaviour overrules the model: `corrections.yaml`, read once.

Each entry there has its reason. Not here: messages of handlers, which are no part of the model.
"""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import yaml


@dataclass(frozen=True, slots=True)
class Corrections:
    """Lookups by operation or shape name."""

    status: dict[str, int]
    maximum: dict[str, int]
    enum: dict[str, tuple[str, ...]]
    unchecked_enum: frozenset[str]
    nullable_element: frozenset[str]
    untyped_prefixes: tuple[str, ...]
    offered_runtimes: tuple[str, ...]

    def is_typed(self, message: str) -> bool:
        """Whether an error with this message carries `Type`."""
        return not message.startswith(self.untyped_prefixes)


@cache
def corrections() -> Corrections:
    text = files("lambent.functions.codec").joinpath("corrections.yaml").read_text("utf-8")
    data = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return Corrections(
        status={entry["operation"]: entry["code"] for entry in data["status"]},
        maximum={entry["shape"]: entry["value"] for entry in data["maximum"]},
        enum={entry["shape"]: tuple(map(str, entry["values"])) for entry in data["enum"]},
        unchecked_enum=frozenset(entry["shape"] for entry in data["unchecked_enum"]),
        nullable_element=frozenset(entry["shape"] for entry in data["nullable_element"]),
        untyped_prefixes=tuple(entry["prefix"] for entry in data["untyped"]),
        offered_runtimes=tuple(data["runtimes"]["offered"]),
    )
