"""The process back end's launcher: runtimes as operating system processes without root or containers.

A Python function runs the unmodified `awslambdaric` of lambent's own environment; a custom runtime runs its
`bootstrap`. Either begins as a small stub (`_stub.py`) that ties the process to us. This is isolation between
functions on one machine (own session, limits, descriptors, environment, API address), no security boundary.
"""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from lambent.execution import procfs
from lambent.execution.code import PreparedCode
from lambent.execution.pipes import OutputPipe
from lambent.execution.settings import ExecutionSettings
from lambent.execution.supervision import Child, Command, Supervisor
from lambent.runtime.environment import Surroundings, build_environment
from lambent.runtime.errors import LaunchError
from lambent.runtime.function_spec import FunctionSpec
from lambent.runtime.launcher import LaunchOrder, ProcessListener

_STUB = Path(__file__).with_name("_stub.py")
# The user's own files never configure a function: it has the given keys and endpoint or none.
_NO_AWS_FILES = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}


class ProcessRuntime:
    """A started runtime: `RuntimeProcess` for its instance."""

    def __init__(self, child: Child, pipes: tuple[OutputPipe, OutputPipe]) -> None:
        self._child = child
        self._pipes = pipes

    @property
    def pid(self) -> int:
        return self._child.pid

    def is_alive(self) -> bool:
        return self._child.is_alive()

    def drain(self) -> None:
        for pipe in self._pipes:
            pipe.drain()

    def peak_memory_bytes(self) -> int:
        return procfs.peak_resident_bytes([self.pid, *procfs.descendants(self.pid)])

    async def stop(self, grace_s: float) -> None:
        await self._child.stop(grace_s)
        self.drain()
        for pipe in self._pipes:
            pipe.close()


class ProcessLauncher:
    """Starts runtimes of one prepared function; satisfies `runtime.launcher.Launcher`."""

    def __init__(
        self,
        spec: FunctionSpec,
        code: PreparedCode,
        *,
        supervisor: Supervisor,
        settings: ExecutionSettings,
        aws_environment: Mapping[str, str],
    ) -> None:
        self._spec = replace(spec, handler=code.handler)
        self._code = code
        self._supervisor = supervisor
        self._settings = settings
        self._aws = aws_environment

    async def launch(self, order: LaunchOrder, listener: ProcessListener) -> ProcessRuntime:
        if not self._code.task_root.is_dir():
            raise LaunchError("the working directory does not exist", error_type="Runtime.InvalidWorkingDir")
        pipes = OutputPipe("stdout", listener.on_output), OutputPipe("stderr", listener.on_output)
        tag = self._supervisor.new_tag()
        command = Command(
            self._code.python, self._arguments(tag), self._environment(order), pipes[0].writer, pipes[1].writer
        )
        try:
            child = self._supervisor.start(command, tag=tag, on_exit=listener.on_exit)
        except LaunchError:
            for pipe in pipes:
                pipe.close()
            raise
        for pipe in pipes:
            pipe.started()
        return ProcessRuntime(child, pipes)

    def _arguments(self, tag: int) -> list[str]:
        code = self._code
        tie = [str(_STUB), str(os.getpid()), str(tag), str(self._settings.open_files), str(code.task_root)]
        if code.program is not None:
            if not (code.program.is_file() and os.access(code.program, os.X_OK)):
                raise LaunchError(f"{code.program.name} is not an executable file")
            return [*tie, "exec", str(code.program), *code.arguments]
        return [*tie, "client", *code.module_paths, "--", code.handler]

    def _environment(self, order: LaunchOrder) -> dict[str, str]:
        root = str(self._code.task_root)
        around = Surroundings(
            task_root=root,
            runtime_directory=root,
            working_directory=root,
            container=self._code.environment,
            aws=self._aws,
            defaults={**_NO_AWS_FILES, "LD_LIBRARY_PATH": f"{root}:{root}/lib", "PATH": _search_path(root)},
            execution_env=self._settings.execution_env,
        )
        return build_environment(self._spec, order, around)


def _search_path(task_root: str) -> str:
    return f"{task_root}/bin:{os.environ.get('PATH', os.defpath)}"
