"""Rich objects of builtin kinds, each sent again and again with one member changed: created in a dry run, or updated.

`changes.json` has for each object the pairs of a path and the value put there; "<absent>" takes the member away. They
were chosen out of 40 000 such requests, one for each thing that kube-apiserver had to say.
"""

import copy
import json
from pathlib import Path
from typing import Any

from tests.kubeserver.scenarios.asking import Step
from tests.kubeserver.scenarios.steps import delete, post, put


def _changed(body: Any, path: str | list[Any], value: Any) -> Any:
    parts = path.split(".") if isinstance(path, str) else path
    made = copy.deepcopy(body)
    node = made
    for part in parts[:-1]:
        node = node[int(part) if isinstance(node, list) else part]
    last = int(parts[-1]) if isinstance(node, list) else parts[-1]
    if not last and last != 0:
        return made
    if value == "<absent>":
        del node[last]
    else:
        node[last] = value
    return made


def _title(path: str | list[Any], value: Any) -> str:
    shown = value if value == "<absent>" else json.dumps(value)
    return f"{path if isinstance(path, str) else '.'.join(map(str, path))} = {shown[:80]}"


def _steps(path: str, body: Any, create: list[Any], update: list[Any]) -> list[Step]:
    own = f"{path}/{body['metadata']['name']}"
    made = [
        post(f"{path}?dryRun=All", _changed(body, where, value), _title(where, value), pick=["spec"])
        for where, value in create
    ]
    if not update:
        return made
    changed = [
        put(f"{own}?dryRun=All", _changed(body, where, value), f"put {_title(where, value)}", pick=["spec"])
        for where, value in update
    ]
    return [*made, post(path, body, "to be changed", only="code"), *changed, delete(own, "it goes", only="code")]


_GIVEN: dict[str, Any] = json.loads((Path(__file__).parent / "changes.json").read_text())
GROUPS: dict[str, list[Step]] = {
    f"changed {name}": _steps(found["path"], found["body"], found.get("create", []), found.get("put", []))
    for name, found in _GIVEN.items()
}
