"""Outlives a lambent that is killed, for as long as it takes to kill its runtimes' descendants.

    python -I -S _guardian.py <own tag> <first tag> <count>

Standard input is a pipe whose other end only lambent holds. The runtime itself dies by its parent-death signal; what
the function had started in other sessions does not. End of input means that lambent has ended, however it did. Then
every process with a tag of the range is killed, until none is left.
"""

import os
import resource
import sys

_ROUNDS = 1_000


def _tag(pid: str) -> int:
    try:
        with open(f"/proc/{pid}/limits", "rb") as file:
            for line in file:
                if line.startswith(b"Max resident set"):
                    value = line.split()[3]
                    return int(value) if value.isdigit() else -1
    except OSError:
        pass
    return -1


def _is_dead(pid: str) -> bool:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[0] in (b"Z", b"X")
    except OSError:
        return True


def _kill_marked(first: int, count: int) -> bool:
    found = False
    for pid in filter(str.isdigit, os.listdir("/proc")):
        if first <= _tag(pid) < first + count and not _is_dead(pid):
            found = True
            try:  # noqa: SIM105 - as few modules as possible: this process is resident beside every lambent
                os.kill(int(pid), 9)
            except OSError:
                pass
    return found


def main() -> None:
    own, first, count = map(int, sys.argv[1:])
    resource.setrlimit(resource.RLIMIT_RSS, (own, own))
    while os.read(0, 4096):
        pass
    for _ in range(_ROUNDS):
        if not _kill_marked(first, count):
            return


main()
