"""Every command of the kubectl table, run by the real kubectl over TLS; the outcome is a table of its own.

The table is printed (see it with `-rP`) and lies in the test's folder as `kubectl.txt`. Each kubectl minor that
`kubectl_programs` finds runs it in full, against a server of its own, as a test named by the minor; a wanted minor
that is not here is skipped by name. What they print to the letter: `tests/conformance/test_kube_replay.py`.
"""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lambent.kubeserver import KubeServer
from lambent.kubeserver.pods import LogRequest
from lambent.kubeserver.stack import AuditEvent
from tests.kubeserver.kubectl_programs import minors, programs
from tests.kubeserver.kubectl_table import FILES, GROUPS, PAGE, Row, page

REAL_TIME = True
AT_ONCE = 4
"""Groups in flight; each waits for kubectl's own start more than for the server."""


class Lines:
    """A log of three lines that goes on with a fourth when it is followed."""

    async def read(self, request: LogRequest) -> AsyncIterator[bytes]:
        lines = [b"line 1\n", b"line 2\n", b"line 3\n"]
        for line in lines[-request.tail_lines if request.tail_lines else 0 :]:
            yield line
        if request.follow:
            yield b"live\n"


class Streams:
    """Counts the watches and logs that were begun, by namespace: an audit sink. `kubectl` tells of them by no line."""

    def __init__(self) -> None:
        self.begun: Counter[str] = Counter()
        self._more = asyncio.Event()

    def __call__(self, event: AuditEvent) -> None:
        self.begun[event.namespace] += event.verb == "watch" or event.subresource == "log"
        self._more.set()

    async def another(self, namespace: str, than: int) -> None:
        async with asyncio.timeout(30):
            while self.begun[namespace] == than:
                self._more.clear()
                await self._more.wait()


class Runner:
    """Runs the rows of one group with one kubectl, in a namespace and a folder of their own."""

    def __init__(self, kubectl: str, home: Path, namespace: str, streams: Streams) -> None:
        self._kubectl, self._home, self._namespace, self._streams = kubectl, home, namespace, streams
        home.mkdir()
        for name, text in FILES.items():
            (home / name).write_text(text)
        self._env = {"HOME": str(home), "KUBECONFIG": str(home.parent / "config"), "PATH": "/usr/bin:/bin"}

    async def _start(self, row: Row) -> asyncio.subprocess.Process:
        env = self._env | ({"EDITOR": row.editor} if row.editor else {})
        words = [self._kubectl, "-n", self._namespace, *row.words]
        pipe = asyncio.subprocess.PIPE
        return await asyncio.create_subprocess_exec(*words, cwd=self._home, env=env, stdout=pipe, stderr=pipe)

    async def __call__(self, row: Row) -> tuple[int, str]:
        """Exit code and output; the code of a stream that was ended here is 0."""
        if "owned.yaml" in row.line:
            await self._own()
        begun = self._streams.begun[self._namespace]
        process = await self._start(row)
        if row.meanwhile:
            return await self._follow(process, row, begun)
        out, err = await asyncio.wait_for(process.communicate(), 60)
        return process.returncode or 0, (out + err).decode()

    async def _own(self) -> None:
        """The child's file names its owner by the uid it has now."""
        _, uid = await self(Row("get cm owner -o jsonpath='{.metadata.uid}'"))
        text = (
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: child, ownerReferences: [{apiVersion: v1, "
            f"kind: ConfigMap, name: owner, uid: {uid}, blockOwnerDeletion: true}}]}}\n"
        )
        (self._home / "owned.yaml").write_text(text)

    async def _follow(self, process: asyncio.subprocess.Process, row: Row, begun: int) -> tuple[int, str]:
        assert process.stdout is not None
        assert process.stderr is not None
        seen = ""
        beside = asyncio.create_task(self._meanwhile(row, begun))
        try:
            async with asyncio.timeout(60):
                while not all(text in seen for text in row.says):
                    line = await process.stdout.readline()
                    if not line:
                        return await process.wait(), seen + (await process.stderr.read()).decode()
                    seen += line.decode()
        except TimeoutError:
            return -1, seen
        finally:
            await beside
            if process.returncode is None:
                process.terminate()
            await process.communicate()
        return 0, seen

    async def _meanwhile(self, row: Row, begun: int) -> None:
        await self._streams.another(self._namespace, begun)
        await self(Row(row.meanwhile))


def judge(row: Row, code: int, output: str) -> str:
    """Empty, or why the row failed."""
    if code != row.exit:
        return f"exit {code} instead of {row.exit}: {output.strip()[-300:]!r}"
    missing = [text for text in row.says if text not in output]
    return f"does not say {missing}: {output.strip()[-300:]!r}" if missing else ""


@pytest.fixture(params=minors())
def kubectl(request: pytest.FixtureRequest) -> str:
    """The program of one minor; a minor that is not here is named, not passed over."""
    minor: str = request.param
    if minor not in programs():
        pytest.skip(
            f"MISSING kubectl {minor}: only {', '.join(programs()) or 'none'} is here; `make kubectl` builds it"
        )
    return programs()[minor]


@pytest.fixture
def streams() -> Streams:
    return Streams()


@pytest.fixture
async def home(kubectl: str, tmp_path: Path, streams: Streams) -> AsyncIterator[Path]:
    server = KubeServer(state_dir=tmp_path / "state", audit=streams)
    server.register_logs(Lines())
    await server.startup("127.0.0.1", 0)
    server.write_kubeconfig(tmp_path / "config")
    run = Runner(kubectl, tmp_path / "setup", "default", streams)
    await run(Row("create -f crd.yaml"))
    await run(Row("wait --for=condition=Established crd/gadgets.table.example.org --timeout=10s"))
    yield tmp_path
    await server.shutdown()


def _slug(group: str) -> str:
    return re.sub(r"[^a-z]+", "-", group.lower())


async def _run_group(run: Runner, group: str, gate: asyncio.Semaphore) -> list[tuple[str, Row, str]]:
    async with gate:
        await run(Row(f"create namespace {_slug(group)}"))
        return [(group, row, judge(row, *await run(row))) for row in GROUPS[group]]


@pytest.mark.e2e
@pytest.mark.timeout(240)
async def test_every_command_of_the_table_does_what_it_says(kubectl, home, streams):
    gate = asyncio.Semaphore(AT_ONCE)
    runners = {group: Runner(kubectl, home / _slug(group), _slug(group), streams) for group in GROUPS}
    groups = await asyncio.gather(*(_run_group(run, group, gate) for group, run in runners.items()))
    outcomes = [outcome for group in groups for outcome in group]
    lines = [f"{'FAIL' if why else 'pass'}  {group}: kubectl {row.line}  {why}" for group, row, why in outcomes]
    failed = [line for line in lines if line.startswith("FAIL")]
    text = "\n".join([*lines, f"{len(lines) - len(failed)} of {len(lines)} kubectl commands pass"])
    (home / "kubectl.txt").write_text(text + "\n")
    print(text)
    assert not failed, "\n" + "\n".join(failed)


def test_the_reference_page_follows_from_the_table():
    assert PAGE.read_text() == page(), "write it with: python -m tests.kubeserver.kubectl_table"


def test_every_command_of_the_table_is_there_once_with_one_outcome():
    outcomes: dict[tuple[str, str], set[bool]] = {}
    for group, rows in GROUPS.items():
        for row in rows:
            outcomes.setdefault((group, row.line), set()).add(row.is_refused)
    assert all(len(kinds) == 1 for kinds in outcomes.values())
