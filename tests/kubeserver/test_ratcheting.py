"""Objects that no longer fit a schema that became stricter."""

from tests.kubeserver.asking import CRDS, GIZMOS, MERGE, gizmo, gizmo_crd

LOOSE = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
TEXT = {"type": "string"}
ITEM = {
    "type": "object",
    "required": ["name"],
    "properties": {"name": TEXT, "level": {"type": "integer", "maximum": 3}},
}
STRICT = {
    "type": "object",
    "required": ["owner"],
    "properties": {
        "name": {"type": "string", "maxLength": 3},
        "size": {"type": "integer", "x-kubernetes-validations": [{"rule": "self < 5", "message": "too large"}]},
        "keyed": {
            "type": "array",
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["name"],
            "items": ITEM,
        },
        "plain": {"type": "array", "items": {"type": "string", "maxLength": 3}},
        "owner": TEXT,
        "note": TEXT,
    },
}
SPEC = {"name": "too long", "size": 9, "keyed": [{"name": "a", "level": 9}], "plain": ["too long"], "owner": "me"}


async def stricter(ask):
    await ask.add_crd(gizmo_crd(LOOSE))
    status, _ = await ask("POST", GIZMOS, gizmo("one", SPEC))
    assert status == 201
    _, crd = await ask("GET", f"{CRDS}/gizmos.test.example.org")
    crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"] = STRICT
    status, body = await ask("PUT", f"{CRDS}/gizmos.test.example.org", crd)
    assert status == 200, body


async def change(ask, **spec):
    """Status, fields of the refusal, and warnings."""
    status, body = await ask("PATCH", f"{GIZMOS}/one", {"spec": spec}, media=MERGE)
    causes = body.get("details", {}).get("causes", ()) if status != 200 else ()
    return status, [cause["field"] for cause in causes], ask.headers.get("warning", [])


async def test_what_does_not_change_may_stay_wrong(ask):
    await stricter(ask)
    status, fields, warnings = await change(ask, note="x")
    assert (status, fields) == (200, [])
    assert warnings == ['299 - "spec.size: Invalid value: \\"integer\\": too large"']


async def test_what_changes_must_fit(ask):
    await stricter(ask)
    assert (await change(ask, name="also too long"))[:2] == (422, ["spec.name", "<nil>"])
    assert (await change(ask, size=8))[:2] == (422, ["spec.size"])
    assert (await change(ask, plain=["too long", "b"]))[:2] == (422, ["spec.plain[0]", "<nil>"])
    assert (await change(ask, owner=None))[:2] == (422, ["spec.owner", "<nil>"])


async def test_items_of_a_keyed_list_are_held_against_their_own_old_ones(ask):
    await stricter(ask)
    assert (await change(ask, keyed=[{"name": "b", "level": 1}, {"name": "a", "level": 9}]))[0] == 200
    bad = [{"name": "a", "level": 8}, {"name": "b", "level": 7}]
    assert (await change(ask, keyed=bad))[:2] == (422, ["spec.keyed[0].level", "spec.keyed[1].level"])


async def test_a_new_object_must_fit(ask):
    await stricter(ask)
    assert (await ask("POST", GIZMOS, gizmo("two", SPEC)))[0] == 422
