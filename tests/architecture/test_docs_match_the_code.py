"""The generated pages are what the code says today."""

import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from docs.generate import PAGES, REFERENCE

ROOT = Path(__file__).parents[2]


@cache
def _made() -> dict[str, str]:
    """In a process of its own: what other tests register here is not on the pages."""
    script = "import json; from docs.generate import PAGES; print(json.dumps({k: make() for k, make in PAGES.items()}))"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


@pytest.mark.parametrize("page", sorted(PAGES))
def test_a_generated_page_is_up_to_date(page: str) -> None:
    assert (REFERENCE / page).read_text() == _made()[page], "run: .venv/bin/python docs/generate.py"
