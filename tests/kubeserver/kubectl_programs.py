"""Which kubectl programs this machine has, one of each minor, and which of the wanted minors it lacks.

Asked in this order, the first of a minor wins: the paths in LAMBENT_KUBECTLS, what `make kubectl` built into the cache
folder, and PATH: `kubectl` itself, then `kubectl-1.NN`, `kubectl1.NN` and `kubectl.1.NN`, which also count beside the
file that `kubectl` is a link to. Some installations put a front called `kubectl` before such a folder, which
picks a minor by the server's: it is nobody's minor and is passed over when a plain program is there.

Standard library only: `make kubectl` runs before anything is installed.
"""

import functools
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

RELEASES = ("1.32.3", "1.33.13", "1.34.4", "1.35.10")
"""The wanted minors, by the release that `make kubectl` builds of each: the server's own minor, 1.34, and those whose
kubectl is used with it (one above and one below, and the one before that, which distributions still ship)."""


def minor_of(release: str) -> str:
    """`1.34` of `v1.34.4`."""
    return ".".join(release.lstrip("v").split(".")[:2])


WANTED_MINORS = tuple(minor_of(release) for release in RELEASES)
OLDEST = 30
"""Older minors of kubectl 1 are not supported, so not tried."""
_NAMES = [name for minor in WANTED_MINORS for name in (f"kubectl-{minor}", f"kubectl{minor}", f"kubectl.{minor}")]


def cache() -> Path:
    """Holds a folder for each built release."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lambent" / "kubectl"


@functools.cache
def programs() -> dict[str, str]:
    """Path of each minor's kubectl, oldest minor first. Each candidate is started once."""
    found: dict[str, str] = {}
    fronts: dict[str, str] = {}
    for path in _candidates():
        release = _release(path)
        if release and _number(minor_of(release)) >= OLDEST:
            (fronts if release.endswith("-dispatcher") else found).setdefault(minor_of(release), str(path))
    found = found or fronts
    return {minor: found[minor] for minor in sorted(found, key=_number)}


def chosen() -> str | None:
    """The kubectl for tests that need any one: the oldest that is here; None without one."""
    return next(iter(programs().values()), None)


def minors() -> list[str]:
    """Every minor that is wanted or here, oldest first."""
    return sorted({*WANTED_MINORS, *programs()}, key=_number)


def _number(minor: str) -> int:
    return int(minor.split(".")[1])


def _candidates() -> Iterator[Path]:
    yield from (Path(path) for path in os.environ.get("LAMBENT_KUBECTLS", "").split(os.pathsep) if path)
    yield from sorted(cache().glob("*/kubectl"), reverse=True)
    plain = shutil.which("kubectl")
    if plain:
        yield Path(plain)
    folders = [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    if plain:
        folders.append(Path(plain).resolve().parent)
    for folder in dict.fromkeys(folders):
        yield from (path for name in _NAMES if (path := folder / name).is_file())


def _release(path: Path) -> str:
    """What the program says of itself; empty when it cannot be asked."""
    try:
        words = [str(path), "version", "--client", "-o", "json"]
        done = subprocess.run(words, capture_output=True, timeout=60, check=True)
        return str(json.loads(done.stdout)["clientVersion"]["gitVersion"])
    except (OSError, subprocess.SubprocessError, ValueError, KeyError):
        return ""
