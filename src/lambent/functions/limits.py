"""Quotas of an account, one frozen object. Source: AWS Lambda developer guide, "Lambda quotas"."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes."""

    function_name: int = 64
    environment: int = 4096
    tags: int = 50
    layers: int = 5
    policy: int = 20_480
    request: int = 70_167_211
    zipped: int = 52_428_800
    unzipped: int = 262_144_000
    total_code_size: int = 80_530_636_800
    concurrency: int = 1000
    unreserved_concurrency: int = 100
