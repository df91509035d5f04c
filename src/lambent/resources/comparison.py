"""When a wanted and an observed value are the same: one small function for each way of comparing.

A comparison gets the two values in normal form (`schema.normal`, `schema.from_aws`) and answers whether AWS already
holds what is wanted. Empty is the same as absent everywhere: none, an empty text, list or map and `false` are left out
before anything is compared, because AWS leaves them out of its answers at will.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from lambent.resources.documents import same_document, same_json

Compare = Callable[[Any, Any], bool]

iam_document: Compare = same_document
json_text: Compare = same_json


def pruned(value: Any) -> Any:
    """The value without empty members, at any depth; empty itself becomes None."""
    if isinstance(value, Mapping):
        kept = {name: item for name, item in ((n, pruned(v)) for n, v in value.items()) if item is not None}
        return kept or None
    if isinstance(value, list | tuple):
        return [pruned(item) for item in value] or None
    return None if value is None or value == "" or value is False else value


def exact(want: Any, have: Any) -> bool:
    """Equal at any depth, lists in order."""
    return bool(pruned(want) == pruned(have))


def verbatim(want: Any, have: Any) -> bool:
    """Equal with zero and `false` kept apart from absence (reserved concurrency 0 is not none)."""
    return type(want) is type(have) and bool(want == have)


def subset(want: Any, have: Any) -> bool:
    """Each member given equals; members not given are AWS's own business."""
    if isinstance(want, Mapping) and want:
        found = have if isinstance(have, Mapping) else {}
        return all(subset(item, found.get(name)) for name, item in want.items())
    return exact(want, have)


def unordered(want: Any, have: Any) -> bool:
    """Equal with every list at any depth taken as a set; rules whose id AWS invented match by content."""
    ours, theirs = pruned(want), pruned(have)
    return bool(ours == theirs) or bool(_sorted(ours) == _sorted(_without_invented_ids(ours, theirs)))


def _sorted(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _sorted(item) for name, item in value.items()}
    if isinstance(value, list):
        return sorted((_sorted(item) for item in value), key=_text)
    return value


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)


def _without_invented_ids(want: Any, have: Any) -> Any:
    """`have` with the ids removed that no item of the wanted list carries."""
    if isinstance(want, Mapping) and isinstance(have, Mapping):
        return {name: _without_invented_ids(want.get(name), item) for name, item in have.items()}
    if isinstance(want, list) and isinstance(have, list) and want and not any(_has_id(item) for item in want):
        return [{k: v for k, v in item.items() if k != "id"} if isinstance(item, Mapping) else item for item in have]
    return have


def _has_id(item: Any) -> bool:
    return not isinstance(item, Mapping) or "id" in item


def role_arn(want: Any, have: Any) -> bool:
    """A role ARN, or the bare name that the API also takes."""
    if want == have:
        return True
    return bool(want and have) and "/" not in str(want) and str(have).rpartition("/")[2] == want


def tags(want: Any, have: Any) -> bool:
    """Tag maps: `aws:` tags and the version of the controller that wrote last are left alone."""
    return _own_tags(want) == _own_tags(have)


def _own_tags(value: Mapping[str, str] | None) -> dict[str, str]:
    return {key: item for key, item in (value or {}).items() if not key.startswith("aws:") and key != VERSION_TAG}


VERSION_TAG = "services.k8s.aws/controller-version"
NAMESPACE_TAG = "services.k8s.aws/namespace"
