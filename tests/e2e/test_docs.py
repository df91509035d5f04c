"""The commands of the README and the start page run as they stand there."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.programs import BIN, BOUND_S, EXAMPLE, ROOT, Running, clean_environment, has, run

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not has("kubectl"), reason="kubectl is not installed: the pages' commands are not run"),
]

_BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
# Set-up that the test does itself, and commands that do not end by themselves.
_LEFT_OUT = re.compile(r"^(make |\. \.venv/bin/activate|lambent up|lambent demo|.* -w$)")


def _commands(page: Path) -> str:
    lines = [line for block in _BLOCK.findall(page.read_text()) for line in block.splitlines()]
    return "\n".join(line for line in lines if not _LEFT_OUT.match(line))


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A checkout as far as the pages need one, with a platform on its default state directory."""
    (tmp_path / "examples").symlink_to(EXAMPLE.parent)
    up = Running("up", "--aws-port", "0", "--kube-port", "0", cwd=tmp_path)
    try:
        up.wait_for_line("lambent is up")
        yield tmp_path
    finally:
        up.stop()


@pytest.mark.parametrize("page", ["README.md", "docs/start.md"])
def test_every_command_of_the_page_succeeds(page: str, folder: Path) -> None:
    script = _commands(ROOT / page)
    assert "lambent invoke" in script
    # `kubectl get -w` of the page waits for a person; a machine waits for the condition.
    wait = f"kubectl -n archives wait archive/orders --for=condition=Ready --timeout={BOUND_S:.0f}s"
    script = re.sub(r"^(lambent apply .*archive\.yaml)$", rf"\1\n{wait}", script, flags=re.MULTILINE)
    env = clean_environment({"PATH": f"{BIN}:{os.environ['PATH']}", "HOME": str(folder)})
    run("bash", "-euo", "pipefail", "-c", f"cd {folder}\n{script}", env=env)
