"""Execution back ends: how the code of a function version becomes running runtimes."""

from lambent.execution.errors import CodeError
from lambent.execution.executor import ProcessExecutor
from lambent.execution.images import ImageConfig, ImageSource, PlainImageConfig
from lambent.execution.settings import ArchiveLimits, ExecutionSettings

__all__ = [
    "ArchiveLimits",
    "CodeError",
    "ExecutionSettings",
    "ImageConfig",
    "ImageSource",
    "PlainImageConfig",
    "ProcessExecutor",
]
