"""Image functions without containers: the unpacked root of an image and how its entry point runs as a process.

No chroot: the task root is the image's working directory inside the unpacked root, and Python comes from the host.
Entry points that run: none, `/lambda-entrypoint.sh`, `python* -m awslambdaric`, `bootstrap`. Another one fails with
InvalidImage rather than run wrongly. Where images come from is the `ImageSource`'s business (`oci`, wired above).
"""

import logging
import os
import re
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from lambent.execution.code import PreparedCode
from lambent.execution.errors import CodeError
from lambent.runtime.function_spec import ImageCode

log = logging.getLogger(__name__)

_ENTRY_SCRIPT = "lambda-entrypoint.sh"
_PYTHON = re.compile(r"python[0-9.]*")
_LIBRARIES = ("var/lang/lib", "usr/local/lib", "usr/lib")
# They name programs and libraries for the image's own C library, which the host's interpreter must not load.
_DROPPED = frozenset({"PATH", "LD_LIBRARY_PATH", "HOME", "HOSTNAME"})


class ImageConfig(Protocol):
    """The `config` object of an OCI image, as far as it decides how the image runs."""

    @property
    def environment(self) -> Mapping[str, str]: ...

    @property
    def entrypoint(self) -> tuple[str, ...]: ...

    @property
    def command(self) -> tuple[str, ...]: ...

    @property
    def working_directory(self) -> str: ...


@dataclass(frozen=True, slots=True)
class PlainImageConfig:
    """An `ImageConfig` by hand, for tests and simple sources."""

    environment: Mapping[str, str] = field(default_factory=dict)
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    working_directory: str = ""


class ImageSource(Protocol):
    async def unpack(self, uri: str, digest: str, destination: Path) -> ImageConfig:
        """Writes the image's file system into the new directory `destination`; nothing may land outside it.

        Raises `CodeError` or any `LambentError` when the image is missing or broken.
        """
        ...


def plan_image(code: ImageCode, config: ImageConfig, root: Path, *, python: str) -> PreparedCode:
    """How this image runs; raises `CodeError` (InvalidImage) when it cannot."""
    entrypoint = code.entrypoint if code.entrypoint is not None else config.entrypoint
    command = code.command if code.command is not None else config.command
    task_root = _inside(root, code.working_directory or config.working_directory or "/var/task")
    environment = _environment(config.environment, root)
    words = [*entrypoint, *command]
    name = words[0].rpartition("/")[2] if words else ""
    if name == "bootstrap":
        program = _inside(root, str(task_root.relative_to(root) / words[0]))
        return PreparedCode(
            root, task_root, handler=words[-1] if command else "", program=program, arguments=tuple(words[1:]),
            python=python, environment=environment,
        )  # fmt: skip
    if not (_is_client(words) or name == _ENTRY_SCRIPT or (not entrypoint and len(words) == 1)):
        raise CodeError("InvalidImage", f"the process back end cannot run entry point {_shown(words)}; use pods")
    if not command and not _is_client(words[:-1]):
        raise CodeError("InvalidImage", "the image names no handler: set CMD or ImageConfig.Command")
    interpreter, paths = _interpreter(root, python)
    return PreparedCode(
        root, task_root, handler=words[-1], python=interpreter, module_paths=paths, environment=environment
    )


def _is_client(words: list[str]) -> bool:
    return (
        len(words) >= 3
        and _PYTHON.fullmatch(words[0].rpartition("/")[2]) is not None
        and words[1:3] == ["-m", "awslambdaric"]
    )


def _shown(words: list[str]) -> str:
    return words[0][:100] if words else "(none)"


def _inside(root: Path, path: str) -> Path:
    """The image's path below `root`, after its links; raises `CodeError` when it leaves the image."""
    resolved = Path(os.path.realpath(root / path.lstrip("/")))
    inside = Path(os.path.realpath(root))
    if inside not in (resolved, *resolved.parents):
        raise CodeError("InvalidImage", "the image's working directory or entry point lies outside the image")
    return root / resolved.relative_to(inside)


def _environment(variables: Mapping[str, str], root: Path) -> dict[str, str]:
    kept = {key: value for key, value in variables.items() if key not in _DROPPED}
    if "PYTHONPATH" in kept:
        places = kept["PYTHONPATH"].split(":")
        kept["PYTHONPATH"] = ":".join(f"{root}{place}" if place.startswith("/") else place for place in places)
    return kept


def _interpreter(root: Path, python: str) -> tuple[str, tuple[str, ...]]:
    """A host interpreter of the image's Python version, and the image's module directories for it."""
    ours = f"python{sys.version_info.major}.{sys.version_info.minor}"
    found = [each for place in _LIBRARIES for each in sorted((root / place).glob("python3.*"))]
    versions = {each.name for each in found if each.is_dir()}
    if not versions or ours in versions:
        return python, _module_paths(found, ours)
    for version in sorted(versions, reverse=True):
        other = shutil.which(version)
        if other is not None:
            return other, _module_paths(found, version)
    log.warning("no interpreter for %s on this machine; %s runs the image", ", ".join(sorted(versions)), ours)
    return python, ()


def _module_paths(found: list[Path], version: str) -> tuple[str, ...]:
    places = [each / kind for each in found if each.name == version for kind in ("site-packages", "dist-packages")]
    return tuple(str(place) for place in places if place.is_dir())
