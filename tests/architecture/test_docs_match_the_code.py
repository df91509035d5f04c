"""The generated pages are what the code says today."""

import pytest

from docs.generate import PAGES, REFERENCE


@pytest.mark.parametrize("page", sorted(PAGES))
def test_a_generated_page_is_up_to_date(page: str) -> None:
    assert (REFERENCE / page).read_text() == PAGES[page](), "run: .venv/bin/python docs/generate.py"
