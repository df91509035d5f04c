"""The text in which a refusal quotes what a patch made of a builtin object.

kube-apiserver patches the JSON of Go's struct: what the patch does not reach keeps the struct's order of members, what
it reaches is written with sorted keys. The order is read off the field numbers; where the structs have another,
`types.json` says so. Source: evanphx/json-patch, k8s.io/api's generated.proto.
"""

from functools import cache
from pathlib import Path
from typing import Any

import orjson

from lambent.kubeserver.builtin.empties import go_types

_LAST = (1 << 20, "")


@cache
def _members() -> dict[str, dict[str, tuple[int, str]]]:
    """Message -> member -> its number and type."""
    raw = orjson.loads((Path(__file__).parent / "protobuf.json").read_bytes())["messages"]
    found = {
        name: {member: (int(number), kind) for number, (member, kind, _many) in fields.items()}
        for name, fields in raw.items()
    }
    for name, listed in go_types()["order"].items():
        own = found[f"k8s.io.{name.removeprefix('io.k8s.')}"]
        own.update({member: (index, own.get(member, (0, ""))[1]) for index, member in enumerate(listed)})
    return found


def quoted(obj: Any, name: str, patch: Any) -> str:
    """`obj` as JSON; `name` is its schema's, `patch` the merge patch or JSON patch that made it."""
    reached = _reached(patch) if isinstance(patch, list) else patch
    message = f"k8s.io.{name.removeprefix('io.k8s.')}"
    return orjson.dumps(_ordered(obj, message, reached)).decode()


def _reached(operations: list[Any]) -> Any:
    """The paths of a JSON patch, as a merge patch would have them."""
    root: dict[str, Any] = {}
    for operation in operations:
        node = root
        for part in str(operation.get("path", "")).split("/")[1:]:
            node = node.setdefault(part.replace("~1", "/").replace("~0", "~"), {})
    return root


def _ordered(value: Any, kind: str, reached: Any) -> Any:
    if isinstance(value, list):
        below = reached if isinstance(reached, dict) else {}
        return [_ordered(one, kind, below.get(str(index))) for index, one in enumerate(value)]
    if not isinstance(value, dict):
        return value
    known = _members().get(kind, {})
    is_sorted = isinstance(reached, dict) or not known
    keys = sorted(value) if is_sorted else sorted(value, key=lambda key: (known.get(key, _LAST)[0], key))
    below = reached if isinstance(reached, dict) else {}
    return {key: _ordered(value[key], known.get(key, (0, ""))[1], below.get(key)) for key in keys}
