"""`lambent apply`: the order that works, one failure that stops no other, errors with file and line."""

from pathlib import Path

import pytest

from lambent.errors import UsageError
from lambent.kubeserver import KubeServer
from lambent.platform.apply import Applier, read_manifests


def _write(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.write_text(text)
    return file


def test_a_folder_is_read_in_order_and_a_list_is_its_items(tmp_path: Path) -> None:
    _write(tmp_path, "b.yaml", "kind: ConfigMap\napiVersion: v1\nmetadata: {name: last}\n")
    _write(
        tmp_path,
        "a.yaml",
        "---\n---\napiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Secret, metadata: {name: first}}\n",
    )
    _write(tmp_path, "notes.txt", "no manifest")
    assert [m.name for m in read_manifests([tmp_path])] == ["Secret/first", "ConfigMap/last"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a: [\n", r"m\.yaml:2:1: not YAML"),
        ("- 1\n", r"m\.yaml:1:1: a manifest is a mapping"),
        ("kind: Pod\nmetadata: {}\n", r"m\.yaml:1:1: apiVersion, metadata\.name missing"),
    ],
    ids=["syntax", "list", "members"],
)
def test_what_is_no_manifest_is_refused_with_its_place(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        read_manifests([_write(tmp_path, "m.yaml", text)])


def test_a_path_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nowhere: no such file or folder"):
        read_manifests([tmp_path / "nowhere"])


def test_a_field_of_a_manifest_leads_to_its_line(tmp_path: Path) -> None:
    file = _write(tmp_path, "m.yaml", "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\nspec:\n  nodeName: 3\n")
    (manifest,) = read_manifests([file])
    assert manifest.where("spec.nodeName") == f"{file}:6:13"


async def test_a_refusal_leads_to_the_line_of_its_field_and_stops_no_other(tmp_path: Path) -> None:
    head = "kind: ConfigMap\napiVersion: v1\nmetadata: {namespace: default, name: "
    file = _write(tmp_path, "m.yaml", f"{head}a}}\nbogus: 1\n---\n{head}b}}\ndata: {{x: y}}\n")
    server = KubeServer(state_dir=None)
    await server.open()
    lines: list[str] = []
    try:
        applier = Applier(server.local_client(), create_namespace=False, tell=lines.append)
        assert await applier.apply(read_manifests([file])) == 1
    finally:
        await server.shutdown()
    assert lines[0] == f"{file}:4:8: ConfigMap/a: bogus: field not declared in schema"
    assert [result.action for result in applier.results] == ["failed", "created"]
