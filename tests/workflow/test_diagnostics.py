"""Every refusal as people read it: `diagnostics/*.k.yaml` beside the text that `lambent validate` prints for it.

The same is said in the cluster, on the object itself, with the object as the place. `LAMBENT_UPDATE_GOLDEN=1` writes
the texts anew; read the difference before you commit it.
"""

import ast
import asyncio
import os
import re
from pathlib import Path
from typing import Any

import pytest

from lambent.kube.types import GVK
from lambent.workflow.authoring.lint import all_diagnostics
from lambent.workflow.spec import Diagnostic, Document, load_text
from lambent.workflow.testing import Loaded, prepare
from tests.workflow.cluster import Cluster
from tests.workflow.shared import ROOT

FOLDER = Path(__file__).parent / "diagnostics"
CASES = sorted(FOLDER.glob("*.k.yaml"))
KINDS = ("Workflow", "ValueFunction", "ResourceFunction", "ResourceTemplate")
# What is said of a set of files and not of one object.
_OF_FILES = {"unused", "duplicate-object", "yaml-duplicate-key"}
_MAX_IN_STATUS = 10


def _name(file: Path) -> str:
    return file.name.removesuffix(".k.yaml")


def _loaded(file: Path) -> Loaded:
    documents, problems = load_text(file.read_text(encoding="utf-8"), file.name)
    loaded = prepare(documents)
    loaded.diagnostics += problems
    return loaded


def _found(file: Path) -> list[Diagnostic]:
    return all_diagnostics(_loaded(file))


@pytest.mark.parametrize("file", CASES, ids=_name)
def test_a_refusal_reads_as_written(file: Path) -> None:
    golden = FOLDER / f"{_name(file)}.txt"
    text = "\n\n".join(found.render() for found in _found(file)) + "\n"
    if os.environ.get("LAMBENT_UPDATE_GOLDEN"):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("file", CASES, ids=_name)
def test_a_refusal_is_short_and_stands_in_the_file(file: Path) -> None:
    lines = file.read_text(encoding="utf-8").splitlines()
    for found in _found(file):
        assert len(found.summary) <= 500
        assert 1 <= found.line <= len(lines) + 1, found
        assert found.col >= 1
        rendered = found.render().splitlines()
        if found.excerpt:
            shown, caret = rendered[1], rendered[2]
            assert len(shown) <= 180
            at = caret.index("^")
            assert shown[at : at + 1] == found.excerpt[found.col - 1 : found.col]


def _in_cluster(document: Document) -> bool:
    value, meta = document.value, document.value.get("metadata")
    is_named = isinstance(meta, dict) and bool(meta.get("name")) and bool(meta.get("namespace"))
    is_served = value.get("apiVersion") == "koreo.dev/v1beta1" and value.get("kind") in KINDS
    return is_named and is_served and isinstance(value.get("spec", {}), dict)


def _said(found: Diagnostic) -> str:
    return f"{found.path}: {found.severity}[{found.code}]: {found.message}"


def _without_place(summary: str, identity: str) -> str:
    """The summary of an object in the cluster, without the object and the position inside the expression."""
    assert summary.startswith(identity), summary
    path, rest = re.fullmatch(
        r":?(.*?)(?:(?<=\S):\d+:\d+)?(: (?:error|warning)\[.*)", summary[len(identity) :]
    ).groups()  # type: ignore[union-attr]  # no match is a failure
    return f"{path}{rest}"


@pytest.mark.parametrize("file", CASES, ids=_name)
async def test_the_cluster_says_the_same_on_the_object(file: Path) -> None:
    loaded = _loaded(file)
    objects = {str(document.identity): document.value for document in loaded.documents if _in_cluster(document)}
    wanted: dict[str, list[str]] = {identity: [] for identity in objects}
    for found in all_diagnostics(loaded):
        if found.object in wanted and found.code not in _OF_FILES:
            wanted[found.object].append(_said(found))
    cluster = Cluster()
    cluster.put(objects.values())
    async with cluster.running():
        await asyncio.sleep(30)
        status = {identity: _status(cluster, value) for identity, value in objects.items()}
    for identity, expected in wanted.items():
        told = [_without_place(summary, identity) for summary in status[identity]["diagnostics"]]
        assert set(told) <= set(expected)
        assert len(told) == min(len(expected), _MAX_IN_STATUS)
        errors = [re.split(r": error\[[a-z-]+\]: ", text, maxsplit=1)[1] for text in told if ": error[" in text]
        (ready,) = [item for item in status[identity]["conditions"] if item["type"] == "Ready"]
        assert (ready["status"] == "False") == bool(errors)
        assert not errors or any(error in ready["message"] for error in errors)


def _status(cluster: Cluster, value: dict[str, Any]) -> dict[str, Any]:
    meta = value["metadata"]
    status: dict[str, Any] = cluster.get(GVK("koreo.dev", "v1beta1", value["kind"]), meta["name"], meta["namespace"])[
        "status"
    ]
    return status


def _codes_in_source() -> set[str]:
    """First arguments of `diagnose` and second ones of `Diagnostic`, of the code that needs nothing but documents."""
    found = {"missing-reference"}
    for folder in ("spec", "engine", "testing"):
        for file in (ROOT / "src/lambent/workflow" / folder).glob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute | ast.Name):
                    name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
                    given = node.args[{"diagnose": 0, "Diagnostic": 1}[name] :] if name in _MAKERS else []
                    found |= {str(arg.value) for arg in given[:1] if isinstance(arg, ast.Constant)}
    return found


_MAKERS = ("diagnose", "Diagnostic")


def test_every_kind_of_refusal_has_its_text() -> None:
    told = {found.code for file in CASES for found in _found(file)}
    assert _codes_in_source() - told == {"file-unreadable"}


@pytest.mark.parametrize(
    ("spec", "place"),
    [
        ({"return": {"a": 1}, "other": 1}, "spec.other"),
        ({"return": {"a": "=1 + locls.b"}}, "spec.return.a:1:5"),
    ],
)
def test_the_source_of_an_object_is_told_before_its_place(spec: dict[str, Any], place: str) -> None:
    metadata = {"name": "f", "annotations": {"lambent.dev/source": "shop/f.k.yaml"}}
    value = {"apiVersion": "koreo.dev/v1beta1", "kind": "ValueFunction", "metadata": metadata, "spec": spec}
    assert [found.place for found in prepare([Document(value)]).diagnostics] == [
        f"shop/f.k.yaml:ValueFunction/f:{place}"
    ]
