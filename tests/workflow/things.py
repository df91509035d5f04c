"""A workflow of two steps that make two things, for tests of the controller."""

import asyncio
import textwrap
from typing import Any

import yaml

from tests.workflow.cluster import TRIGGER, Cluster

WORKFLOW = """
apiVersion: koreo.dev/v1beta1
kind: Workflow
metadata: {name: w, namespace: default}
spec:
  crdRef: {apiGroup: example.org, version: v1, kind: Trigger}
  steps:
  - label: first
    ref: {kind: ResourceFunction, name: thing}
    inputs: {name: first, size: =parent.spec.size}
    condition: {type: First, name: The first}
  - label: second
    ref: {kind: ResourceFunction, name: thing}
    inputs: {name: second, size: =steps.first.size}
"""
FUNCTION = """
apiVersion: koreo.dev/v1beta1
kind: ResourceFunction
metadata: {name: thing, namespace: default}
spec:
  apiConfig: {apiVersion: example.org/v1, kind: Thing, name: =inputs.name, namespace: default}
  resource: {spec: {size: =inputs.size}}
  postconditions:
  - assert: =has(resource.status.ready)
    retry: {message: Thing is not ready, delay: 600}
  return: {size: =resource.spec.size}
"""

DESTROY: dict[str, Any] = {
    "delete": {"destroy": {}},
    "apiConfig": {
        "apiVersion": "example.org/v1",
        "kind": "Thing",
        "name": "=inputs.name",
        "namespace": "default",
        "owned": False,
    },
}


def made_of(text: str, **spec: Any) -> dict[str, Any]:
    obj: dict[str, Any] = yaml.safe_load(textwrap.dedent(text))
    obj["spec"].update(spec)
    return obj


def trigger(name: str = "t", **metadata: Any) -> dict[str, Any]:
    return {
        "apiVersion": "example.org/v1",
        "kind": "Trigger",
        "metadata": {"name": name, "namespace": "default", **metadata},
        "spec": {"size": 1},
    }


def cluster_of(*, ready_after_s: float | None = 0.0, **function: Any) -> Cluster:
    cluster = Cluster(ready_after_s=ready_after_s)
    cluster.put([made_of(WORKFLOW), made_of(FUNCTION, **function), trigger()])
    return cluster


async def until_ready(cluster: Cluster, within_s: float = 5.0) -> None:
    loop = asyncio.get_running_loop()
    end = loop.time() + within_s
    while cluster.condition(TRIGGER, "t").get("status") != "True":
        await asyncio.sleep(0.01)
        assert loop.time() < end, cluster.get(TRIGGER, "t").get("status")
