"""Which cluster a process works on."""

import os
from pathlib import Path

import pytest

from lambent.errors import UsageError
from lambent.platform.clients import cluster_client
from lambent.settings import Cluster, load

CLUSTER = '{"clusters": [{"name": "k", "cluster": {"server": "https://one"}}]}'
CONTEXT = '{"current-context": "c", "contexts": [{"name": "c", "context": {"cluster": "k"}}]}'


async def test_several_files_of_the_environment_are_one_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").write_text(CLUSTER)
    (tmp_path / "b").write_text(CONTEXT)
    monkeypatch.setenv("KUBECONFIG", f"{tmp_path / 'a'}:{tmp_path / 'none'}:{tmp_path / 'b'}")
    settings = load(flags={}, environ=dict(os.environ), file=None)
    assert cluster_client(settings.cluster).config.server == "https://one"


async def test_a_file_that_was_named_must_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBECONFIG", raising=False)
    with pytest.raises(UsageError, match="does not exist"):
        cluster_client(Cluster(str(tmp_path / "none")))
