"""The command `lambent`: one module per verb family, imported only when its verb runs."""

from lambent.cli.main import main

__all__ = ["main"]
