"""First code of every runtime process: ties the process to its parent, then becomes the runtime in place.

Run as a script by the function's own interpreter, so it imports next to nothing and nothing of ours:

    python _stub.py <parent pid> <tag> <open files> <directory> client <module path>... -- <handler>
    python _stub.py <parent pid> <tag> <open files> <directory> exec <program> <argument>...

1. The kernel kills this process when the thread that started it ends; if the parent ended before that was asked for,
   stop here. 2. The tag (an rlimit without effect) marks all descendants, whatever session or environment they make.
3. Only descriptors 0, 1, 2 stay open. Parent-death signal and tag survive exec.
"""

import sys

# The interpreter put this file's directory first; the function must not import from it.
del sys.path[0]

import os  # noqa: E402

_PR_SET_PDEATHSIG = 1
_SIGKILL = 9


def _prctl(option: int, value: int) -> None:
    try:
        # 0.6 ms to import against 3.4 for ctypes, in every cold start.
        import _ctypes

        _ctypes.call_function(_ctypes.dlsym(_ctypes.dlopen("", 0), "prctl"), (option, value, 0, 0, 0))
    except (ImportError, AttributeError):
        import ctypes

        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _mark(tag: int, open_files: int) -> None:
    import resource

    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard == resource.RLIM_INFINITY or hard > open_files:
        resource.setrlimit(resource.RLIMIT_NOFILE, (open_files, open_files))
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    resource.setrlimit(resource.RLIMIT_RSS, (tag, tag))


def _close_descriptors() -> None:
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2:
            try:  # noqa: SIM105 - contextlib costs 4 ms of every cold start
                os.close(int(name))
            except OSError:
                pass


def main() -> None:
    parent, tag, open_files, directory, mode = sys.argv[1:6]
    rest = sys.argv[6:]
    _prctl(_PR_SET_PDEATHSIG, _SIGKILL)
    if os.getppid() != int(parent):
        os._exit(0)
    _mark(int(tag), int(open_files))
    _close_descriptors()
    os.chdir(directory)
    if mode == "exec":
        os.execv(rest[0], rest)
    end = rest.index("--")
    sys.path[:0] = [directory]
    sys.path.extend(rest[:end])
    sys.argv = ["awslambdaric", *rest[end + 1 :]]
    from awslambdaric.__main__ import main as run_client

    run_client(sys.argv)


main()
