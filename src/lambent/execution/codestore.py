"""Where functions' code lies unpacked: one directory per archive or image digest, shared by all that use it.

    <directory>/<boot id>/zip/<sha256>      <directory>/<boot id>/rootfs/<digest>

A cache, nothing more: the artifact store has the truth. It is kept per boot, so a half-written disk after a power
failure is never run, and unpackings that were interrupted are removed at start. Blocking work runs in a few threads.
"""

import asyncio
import os
import secrets
import shutil
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVarTuple

from lambent.errors import LambentError
from lambent.execution.archive import unpack
from lambent.execution.code import PreparedCode
from lambent.execution.errors import CodeError
from lambent.execution.images import ImageConfig, ImageSource, plan_image
from lambent.execution.settings import ExecutionSettings
from lambent.runtime.function_spec import FunctionSpec, ImageCode, ZipCode

Ts = TypeVarTuple("Ts")
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class CodeStore:
    """`acquire` a spec's code, `release` it when its last pool is gone."""

    def __init__(self, directory: Path, *, settings: ExecutionSettings, images: ImageSource | None) -> None:
        self._top = directory
        self._directory = directory / _boot_id()
        self._settings = settings
        self._images = images
        self._users: Counter[Path] = Counter()
        self._seen: set[Path] = set()
        self._locks: dict[Path, asyncio.Lock] = {}
        self._configs: dict[Path, ImageConfig] = {}
        self._plans: dict[Path, dict[ImageCode, PreparedCode]] = {}
        self._threads = ThreadPoolExecutor(settings.unpack_threads, thread_name_prefix="unpack")

    async def startup(self) -> None:
        await self._in_thread(_remove_leftovers, self._top, self._directory)

    async def shutdown(self) -> None:
        """Code that nobody asked for in this process's life belongs to functions that are gone."""
        await self._in_thread(_remove_others, self._directory, frozenset(self._seen))
        await asyncio.to_thread(self._threads.shutdown)

    async def acquire(self, spec: FunctionSpec) -> PreparedCode:
        """Unpacks if needed; raises `CodeError`."""
        root = self._root(spec)
        self._users[root] += 1
        self._seen.add(root)
        try:
            async with self._locks.setdefault(root, asyncio.Lock()):
                return await self._prepare(spec, root)
        except BaseException:
            await self.release(root)
            raise

    async def release(self, root: Path) -> None:
        """One user fewer; the last one takes the directory along."""
        self._users[root] -= 1
        if self._users[root] > 0:
            return
        del self._users[root]
        async with self._locks.setdefault(root, asyncio.Lock()):
            if root not in self._users:
                self._configs.pop(root, None)
                self._plans.pop(root, None)
                await self._in_thread(_remove, root)
                self._locks.pop(root, None)

    def _root(self, spec: FunctionSpec) -> Path:
        if isinstance(spec.code, ZipCode):
            return self._directory / "zip" / _plain(spec.code.sha256)
        return self._directory / "rootfs" / _plain(spec.code.digest.rpartition(":")[2])

    async def _prepare(self, spec: FunctionSpec, root: Path) -> PreparedCode:
        if isinstance(spec.code, ImageCode):
            config = await self._image(spec.code, root)
            # A thousand functions of one image are one look at its files.
            plans = self._plans.setdefault(root, {})
            if spec.code not in plans:
                plans[spec.code] = plan_image(spec.code, config, root, python=self._settings.python)
            return plans[spec.code]
        try:
            await self._in_thread(unpack, spec.code.path, root, self._settings.archive)
        except OSError as error:
            raise CodeError("InternalError", f"the archive cannot be unpacked: {error.strerror}", status=500) from error
        return _plan_zip(spec, root, python=self._settings.python)

    async def _image(self, code: ImageCode, root: Path) -> ImageConfig:
        if self._images is None:
            raise CodeError("InvalidImage", "this back end has no source of images")
        if root not in self._configs:
            self._configs[root] = await self._unpack_image(self._images, code, root)
        return self._configs[root]

    async def _unpack_image(self, images: ImageSource, code: ImageCode, root: Path) -> ImageConfig:
        staging = root.with_name(f".unpacking-{secrets.token_hex(8)}")
        try:
            staging.mkdir(mode=0o700, parents=True)
            config = await images.unpack(code.uri, code.digest, staging)
            await self._in_thread(_replace, staging, root)
        except CodeError:
            raise
        except (LambentError, OSError) as error:
            raise CodeError("InvalidImage", f"the image cannot be unpacked: {error}"[:500]) from error
        finally:
            await self._in_thread(_remove, staging)
        return config

    async def _in_thread(self, work: Callable[[*Ts], None], *args: *Ts) -> None:
        await asyncio.get_running_loop().run_in_executor(self._threads, work, *args)


def _plan_zip(spec: FunctionSpec, root: Path, *, python: str) -> PreparedCode:
    if spec.runtime.startswith("python"):
        return PreparedCode(root, root, handler=spec.handler, python=python)
    if spec.runtime.startswith("provided"):
        return PreparedCode(root, root, handler=spec.handler, program=root / "bootstrap", python=python)
    raise CodeError("InvalidRuntime", f"the process back end cannot run runtime {spec.runtime or '(none)'}; use pods")


def _boot_id() -> str:
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return "unknown-boot"


def _plain(digest: str) -> str:
    """A digest as a file name; anything else never becomes a path."""
    if not digest or not digest.isalnum():
        raise CodeError("InternalError", "the code's digest is not a hex number", status=500)
    return digest


def _remove(path: Path) -> None:
    shutil.rmtree(path, ignore_errors=True)


def _replace(staging: Path, root: Path) -> None:
    _remove(root)
    os.rename(staging, root)


def _remove_others(directory: Path, kept: frozenset[Path]) -> None:
    for path in directory.glob("*/*"):
        if path not in kept:
            _remove(path)


def _remove_leftovers(top: Path, current: Path) -> None:
    """Other boots' directories, and unpackings that a killed process left."""
    for path in top.iterdir() if top.is_dir() else ():
        if path != current:
            _remove(path)
    for path in current.glob("*/.unpacking-*"):
        _remove(path)
