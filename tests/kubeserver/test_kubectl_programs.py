"""Which kubectl the tests find, and how `make kubectl` builds one; all programs are shell scripts here."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kubeserver import kubectl_build
from tests.kubeserver.kubectl_programs import chosen, minors, programs

pytestmark = pytest.mark.e2e

GO = """#!/bin/sh
PATH=/usr/bin:/bin
while [ "$1" != -o ]; do
  [ "$1" = -ldflags ] && flags=$2
  shift
done
grep -q "k8s.io/kubectl v0.34.4" go.mod && grep -q NewDefaultKubectlCommand main.go || exit 1
echo "$flags" > "$2"
"""


def _program(path: Path, text: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return str(path)


def _kubectl(path: Path, release: str) -> str:
    version = json.dumps({"clientVersion": {"gitVersion": release}})
    return _program(path, f"#!/bin/sh\necho '{version}'\n")


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty cache, and `bin` alone on PATH."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "nice").symlink_to(shutil.which("nice") or "")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("LAMBENT_KUBECTLS", raising=False)
    programs.cache_clear()
    yield tmp_path
    programs.cache_clear()


def test_a_machine_without_kubectl_has_none_and_wants_all(machine):
    assert (programs(), chosen()) == ({}, None)
    assert minors() == ["1.32", "1.33", "1.34", "1.35"]


def test_a_named_program_comes_before_a_built_one_and_that_before_path(machine, monkeypatch):
    built, beside = machine / "cache/lambent/kubectl", machine / "bin"
    for path, release in ((built / "1.34.4", "v1.34.4"), (built / "1.33.9", "v1.33.9")):
        _kubectl(path / "kubectl", release)
    for name, release in (("kubectl", "v1.36.0"), ("kubectl-1.33", "v1.33.1"), ("kubectl1.32", "v1.32.1")):
        _kubectl(beside / name, release)
    _kubectl(machine / "old", "v1.29.9")
    named = f"{machine / 'old'}:{_kubectl(machine / 'mine', 'v1.34.1')}"
    monkeypatch.setenv("LAMBENT_KUBECTLS", named)
    assert programs() == {
        "1.32": str(beside / "kubectl1.32"),
        "1.33": str(built / "1.33.9" / "kubectl"),
        "1.34": str(machine / "mine"),
        "1.36": str(beside / "kubectl"),
    }
    assert chosen() == str(beside / "kubectl1.32")
    assert minors() == ["1.32", "1.33", "1.34", "1.35", "1.36"]


def test_a_front_is_passed_over_for_the_programs_beside_it(machine):
    front = _kubectl(machine / "kit" / "kubectl", "v1.32.4-dispatcher")
    (machine / "bin" / "kubectl").symlink_to(front)
    assert programs() == {"1.32": str(machine / "bin" / "kubectl")}
    programs.cache_clear()
    _kubectl(machine / "kit" / "kubectl.1.33", "v1.33.2")
    assert programs() == {"1.33": str(machine / "kit" / "kubectl.1.33")}


def test_a_program_that_cannot_tell_its_version_is_no_kubectl(machine, monkeypatch):
    broken = _program(machine / "broken", "#!/bin/sh\nexit 1\n")
    monkeypatch.setenv("LAMBENT_KUBECTLS", f"{broken}:{machine / 'none'}")
    assert programs() == {}


def test_what_is_built_lies_in_the_cache_and_is_stamped_with_its_release(machine):
    _program(machine / "bin" / "go", GO)
    program = kubectl_build.build("1.34.4")
    assert program == machine / "cache/lambent/kubectl/1.34.4/kubectl"
    assert "k8s.io/component-base/version.gitVersion=v1.34.4" in program.read_text()
    assert [path.name for path in program.parent.iterdir()] == ["kubectl"]


@pytest.mark.parametrize(("words", "code"), [((), 1), (("latest",), 2), (("../../etc",), 2)])
def test_nothing_is_built_without_go_or_of_no_release(machine, words, code):
    if words:
        _program(machine / "bin" / "go", GO)
    assert kubectl_build.main(list(words)) == code
    assert not (machine / "cache").exists()
