"""The process back end by its name: `ProcessExecutor` (see `execution.executor`)."""

from lambent.execution.executor import ProcessExecutor

__all__ = ["ProcessExecutor"]
