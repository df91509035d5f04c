"""Prepared code: where it lies unpacked, and how a runtime process of it is started."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class PreparedCode:
    """`program` is None for Python functions that the stock client runs in `python`, else what is executed.

    `root` is the directory that holds everything (to be removed), `task_root` the function's own, and `module_paths`
    are put behind it for imports.
    """

    root: Path
    task_root: Path
    handler: str = ""
    program: Path | None = None
    arguments: tuple[str, ...] = ()
    python: str = ""
    module_paths: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
