"""Programs the end-to-end tests start: lambent's own commands and foreign clients, each with a bound.

A started command is read line by line (never polled), and ended by its own process id.
"""

import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared"
SEED = SHARED / "seeds" / "lambda-workload"
EXAMPLE = ROOT / "examples" / "lambda-workload"
BIN = Path(sys.executable).parent
COMMAND = [sys.executable, "-m", "lambent"]
BOUND_S = 45.0


def clean_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The shell's environment without what would point a client elsewhere."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "LAMBENT_", "KUBE"))}
    return {**kept, **(extra or {})}


def run(*words: str, env: Mapping[str, str] | None = None, check: bool = True, text: str = "") -> str:
    """Runs a command to its end; its standard output, or an AssertionError that shows both outputs."""
    done = subprocess.run(
        words, env=env or clean_environment(), capture_output=True, text=True, timeout=BOUND_S, input=text, check=False
    )
    if check:
        assert done.returncode == 0, f"{' '.join(words)} -> {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout if done.returncode == 0 else done.stdout + done.stderr


def lambent(*words: str, env: Mapping[str, str] | None = None, check: bool = True) -> str:
    return run(*COMMAND, *words, env=env, check=check)


class Running:
    """A command that keeps running; its output is collected while it does."""

    def __init__(self, *words: str, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> None:
        self.process = subprocess.Popen(
            [*COMMAND, *words],
            env=env or clean_environment(),
            cwd=cwd,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.lines: list[str] = []
        self._queue: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as out:
            for line in out:
                self.lines.append(line)
                self._queue.put(line)
        self._queue.put(None)

    def wait_for_line(self, text: str) -> str:
        """The next line that holds `text`."""
        while True:
            line = self._queue.get(timeout=BOUND_S)
            assert line is not None, f"ended before {text!r} came:\n{''.join(self.lines)}"
            if text in line:
                return line

    def stop(self) -> int:
        """SIGTERM, then the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=BOUND_S)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(timeout=BOUND_S)


class Platform(Running):
    """`lambent up` on free ports; `env` is what `lambent env` prints."""

    def __init__(self, state: Path) -> None:
        self.state = state
        super().__init__("up", "--state", str(state), "--aws-port", "0", "--kube-port", "0")
        try:
            self.wait_for_line("lambent is up")
        except BaseException:
            self.stop()
            raise
        exports = lambent("env", "--state", str(state)).splitlines()
        self.variables = dict(line.removeprefix("export ").split("=", 1) for line in exports)
        self.env = clean_environment({**self.variables, "HOME": str(state)})

    def kubectl(self, *words: str, check: bool = True) -> str:
        return run("kubectl", *words, env=self.env, check=check)

    def aws(self, *words: str, check: bool = True) -> str:
        return run(str(BIN / "aws"), *words, env=self.env, check=check)

    def lambent(self, *words: str, check: bool = True) -> str:
        return lambent(*words, "--state", str(self.state), check=check)

    def build_image(self, tag: str = "my-lambda-image:0.0.2") -> None:
        self.lambent("image", "build", str(EXAMPLE / "app"), "--handler", "archive.handler", "-t", tag)


@contextmanager
def platform(state: Path) -> Iterator[Platform]:
    running = Platform(state)
    try:
        yield running
    finally:
        running.stop()


def has(program: str) -> bool:
    return shutil.which(program) is not None


def descendants(pid: int) -> list[int]:
    """Processes below this one, by /proc."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, IndexError):
                continue
            if parent == pid:
                found += [int(entry.name), *descendants(int(entry.name))]
    return found


def lambent_processes(state: Path) -> list[str]:
    """Command lines of living processes that belong to this state directory, by their environment or arguments."""
    needle = str(state).encode()
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            text = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
        except OSError:
            continue
        if needle in text:
            found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
    return found
