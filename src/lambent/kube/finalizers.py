"""Finalizers: added before the first external side effect, removed when the last one is undone.

One per controller, `lambent.dev/<controller>`. The annotation `lambent.dev/abandon: "true"` is the one exit from a
deletion that can never finish (the provider is gone for good). Source: Kubernetes documentation, "Finalizers".
"""

from typing import Any

from lambent.kube.client import KubeClient
from lambent.kube.errors import NotFound
from lambent.kube.types import GVK, KubeObject

ABANDON = "lambent.dev/abandon"


def finalizer_name(controller: str) -> str:
    return f"lambent.dev/{controller}"


def has_finalizer(obj: KubeObject, name: str) -> bool:
    return name in (obj["metadata"].get("finalizers") or ())


def is_deleting(obj: KubeObject) -> bool:
    return bool(obj["metadata"].get("deletionTimestamp"))


def is_abandoned(obj: KubeObject) -> bool:
    """The user gave up the external state: remove the finalizer without undoing anything."""
    return (obj["metadata"].get("annotations") or {}).get(ABANDON) == "true"


async def add_finalizer(client: KubeClient, obj: KubeObject, name: str) -> KubeObject:
    """The object with the finalizer on it; no call if it is there. Raises Conflict if `obj` is not the latest."""
    if has_finalizer(obj, name):
        return obj
    meta = obj["metadata"]
    names = [*(meta.get("finalizers") or ()), name]
    body = {"metadata": {"resourceVersion": meta["resourceVersion"], "finalizers": names}}
    return await client.patch(GVK.of(obj), meta["name"], body, namespace=meta.get("namespace"))


async def remove_finalizer(client: KubeClient, obj: KubeObject, name: str) -> None:
    """Takes the finalizer off; an object that is gone is fine.

    A list that changed since `obj` was read fails the patch's `test` (Invalid, retried by the runner).
    """
    if not has_finalizer(obj, name):
        return
    meta = obj["metadata"]
    names = meta["finalizers"]
    body: list[dict[str, Any]] = [
        {"op": "test", "path": "/metadata/uid", "value": meta["uid"]},
        {"op": "test", "path": "/metadata/finalizers", "value": names},
        {"op": "remove", "path": f"/metadata/finalizers/{names.index(name)}"},
    ]
    try:
        await client.patch(GVK.of(obj), meta["name"], body, namespace=meta.get("namespace"), kind="json")
    except NotFound:
        return
