"""The short way of a write that changes what its manager has already comes to the same owners as the long one."""

import random

import orjson
import pytest

from lambent.kubeserver.writes.ownership import tracking
from tests.kubeserver.asking import GIZMOS, MERGE, gizmo_crd

OPEN = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
SPEC = {
    "type": "object",
    "properties": {
        "size": {"type": "integer"},
        "words": {"type": "object", "additionalProperties": {"type": "string"}},
        "ports": {
            "type": "array",
            "items": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}, "at": OPEN}},
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["name"],
        },
        "whole": {"type": "object", "x-kubernetes-map-type": "atomic", **OPEN},
        "open": OPEN,
    },
}
WRITES = 300


def _crd():
    crd = gizmo_crd()
    version = crd["spec"]["versions"][0]
    version["schema"]["openAPIV3Schema"] = {"type": "object", "properties": {"spec": SPEC, "status": OPEN}}
    version["subresources"] = {"status": {}}
    return crd


def _members(draw, depth=2):
    """A few members, some of them maps."""
    names = draw.sample("abc", draw.randint(0, 3))
    return {name: _members(draw, depth - 1) if depth and draw.random() < 0.4 else draw.randint(0, 2) for name in names}


def _spec(draw):
    whole = {
        "size": draw.randint(0, 9),
        "words": {name: str(draw.randint(0, 2)) for name in draw.sample("xyz", 2)},
        "ports": [{"name": name, "at": _members(draw, 0)} for name in draw.sample("pqr", 2)],
        "whole": _members(draw),
        "open": _members(draw),
    }
    return {name: whole[name] for name in draw.sample(list(whole), draw.choice((1, 4, 5)))}


@pytest.fixture
def short_ways(monkeypatch):
    """How many writes went the short way; each is taken the long way too."""
    real, count = tracking._retimed, [0]

    def both(draft, held):
        found = real(draft, held)
        if found:
            count[0] += 1
            given = draft.new["metadata"].get("managedFields")
            with monkeypatch.context() as patch:
                patch.setattr(tracking, "_retimed", lambda *_: None)
                patch.setattr(tracking, "_keeps_metadata", lambda *_: False)
                assert orjson.dumps(tracking._updated(draft, given)) == orjson.dumps(found)
        return found

    monkeypatch.setattr(tracking, "_retimed", both)
    return count


@pytest.mark.parametrize("seed", range(3))
async def test_the_short_way_comes_to_the_same_owners(ask, short_ways, seed):
    draw = random.Random(seed)
    await ask.add_crd(_crd())
    envelope = {"apiVersion": "test.example.org/v1", "kind": "Gizmo", "metadata": {"name": "a"}}
    await ask("POST", GIZMOS, {**envelope, "spec": {"size": 1}})
    for _ in range(WRITES):
        place = draw.choice(("", "", "/status"))
        path = f"{GIZMOS}/a{place}?fieldManager={draw.choice('mn')}"
        part = "status" if place else "spec"
        if draw.random() < 0.5:
            value = _members(draw) if place else draw.choice((_spec(draw), {"size": draw.randint(0, 9)}))
            code, body = await ask("PATCH", path, {part: value}, media=MERGE)
        else:
            _, body = await ask("GET", f"{GIZMOS}/a")
            value = body.setdefault(part, {})
            if draw.random() < 0.7:
                _change_one(draw, value)
            else:
                body[part] = _members(draw) if place else _spec(draw)
            if draw.random() < 0.5:  # as a client that sends no more than it has to
                body["metadata"] = {"name": "a", "resourceVersion": body["metadata"]["resourceVersion"]}
            code, body = await ask("PUT", path, body)
        assert code == 200, body
    assert short_ways[0] > WRITES / 50


def _change_one(draw, value):
    """A number or text somewhere below is another."""
    names = [name for name, one in value.items() if not isinstance(one, list)]
    if names:
        name = draw.choice(names)
        if isinstance(value[name], dict):
            _change_one(draw, value[name])
        else:
            value[name] = type(value[name])(draw.randint(0, 9))
