"""Waiting for an object to be as somebody wants it: one list, then a watch; never polling."""

from collections.abc import Callable

from lambent.kube.client import KubeClient
from lambent.kube.errors import Gone
from lambent.kube.types import GVK, KubeObject, Selector, WatchOptions

Condition = Callable[[KubeObject | None], bool]


async def wait_for(
    kube: KubeClient, gvk: GVK, name: str, condition: Condition, *, namespace: str | None = None
) -> KubeObject | None:
    """Returns the object (None: absent) once `condition` holds; the caller sets the bound."""
    selector = Selector(fields=f"metadata.name={name}")
    while True:
        obj, version = None, ""
        async for page in kube.list(gvk, namespace=namespace, selector=selector):
            version = page.resource_version
            obj = page.items[0] if page.items else obj
        if condition(obj):
            return obj
        options = WatchOptions(resource_version=version, selector=selector)
        try:
            async for event in kube.watch(gvk, namespace=namespace, options=options):
                if event.type == "BOOKMARK":
                    continue
                obj = None if event.type == "DELETED" else event.object
                if condition(obj):
                    return obj
        except Gone:
            continue
