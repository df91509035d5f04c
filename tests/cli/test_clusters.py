"""Which cluster a command works on, and as whom."""

import argparse
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from lambent.cli.main import build_parser
from lambent.platform.state import Endpoints, StateDirectory
from tests.cli.files import Commands

REAL_TIME = True
CHOOSING = {"--kubeconfig", "--context", "--as", "--as-group"}


def verbs(parser: argparse.ArgumentParser, name: str = "") -> Iterator[tuple[str, set[str]]]:
    """Each verb with its flags."""
    yield name, set(parser._option_string_actions)
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for word, below in action.choices.items():
                yield from verbs(below, f"{name} {word}".strip())


def test_a_verb_that_takes_a_kubeconfig_takes_a_context_and_whom_to_act_as() -> None:
    taking = {name: flags & CHOOSING for name, flags in verbs(build_parser()) if flags & CHOOSING}
    assert {"server", "controller", "apply", "plan", "graph", "explain", "inspect", "reconcile", "prune"} <= set(taking)
    assert [name for name, flags in taking.items() if flags != CHOOSING] == []


class Refusing(ThreadingHTTPServer):
    """Refuses every request, and keeps its headers."""

    seen: list[dict[str, list[str]]]


class _Refusal(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Refusing)
        self.server.seen.append({name.lower(): self.headers.get_all(name, []) for name in self.headers})
        body = b'{"kind": "Status", "code": 403, "reason": "Forbidden", "message": "no"}'
        self.send_response(403)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None: ...


@pytest.fixture
def server() -> Iterator[Refusing]:
    made = Refusing(("127.0.0.1", 0), _Refusal)
    made.seen = []
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield made
    finally:
        made.shutdown()
        thread.join()
        made.server_close()


@pytest.fixture
def config(server: Refusing, tmp_path: Path) -> Path:
    """A context for each of two users; the first is the current one."""
    cluster = {"server": f"http://127.0.0.1:{server.server_address[1]}"}
    file = tmp_path / "config"
    content = {
        "current-context": "carl",
        "clusters": [{"name": "k", "cluster": cluster}],
        "users": [{"name": name, "user": {"as": name}} for name in ("carl", "dora")],
        "contexts": [{"name": name, "context": {"cluster": "k", "user": name}} for name in ("carl", "dora")],
    }
    file.write_text(json.dumps(content))
    return file


@pytest.mark.parametrize(
    ("flags", "user", "groups"),
    [
        ("", "carl", []),
        ("--context dora", "dora", []),
        ("--context dora --as jane --as-group a --as-group b", "jane", ["a", "b"]),
    ],
    ids=["no flag", "context", "user"],
)
def test_a_command_works_on_the_context_as_the_user(
    run: Commands, server: Refusing, config: Path, flags: str, user: str, groups: list[str]
) -> None:
    assert run(f"prune --kubeconfig {config} {flags}").code == 1
    assert server.seen != []
    for headers in server.seen:
        assert headers["impersonate-user"] == [user]
        assert headers.get("impersonate-group", []) == groups


@pytest.mark.parametrize("verb", ["prune", "explain a/b", "apply map.yaml", "controller", "server"])
def test_an_unknown_context_is_a_usage_error(
    run: Commands, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("map.yaml").write_text("{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}")
    ran = run(f"{verb} --kubeconfig {config} --context eve")
    assert ran.code == 2
    assert "context 'eve' does not exist; the contexts there are: 'carl', 'dora'" in ran.err


def test_only_a_flag_chooses_a_context_of_a_running_platform(
    run: Commands, server: Refusing, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAMBENT_CONTEXT", "of-the-shell")
    state = StateDirectory(tmp_path / "state")
    state.acquire()
    try:
        state.publish(Endpoints(1, "", "", str(config), "", ""))
        assert run(f"prune --state {state.path}").code == 1
        assert run(f"prune --state {state.path} --context dora").code == 1
    finally:
        state.release()
    assert {user for headers in server.seen for user in headers["impersonate-user"]} == {"carl", "dora"}
