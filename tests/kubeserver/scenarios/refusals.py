"""More of builtin kinds, one request per line: what single members may be, what is filled in, what may change."""

import json
from pathlib import Path

from tests.kubeserver.scenarios.asking import Step

GROUPS: dict[str, list[Step]] = json.loads((Path(__file__).parent / "refusals.json").read_text())
