"""Definitions that want the names of others, and what becomes of them."""

import asyncio
from typing import Any

from tests.kubeserver.asking import CRDS, MERGE


def crd(kind: str, plural: str, **names: Any) -> Any:
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}
    spec = {"group": "names.dev", "scope": "Cluster", "versions": [version]}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.names.dev"},
        "spec": {**spec, "names": {"kind": kind, "plural": plural, **names}},
    }


async def status_of(ask: Any, name: str) -> tuple[dict[str, str], dict[str, Any]]:
    """Reasons by condition type, and the accepted names."""
    _, body = await ask("GET", f"{CRDS}/{name}")
    reasons = {one["type"]: one["reason"] for one in body["status"]["conditions"]}
    return reasons, body["status"]["acceptedNames"]


async def settled(ask: Any, name: str, reason: str) -> dict[str, str]:
    """Waits, a few turns of the loop long, until `NamesAccepted` has a reason."""
    for _ in range(200):
        reasons, _names = await status_of(ask, name)
        if reasons.get("NamesAccepted") == reason:
            return reasons
        await asyncio.sleep(0)
    raise AssertionError(reasons)


async def test_a_kind_of_another_is_served_once_that_one_is_gone(ask):
    await ask.add_crd(crd("Thing", "things"))
    await ask.add_crd(crd("Thing", "thinger"))
    reasons, names = await status_of(ask, "thinger.names.dev")
    assert reasons == {"NamesAccepted": "ListKindConflict", "Established": "NotAccepted"}
    assert names == {"plural": "thinger", "kind": ""}
    assert (await ask("GET", "/apis/names.dev/v1/thinger"))[0] == 404

    await ask("DELETE", f"{CRDS}/things.names.dev")
    await ask.gone(f"{CRDS}/things.names.dev")
    assert (await settled(ask, "thinger.names.dev", "NoConflicts"))["Established"] == "InitialNamesAccepted"
    assert (await ask("GET", "/apis/names.dev/v1/thinger"))[0] == 200


async def test_a_definition_that_never_was_established_goes_at_once(ask):
    await ask.add_crd(crd("Thing", "things"))
    await ask.add_crd(crd("Thing", "thinger"))
    status, body = await ask("DELETE", f"{CRDS}/thinger.names.dev")
    assert (status, body["status"]["conditions"][-1]["reason"]) == (200, "InstanceDeletionPending")
    await ask.gone(f"{CRDS}/thinger.names.dev")


async def test_a_new_short_name_that_is_taken_leaves_the_definition_served(ask):
    await ask.add_crd(crd("Thing", "things", shortNames=["th"]))
    await ask.add_crd(crd("Other", "others"))
    patch = {"spec": {"names": {"shortNames": ["th", "ot"]}}}
    status, _ = await ask("PATCH", f"{CRDS}/others.names.dev", patch, media=MERGE)
    assert status == 200
    reasons = await settled(ask, "others.names.dev", "ShortNamesConflict")
    assert reasons["Established"] == "InitialNamesAccepted"
    assert (await ask("GET", "/apis/names.dev/v1/others"))[0] == 200


async def test_a_stored_version_may_not_be_dropped(ask):
    await ask.add_crd(crd("Thing", "things"))
    _, body = await ask("GET", f"{CRDS}/things.names.dev")
    body["spec"]["versions"][0]["name"] = "v2"
    status, refused = await ask("PUT", f"{CRDS}/things.names.dev", body)
    causes = [(cause["field"], cause["message"][:50]) for cause in refused["details"]["causes"]]
    assert (status, causes) == (
        422,
        [("status.storedVersions[0]", 'Invalid value: "v1": missing from spec.versions; v')],
    )
