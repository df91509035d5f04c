"""What an execution back end needs to know to run one version of one function.

`functions` makes it from the stored state, `execution` runs it; neither imports the other. Frozen: a changed function
is a new spec with a new `pool_key`, so a pool never changes under its invocations.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import NewType

PoolKey = NewType("PoolKey", str)
"""`<function arn>:<version>#<revision>`: one pool per code and configuration of a version."""


@dataclass(frozen=True, slots=True)
class ZipCode:
    """An uploaded archive as it lies in the artifact store; `sha256` is the hex digest of the archive's bytes."""

    path: Path
    sha256: str


@dataclass(frozen=True, slots=True)
class ImageCode:
    """A container image: the reference the user gave and the manifest digest it resolved to (`sha256:...`)."""

    uri: str
    digest: str
    entrypoint: tuple[str, ...] | None = None
    command: tuple[str, ...] | None = None
    working_directory: str | None = None


@dataclass(frozen=True, slots=True)
class FunctionSpec:
    """Durations in seconds, sizes in MB as Lambda states them; `environment` is the user's, unmerged."""

    pool_key: PoolKey
    arn: str
    name: str
    version: str
    code: ZipCode | ImageCode
    handler: str = ""
    runtime: str = ""
    environment: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    timeout_s: float = 3.0
    memory_mb: int = 128
    region: str = "us-east-1"
    account_id: str = "123456789012"
    role: str = ""
    log_group: str = ""
