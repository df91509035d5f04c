"""Starting, watching and killing processes, with nothing left over.

The one place that starts and reaps: the supervisor makes this process a subreaper, starts children with a new
session each, hears of their ends through pidfds, and keeps a guardian process that outlives a killed lambent.

How a kill reaches everything:
1. SIGKILL to the process group, while the leader (alive or zombie) still holds its number.
2. The leader is reaped. Its orphans are now children of ours; those that carry its tag are killed and reaped,
   whatever session, group or environment they made for themselves, until no process with the tag is left.
3. If lambent itself is killed, the parent-death signal ends the leaders and the guardian ends everything tagged.

Only processes with a tag are ever reaped here, and only those with a tag of ours killed: a child that other code in
this process started is left to that code. Linux 5.3 or later (pidfd). Children are started from the main thread only:
the parent-death signal fires when the *thread* that started them ends.
"""

import asyncio
import contextlib
import logging
import os
import random
import select
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lambent.execution import procfs
from lambent.runtime.errors import LaunchError
from lambent.runtime.outcomes import Exit

log = logging.getLogger(__name__)

_PR_SET_DUMPABLE = 4
_PR_SET_CHILD_SUBREAPER = 36
_GUARDIAN = Path(__file__).with_name("_guardian.py")
# Tags lie far above any real size. Each supervisor has a range of its own, which is never used up; the lowest tag marks
# guardians, which are reaped like the rest but never killed.
_MARK = 1 << 60
_TAGS = 1 << 20
_KILL_LIMIT_S = 5.0
# A zombie costs a process number and nothing else, so reaping late does no harm.
_SWEEP_S = 5.0
_FORBIDDEN_GROUPS = (0, 1)


@dataclass(frozen=True, slots=True)
class Command:
    """What to start; descriptors 1 and 2 of the child are the given ones, 0 is /dev/null."""

    program: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    stdout: int
    stderr: int


class Child:
    """A process we started: group and session of its own, number `pid` until it is reaped."""

    def __init__(self, supervisor: "Supervisor", pid: int, tag: int, on_exit: Callable[[Exit], None]) -> None:
        self.pid = pid
        self.tag = tag
        self.exit: Exit | None = None
        self.ended = asyncio.Event()
        self._supervisor = supervisor
        self._on_exit = on_exit
        self._pidfd = os.pidfd_open(pid)
        self._oom_kills = supervisor.oom_kills
        self._poll = select.poll()
        self._poll.register(self._pidfd, select.POLLIN)
        asyncio.get_running_loop().add_reader(self._pidfd, self._has_exited)

    def is_alive(self) -> bool:
        """Also right in the moment between the process's end and its being told."""
        return self.exit is None and not self._poll.poll(0)

    def _has_exited(self) -> None:
        asyncio.get_running_loop().remove_reader(self._pidfd)
        # Before reaping: the number, and so the group, cannot be anyone else's yet.
        self._signal_group(signal.SIGKILL)
        status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        os.close(self._pidfd)
        self.exit = self._describe(status)
        self.ended.set()
        self._supervisor.forget(self)
        self._on_exit(self.exit)

    def _describe(self, status: int) -> Exit:
        if status >= 0:
            return Exit(status=status)
        is_oom = -status == signal.SIGKILL and procfs.oom_kills() > self._oom_kills
        return Exit(signal=-status, out_of_memory=is_oom)

    def _signal_group(self, number: int) -> None:
        assert self.pid not in (*_FORBIDDEN_GROUPS, os.getpgrp()), "never our own group"
        # Not yet in its session, or nobody left: the process itself is signalled by pidfd.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)
        if self.exit is None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, number)

    async def stop(self, grace_s: float) -> None:
        """Ends the process and everything with its tag."""
        if self.exit is None:
            if grace_s > 0:
                self._signal_group(signal.SIGTERM)
                await self._wait_ended(grace_s)
            if self.exit is None:
                self._signal_group(signal.SIGKILL)
                await self._wait_ended(_KILL_LIMIT_S)
        await self._supervisor.kill_tagged(self.tag)

    async def _wait_ended(self, limit_s: float) -> None:
        try:
            async with asyncio.timeout(limit_s):
                await self.ended.wait()
        except TimeoutError:
            return


class Supervisor:
    """`startup`, `start(command)` as often as wanted, `shutdown` when every child has been stopped."""

    def __init__(self) -> None:
        self._first_tag = _MARK + (1 + random.SystemRandom().getrandbits(39)) * _TAGS
        self._next_tag = self._first_tag
        self._children: dict[int, Child] = {}
        self._guardian: Child | None = None
        self._guardian_pipe = -1
        self._has_signal = False
        self._sweep: asyncio.TimerHandle | None = None
        self.oom_kills = 0

    async def startup(self) -> None:
        if not _prctl(_PR_SET_CHILD_SUBREAPER, 1):
            log.warning("this process cannot become a subreaper; sessions made by functions may outlive them")
        # Functions have our uid; without this they could read our environment and memory in /proc.
        _prctl(_PR_SET_DUMPABLE, 0)
        self.oom_kills = procfs.oom_kills()
        self._start_guardian()
        self._watch_orphans()

    async def shutdown(self) -> None:
        # Order: no guardian respawn, then its pipe closes, then it finds nobody and ends by itself.
        guardian, self._guardian = self._guardian, None
        if self._guardian_pipe >= 0:
            os.close(self._guardian_pipe)
            self._guardian_pipe = -1
        if guardian is not None:
            await guardian._wait_ended(_KILL_LIMIT_S)
        if self._has_signal:
            asyncio.get_running_loop().remove_signal_handler(signal.SIGCHLD)
            self._has_signal = False
        if self._sweep is not None:
            self._sweep.cancel()
        self._reap_orphans()
        _prctl(_PR_SET_CHILD_SUBREAPER, 0)
        _prctl(_PR_SET_DUMPABLE, 1)

    def new_tag(self) -> int:
        self._next_tag += 1
        return self._next_tag

    def start(self, command: Command, *, tag: int, on_exit: Callable[[Exit], None]) -> Child:
        """Starts a process; raises `LaunchError` when the kernel refuses."""
        assert threading.current_thread() is threading.main_thread(), "the parent-death signal follows the thread"
        try:
            pid = os.posix_spawn(
                command.program,
                [command.program, *command.arguments],
                dict(command.environment),
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                    (os.POSIX_SPAWN_DUP2, command.stdout, 1),
                    (os.POSIX_SPAWN_DUP2, command.stderr, 2),
                ],
                setsid=True,
                setsigmask=[],
                setsigdef=signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP},
            )
        except (OSError, ValueError) as error:
            raise LaunchError(f"cannot start {command.program}: {error}") from error
        child = Child(self, pid, tag, on_exit)
        self._children[pid] = child
        return child

    def forget(self, child: Child) -> None:
        self._children.pop(child.pid, None)

    async def kill_tagged(self, tag: int) -> None:
        """Kills and reaps until no descendant of ours has this tag."""
        try:
            async with asyncio.timeout(_KILL_LIMIT_S):
                while found := [pid for pid in self._adopted() if procfs.tag(pid) == tag]:
                    for pid in found:
                        await self._kill(pid)
        except TimeoutError:
            log.error("a process of a stopped runtime does not die", extra={"tag": tag})

    def _adopted(self) -> Iterator[int]:
        """Our children that we did not start, and everything below them."""
        for pid in procfs.children(os.getpid()):
            if pid not in self._children:
                yield pid
                yield from procfs.descendants(pid)

    async def _kill(self, pid: int) -> None:
        """`pid` was a descendant with our tag a moment ago; a zombie of ours is reaped, a living one killed first."""
        try:
            pidfd = os.pidfd_open(pid)
        except OSError:
            return
        try:
            if procfs.tag(pid) not in range(self._first_tag, self._first_tag + _TAGS):
                return
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
            await _readable(pidfd)
        except ProcessLookupError:
            pass
        finally:
            os.close(pidfd)
        _reap(pid)

    # --- orphans that end by themselves

    def _watch_orphans(self) -> None:
        if signal.getsignal(signal.SIGCHLD) not in (signal.SIG_DFL, None):
            log.warning("another part handles SIGCHLD; orphans of functions are reaped when runtimes stop")
            return
        try:
            asyncio.get_running_loop().add_signal_handler(signal.SIGCHLD, self._reap_orphans)
            self._has_signal = True
        except RuntimeError:  # uvloop keeps SIGCHLD for itself
            self._sweep_orphans()

    def _sweep_orphans(self) -> None:
        self._reap_orphans()
        self._sweep = asyncio.get_running_loop().call_later(_SWEEP_S, self._sweep_orphans)

    def _reap_orphans(self) -> None:
        """Zombies with any supervisor's tag: a lambent that ran below us and was killed leaves its own to us."""
        for pid in procfs.children(os.getpid()):
            if pid not in self._children and procfs.is_zombie(pid) and procfs.tag(pid) >= _MARK:
                _reap(pid)

    # --- guardian

    def _start_guardian(self) -> None:
        reading, self._guardian_pipe = os.pipe2(os.O_CLOEXEC)
        try:
            self._guardian = self._spawn_guardian(reading)
        finally:
            os.close(reading)

    def _spawn_guardian(self, reading: int) -> Child:
        """By itself, not through `start`: its standard input is the pipe, and it must not be tagged or tied."""
        arguments = ["-I", "-S", str(_GUARDIAN), str(_MARK), str(self._first_tag), str(_TAGS)]
        pid = os.posix_spawn(
            sys.executable,
            [sys.executable, *arguments],
            {"PATH": os.defpath},
            file_actions=[
                (os.POSIX_SPAWN_DUP2, reading, 0),
                (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
                (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
            ],
            setsid=True,
            setsigmask=[],
            setsigdef=signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP},
        )
        child = Child(self, pid, 0, self._on_guardian_exit)
        self._children[pid] = child
        return child

    def _on_guardian_exit(self, how: Exit) -> None:
        if self._guardian is not None:
            log.warning("the guardian process ended and is started again")
            os.close(self._guardian_pipe)
            self._start_guardian()


def _prctl(option: int, value: int) -> bool:
    import ctypes

    return bool(ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0) == 0)


def _reap(pid: int) -> None:
    # A descendant that is not a child of ours is reaped by its own parent, or becomes ours later.
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


async def _readable(pidfd: int) -> None:
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_reader(pidfd, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(pidfd)
