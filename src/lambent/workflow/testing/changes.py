"""Which files were edited: for `--changed` against a commit of git, for `--watch` since the last look."""

import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

from lambent.errors import UsageError
from lambent.workflow.spec import find_files

_GIT_S = 30.0


def changed_since(commit: str, paths: Sequence[Path]) -> frozenset[str]:
    """Files of these paths, spelled as loading spells them, that differ from a commit or are new; or `UsageError`."""
    edited: set[Path] = set()
    for folder in {path if path.is_dir() else path.parent for path in paths}:
        root = Path(_git(folder, "rev-parse", "--show-toplevel")[0])
        names = _git(root, "diff", "--name-only", "--no-renames", commit, "--")
        names += _git(root, "ls-files", "--others", "--exclude-standard")
        edited |= {(root / name).resolve() for name in names}
    return frozenset(str(file) for file in find_files(paths) if file.resolve() in edited)


def _git(folder: Path, *words: str) -> list[str]:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *words], capture_output=True, text=True, timeout=_GIT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UsageError(f"--changed needs git: {error}") from error
    if done.returncode != 0:
        raise UsageError(f"--changed: {done.stderr.strip() or 'git failed'}")
    return [line for line in done.stdout.splitlines() if line]


def stamps(paths: Iterable[Path]) -> dict[str, tuple[int, int]]:
    """Size and time of every file, to see whether one has changed."""
    found = {}
    for file in find_files(path for path in paths if path.exists()):
        try:
            status = file.stat()
        except OSError:
            continue
        found[str(file)] = (status.st_mtime_ns, status.st_size)
    return found
