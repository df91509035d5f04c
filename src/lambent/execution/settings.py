"""Settings of the process back end, with units, defaults and reasons."""

import sys
from dataclasses import dataclass, field

from lambent.runtime.settings import PoolSettings


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """Lambda's own limits. Source: AWS Lambda developer guide, "Lambda quotas"."""

    zipped_bytes: int = 52_428_800
    unzipped_bytes: int = 262_144_000
    entries: int = 100_000
    name_bytes: int = 4_096
    """PATH_MAX of Linux; longer names could not be created anyway."""


@dataclass(frozen=True, slots=True)
class ExecutionSettings:
    """`pool` applies to every function; a laptop's cap of 10 runtimes keeps 200 cold calls from starting 200."""

    pool: PoolSettings = field(default_factory=lambda: PoolSettings(max_concurrency=10))
    archive: ArchiveLimits = field(default_factory=ArchiveLimits)
    python: str = sys.executable
    open_files: int = 1_024
    """As in Lambda. Source: AWS Lambda developer guide, "Lambda quotas", file descriptors."""
    unpack_threads: int = 2
    execution_env: str = ""
    """`AWS_EXECUTION_ENV` for functions; python3.12 and later make the stock client 4.5 times slower."""
