"""Small makers of steps, so that a kind's writes read as a table.

A parameter is named by AWS's member and given as a field's path, or as "@arn", "@name" (the identity) or "@revision".
A value that nobody wants falls back to what AWS holds, so that a call which sets several fields never clears one.
Not here: the order of writes (the kind's) and their execution.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lambent.resources.comparison import pruned
from lambent.resources.declaration import Answer, Change, Step

Steps = Callable[[Change], Sequence[Step]]


def value_of(change: Change, place: str) -> Any:
    """What a parameter's place stands for; None leaves the parameter out."""
    if place == "@arn":
        return change.observed.arn
    if place == "@revision":
        return change.observed.status.get("revisionID")
    if place in change.want:
        return change.want[place]
    found = change.subject.value(place)
    return change.have.get(place) if found is None else found


def parameters(change: Change, places: Mapping[str, str]) -> dict[str, Any]:
    pairs = ((name, value_of(change, place)) for name, place in places.items())
    return {name: value for name, value in pairs if value is not None}


def call(op: str, places: Mapping[str, str]) -> Steps:
    """One call whatever changed."""

    def steps(change: Change) -> Sequence[Step]:
        why = ", ".join(change.paths)
        return [Step(op, parameters(change, places), why=why)]

    return steps


def put_or_delete(put: str, delete: str, *, identity: Mapping[str, str], value: Mapping[str, str]) -> Steps:
    """`put` when something is wanted, `delete` when nothing is."""

    def steps(change: Change) -> Sequence[Step]:
        path = change.paths[0]
        if change.want.get(path) is not None and (change.want[path] == 0 or pruned(change.want[path]) is not None):
            return [Step(put, parameters(change, {**identity, **value}), why=path)]
        return [Step(delete, parameters(change, identity), why=path, tolerate=_GONE)]

    return steps


_GONE = frozenset({"NoSuchEntity", "ResourceNotFoundException", "NoSuchConfiguration"})


def each_member(
    path: str,
    *,
    attach: str,
    detach: str,
    identity: Mapping[str, str],
    member: str,
    then: Callable[[Sequence[Any]], Mapping[str, Answer]],
) -> Steps:
    """A list taken as a set: one call for each member that is missing, then one for each that is too many.

    `then` is what reads answer for a list.
    """

    def steps(change: Change) -> Sequence[Step]:
        want, have = list(change.want.get(path) or ()), list(change.have.get(path) or ())
        base = parameters(change, identity)
        end = then(want)
        missing = [Step(attach, {**base, member: item}, why=path, then=end) for item in want if item not in have]
        extra = [item for item in have if item not in want]
        return missing + [Step(detach, {**base, member: item}, why=path, tolerate=_GONE, then=end) for item in extra]

    return steps


def each_entry(
    path: str,
    *,
    put: str,
    delete: str,
    identity: Mapping[str, str],
    key: str,
    content: str,
    same: Callable[[Any, Any], bool],
) -> Steps:
    """A map: one call for each entry that is missing or differs, then one for each that is too many."""

    def steps(change: Change) -> Sequence[Step]:
        want, have = change.want.get(path) or {}, change.have.get(path) or {}
        base = parameters(change, identity)
        puts = [
            Step(put, {**base, key: name, content: item}, why=path)
            for name, item in want.items()
            if name not in have or not same(item, have[name])
        ]
        deletes = [Step(delete, {**base, key: name}, why=path, tolerate=_GONE) for name in have if name not in want]
        return puts + deletes

    return steps


def retag(path: str, *, tag: str, untag: str, identity: Mapping[str, str], as_list: bool) -> Steps:
    """Tags as two calls at most: the ones to set, the keys to remove; `aws:` tags are never removed."""

    def steps(change: Change) -> Sequence[Step]:
        want, have = change.want.get(path) or {}, change.have.get(path) or {}
        base = parameters(change, identity)
        changed = {key: item for key, item in want.items() if have.get(key) != item}
        gone = sorted(key for key in have if key not in want and not key.startswith("aws:"))
        found = []
        if changed:
            found.append(Step(tag, {**base, "Tags": tag_list(changed) if as_list else changed}, why=path))
        if gone:
            found.append(Step(untag, {**base, "TagKeys": gone}, why=path))
        return found

    return steps


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """IAM's and S3's form."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]
