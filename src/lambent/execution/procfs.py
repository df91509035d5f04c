"""Reading /proc: states, children, tags and memory of processes. Everything about a process that has gone is empty.

A *tag* is the value of RLIMIT_RSS, a limit without effect on Linux: each runtime's is unique, its descendants inherit
it through fork, exec, new sessions and emptied environments, and it is readable for any process, zombies included.
"""

import os
from collections.abc import Iterable, Iterator


def children(pid: int) -> list[int]:
    """Direct children, zombies included, in one read per thread."""
    found: list[int] = []
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            found += map(int, _read(f"/proc/{pid}/task/{thread}/children").split())
    except OSError:
        pass
    return found


def descendants(pid: int) -> Iterator[int]:
    """Children, their children, and so on; a snapshot that may already be past."""
    todo = children(pid)
    while todo:
        each = todo.pop()
        yield each
        todo += children(each)


def tag(pid: int) -> int:
    """The process's RLIMIT_RSS in bytes; -1 for none, unlimited, or no such process."""
    for line in _read(f"/proc/{pid}/limits").splitlines():
        if line.startswith(b"Max resident set"):
            value = line.split()[3]
            return int(value) if value.isdigit() else -1
    return -1


def runs(pid: int, file_name: str) -> bool:
    """Whether a word of the process's command line is a file of this name; false for zombies."""
    return any(os.path.basename(word) == file_name.encode() for word in _read(f"/proc/{pid}/cmdline").split(b"\0"))


def is_zombie(pid: int) -> bool:
    return _read(f"/proc/{pid}/stat").rpartition(b")")[2].split()[:1] == [b"Z"]


def peak_resident_bytes(pids: Iterable[int]) -> int:
    """Sum of the highest resident sizes (VmHWM) of these processes."""
    total = 0
    for pid in pids:
        for line in _read(f"/proc/{pid}/status").splitlines():
            if line.startswith(b"VmHWM:"):
                total += int(line.split()[1]) * 1024
    return total


def oom_kills() -> int:
    """How often the kernel killed for memory in our cgroup; 0 where that cannot be read."""
    for line in _read("/proc/self/cgroup").decode().splitlines():
        if line.startswith("0::"):
            events = _read(f"/sys/fs/cgroup{line[3:]}/memory.events").decode()
            fields = dict(each.split() for each in events.splitlines())
            return int(fields.get("oom_kill", 0))
    return 0


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""
