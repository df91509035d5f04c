"""Where the data lies that is kept beside the repository, and small makers of documents."""

import os
import textwrap
from pathlib import Path

import pytest

from lambent.workflow.spec import Document, load_text
from lambent.workflow.testing import Loaded, prepare

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("LAMBENT_SHARED", ROOT.parent / "shared"))
SEED = SHARED / "seeds" / "lambda-workload"
KOREO = SHARED / "conformance" / "koreo"

needs_seed = pytest.mark.skipif(not SEED.exists(), reason="../shared/seeds is not there")
needs_koreo = pytest.mark.skipif(not KOREO.exists(), reason="../shared/conformance/koreo is not there")


def documents(text: str, file: str = "test.k.yaml") -> list[Document]:
    """The documents of a text that must be readable."""
    loaded, problems = load_text(textwrap.dedent(text), file)
    assert not problems, [problem.render() for problem in problems]
    return loaded


def loaded(text: str) -> Loaded:
    return prepare(documents(text))
