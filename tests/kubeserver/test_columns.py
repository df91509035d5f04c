"""What `kubectl get` shows of builtin kinds: columns and cells, as kube-apiserver 1.34 answered them (`columns.json`).

A row there: an object, the status it was given, and its cells; ages, uids and the object's name are levelled.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.kubeserver.asking import MERGE, TABLE

RECORDED: dict[str, Any] = json.loads(Path(__file__).with_name("columns.json").read_text())
LEVEL = [
    (re.compile(r"(\d+[smhdy])+"), "<age>"),
    (re.compile(r"(.*)\((\d+[smhdy])+ ago\)"), r"\1(<age> ago)"),
    (re.compile(r"(.*)[0-9a-f]{8}-[0-9a-f-]{27}"), r"\1<uid>"),
    (re.compile("it"), "<name>"),
]


def _level(cell: Any) -> Any:
    for pattern, to in LEVEL:
        if isinstance(cell, str) and pattern.fullmatch(cell):
            return pattern.sub(to, cell)
    return cell


@pytest.mark.parametrize("row", RECORDED["rows"], ids=lambda row: f"{row['path'].rpartition('/')[2]}: {row['cells']}")
async def test_a_builtin_kind_is_shown_in_kubectls_columns(ask, row):
    group_version, _, plural = row["path"].rpartition("/")
    path = f"/{group_version}/namespaces/default/{plural}"
    meta = row["object"].get("metadata", {}) | {"name": "it"}
    status, body = await ask("POST", path, row["object"] | {"metadata": meta})
    assert status == 201, body
    if "status" in row:
        status, body = await ask("PATCH", f"{path}/it/status", {"status": row["status"]}, media=MERGE)
        assert status == 200, body
    if row.get("is_deleted"):
        await ask("DELETE", f"{path}/it")
    _, table = await ask("GET", f"{path}/it", accept=TABLE)
    columns = [[one["name"], one["type"], one["priority"]] for one in table["columnDefinitions"]]
    assert columns == RECORDED["columns"][row["path"]]
    assert [_level(cell) for cell in table["rows"][0]["cells"]] == row["cells"]
