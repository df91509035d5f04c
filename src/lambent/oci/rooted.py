"""Paths inside a directory that stands for a root: no name, link or chain of links leads out of it.

Links in an image are meant for a process whose root is the image. We run without chroot, so every link is rewritten to
a relative one that stays inside, `..` at the root stays there, and parents are walked step by step, so that the place
written to is known and not guessed.
"""

import os
import shutil
from pathlib import Path, PurePosixPath

from lambent.oci.errors import ImageError

_LINKS_LIMIT = 40  # as Linux


class Rooted:
    """All names are relative to `root`; answers are real paths below it. Raises ImageError for names that cannot be."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def place(self, name: str) -> Path:
        """Where `name` itself is, links in its parents resolved, a link in the last part not. Parents are made.
        Raises ImageError for an empty name, one with `..` or NUL, and one below a file."""
        parts = checked_parts(name)
        parent = self._walk(list(parts[:-1]), make=True)
        return self.root.joinpath(*parent, parts[-1])

    def link_target(self, link: Path, target: str) -> str:
        """The relative target that means, without chroot, what `target` means with it."""
        here = link.parent.relative_to(self.root).parts
        wanted = PurePosixPath(target).parts
        parts = list(wanted[1:]) if target.startswith("/") else [*here, *wanted]
        clean: list[str] = []
        for part in parts:
            if part == "..":
                clean = clean[:-1]
            elif part not in (".", ""):
                clean.append(part)
        return os.path.relpath("/".join(["/", *clean]), "/".join(["/", *here]))

    def _walk(self, parts: list[str], *, make: bool) -> list[str]:
        """Directories down from the root, with links resolved by our own rules."""
        done: list[str] = []
        links = 0
        while parts:
            part = parts.pop(0)
            if part == "..":
                done = done[:-1]
                continue
            path = self.root.joinpath(*done, part)
            if path.is_symlink():
                links += 1
                if links > _LINKS_LIMIT:
                    raise ImageError("a path in the image goes through too many links")
                parts = [p for p in PurePosixPath(os.readlink(path)).parts if p not in (".", "/")] + parts
            elif path.is_dir():
                done.append(part)
            elif make and not path.exists():
                path.mkdir(0o755)
                done.append(part)
            else:
                raise ImageError("a path in the image goes through a file")
        return done


def checked_parts(name: str) -> tuple[str, ...]:
    """The parts of an archive's name. A leading `/` or `./` is taken off, as every tar program does."""
    parts = PurePosixPath(name.lstrip("/")).parts
    if not parts or ".." in parts or "\0" in name:
        raise ImageError(f"the image has an entry with a name that cannot be: {name[:200]!r}")
    return parts


def remove(path: Path) -> None:
    """Whatever is there, if anything."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
