"""A field path of the API leads back to line and column of the YAML."""

import pytest
import yaml

from lambent.platform.source_lines import line_of

TEXT = """\
spec:
  layers:
    - name: a
    - name: b
  labels:
    a.b/c: x
"""


@pytest.mark.parametrize(
    ("path", "position"),
    [
        ("spec.layers[1].name", (4, 13)),
        ("spec.layers[7].name", (3, 5)),
        ("spec.missing", (2, 3)),
        ("spec.labels[a.b/c]", (6, 12)),
        ("", (1, 1)),
    ],
    ids=["item", "beyond-the-list", "missing-member", "key-with-dots", "document"],
)
def test_the_deepest_part_that_exists_answers(path: str, position: tuple[int, int]) -> None:
    node = yaml.compose(TEXT)
    assert node is not None
    assert line_of(node, path) == position
