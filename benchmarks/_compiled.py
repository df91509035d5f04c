"""Starts are measured as those of an installed package: with its modules compiled, as pip and `make` leave them."""

import compileall
from pathlib import Path

import lambent


def compile_package() -> None:
    """Compiles what has changed, also where PYTHONDONTWRITEBYTECODE keeps a start from doing it."""
    compileall.compile_dir(Path(lambent.__file__).parent, quiet=2)
