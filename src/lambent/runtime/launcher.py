"""How a pool gets runtimes: the Protocols an execution back end implements.

A launcher belongs to one version of one function: it knows code, command and environment; the pool tells it number
and API address. `execution.process` starts OS processes; `runtime.fake` runs scripts in the same loop, for tests.
"""

from dataclasses import dataclass
from typing import Protocol

from lambent.runtime.api import RuntimeApi
from lambent.runtime.outcomes import Exit


class ProcessListener(Protocol):
    """What a runtime process tells its instance; called from the event loop, never concurrently."""

    def on_output(self, stream: str, data: bytes) -> None:
        """Bytes of "stdout" or "stderr", in any pieces."""
        ...

    def on_exit(self, how: Exit) -> None:
        """Once, when the process has ended by itself or been killed."""
        ...


class RuntimeProcess(Protocol):
    """A started runtime with all its descendants."""

    @property
    def pid(self) -> int: ...

    def is_alive(self) -> bool:
        """Asked before each hand-over, so cheap; false as soon as the process has ended."""
        ...

    def drain(self) -> None:
        """Hands over output that is already written, without waiting."""
        ...

    def peak_memory_bytes(self) -> int:
        """Highest resident size so far; 0 when unknown."""
        ...

    async def stop(self, grace_s: float) -> None:
        """Ends the process and every descendant; SIGTERM first if `grace_s` > 0. Returns when all are gone."""
        ...


@dataclass(frozen=True, slots=True)
class LaunchOrder:
    """`number` is the lowest free one in the pool; `api` is for launchers that run in this process."""

    number: int
    api_address: str
    log_stream: str
    initialization_type: str
    api: RuntimeApi


class Launcher(Protocol):
    async def launch(self, order: LaunchOrder, listener: ProcessListener) -> RuntimeProcess:
        """Starts one runtime; raises `errors.LaunchError` when that is impossible."""
        ...
