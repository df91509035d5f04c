"""All groups of scenarios, and running them against one server."""

import json
from pathlib import Path
from typing import Any

from tests.kubeserver.scenarios import (
    applied,
    asking,
    changes,
    declared,
    directives,
    headless,
    kinds,
    lives,
    owners,
    reads,
    refusals,
    rules,
    schemas,
    sequences,
    stored,
    undeclared,
    writes,
)
from tests.kubeserver.scenarios.asking import Step, Target
from tests.kubeserver.scenarios.steps import NS, gone, post, served

HERE = Path(__file__).parent
GROUPS: dict[str, list[Step]] = {
    name: steps
    for module in (
        schemas,
        rules,
        writes,
        applied,
        lives,
        kinds,
        refusals,
        reads,
        sequences,
        changes,
        undeclared,
        stored,
        declared,
        headless,
        directives,
        owners,
    )
    for name, steps in module.GROUPS.items()
}
_SPACE = f"/api/v1/namespaces/{NS}"


def answers(target: Target, *, pace: float = 1.0, without: frozenset[str] = frozenset()) -> dict[str, dict[str, Any]]:
    """What a server answers, by group and step; everything happens in a namespace of its own, which is deleted."""
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NS}}
    asking.ask_all(
        target, [gone(_SPACE), post("/api/v1/namespaces", namespace), served(f"{_SPACE}/serviceaccounts/default")]
    )
    try:
        return {name: asking.ask_all(target, steps, pace=pace) for name, steps in GROUPS.items() if name not in without}
    finally:
        target.ask({"method": "DELETE", "path": _SPACE})
        target.close()


def load(name: str) -> Any:
    """`recorded.json`: the answers of kube-apiserver 1.34; `differences.json`: where the embedded server differs."""
    return json.loads((HERE / name).read_text())


def differing(want: dict[str, dict[str, Any]], got: dict[str, dict[str, Any]]) -> dict[str, list[str]]:
    """Group/step -> what differs."""
    found = {
        f"{group}/{step}": asking.differences(answer, got.get(group, {}).get(step))
        for group, steps in want.items()
        for step, answer in steps.items()
    }
    return {name: lines for name, lines in found.items() if lines}
