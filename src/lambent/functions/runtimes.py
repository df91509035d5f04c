"""Which runtimes may be used, which were, and the stable stand-in for a runtime version's ARN."""

import hashlib
from functools import cache

from lambent.aws.service_model import constraint
from lambent.functions import messages
from lambent.functions.codec import corrections


@cache
def _known() -> frozenset[str]:
    return frozenset(constraint("Runtime", "enum"))


def check_runtime(runtime: str, *, allow_deprecated: bool = False) -> None:
    """Raises the recorded refusal of an unknown or a retired runtime."""
    offered = corrections().offered_runtimes
    if runtime in offered:
        return
    if runtime not in _known():
        raise messages.unknown_runtime(runtime, offered)
    if not allow_deprecated and _is_retired(runtime):
        raise messages.retired_runtime(runtime)


def _is_retired(runtime: str) -> bool:
    """Newer than the recording is not retired: versions above the newest offered one of the same language."""
    family, version = _split(runtime)
    versions = [v for f, v in map(_split, corrections().offered_runtimes) if f == family]
    return not versions or version < max(versions)


def _split(runtime: str) -> tuple[str, tuple[int, ...]]:
    family = runtime.rstrip("0123456789.x") if runtime[-1] in "0123456789x" else runtime.partition(".")[0]
    numbers = "".join(c if c.isdigit() else " " for c in runtime[len(family) :]).split()
    return family, tuple(int(number) for number in numbers)


def runtime_digest(runtime: str) -> str:
    """64 hex digits that stay the same for a runtime; AWS's own change with each of its releases."""
    return hashlib.sha256(f"lambent runtime {runtime}".encode()).hexdigest()
