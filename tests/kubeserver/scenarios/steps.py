"""Words to write scenarios with."""

import json
from typing import Any

from tests.kubeserver.scenarios.asking import Step

NS = "same"
GROUP = "same.example.dev"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
CMS = f"/api/v1/namespaces/{NS}/configmaps"
DEPLOYMENTS = f"/apis/apps/v1/namespaces/{NS}/deployments"
MERGE = {"Content-Type": "application/merge-patch+json"}
JSON = {"Content-Type": "application/json-patch+json"}
STRATEGIC = {"Content-Type": "application/strategic-merge-patch+json"}
APPLY = {"Content-Type": "application/apply-patch+yaml"}
TABLE = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"}
STRING, INTEGER = {"type": "string"}, {"type": "integer"}
PARTIAL = {"Accept": "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io,application/json"}


def get(path: str, say: str = "", **more: Any) -> Step:
    return {"method": "GET", "path": path, "say": say, **more}


def post(path: str, body: Any, say: str = "", **more: Any) -> Step:
    return {"method": "POST", "path": path, "body": body, "say": say, **more}


def put(path: str, body: Any, say: str = "", **more: Any) -> Step:
    return {"method": "PUT", "path": path, "body": body, "say": say, **more}


def patch(path: str, body: Any, say: str = "", headers: Any = MERGE, **more: Any) -> Step:
    return {"method": "PATCH", "path": path, "body": body, "say": say, "headers": headers, **more}


def delete(path: str, say: str = "", body: Any = None, **more: Any) -> Step:
    return {"method": "DELETE", "path": path, "body": body, "say": say, **more}


def gone(path: str) -> Step:
    return {"until": lambda code, _: code == 404, "path": path}


def served(path: str) -> Step:
    return {"until": lambda code, _: code == 200, "path": path}


def holds(path: str, condition: str) -> Step:
    return {
        "until": lambda _, body: any(
            c["type"] == condition and c["status"] == "True" for c in (body.get("status") or {}).get("conditions") or ()
        ),
        "path": path,
    }


def config_map(name: str, data: Any = None, **meta: Any) -> Any:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, **meta}, "data": data or {}}


def definition(
    kind: str, schema: Any, *, group: str = GROUP, scope: str = "Namespaced", names: Any = None, **version: Any
) -> Any:
    """A CustomResourceDefinition of one version."""
    plural = f"{kind.lower()}s"
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "scope": scope,
            "names": {
                "kind": kind,
                "listKind": f"{kind}List",
                "plural": plural,
                "singular": kind.lower(),
                **(names or {}),
            },
            "versions": [
                {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}, **version}
            ],
        },
    }


def struct(**properties: Any) -> Any:
    """The schema of an object with these members."""
    return {"type": "object", "properties": properties}


def objects(kind: str, namespace: str = NS) -> str:
    """The path of a kind's collection."""
    return f"/apis/{GROUP}/v1/namespaces/{namespace}/{kind.lower()}s"


def custom(kind: str, name: str, spec: Any = None, *, meta: Any = None, **top: Any) -> Any:
    body = {"apiVersion": f"{GROUP}/v1", "kind": kind, "metadata": {"name": name, **(meta or {})}, **top}
    return body if spec is None else {**body, "spec": spec}


def need(crd: Any) -> list[Step]:
    """Creates a definition and waits until it is served."""
    name, plural = crd["metadata"]["name"], crd["spec"]["names"]["plural"]
    where = f"namespaces/{NS}/{plural}" if crd["spec"]["scope"] == "Namespaced" else plural
    return [
        post(CRDS, crd, "define", only="code"),
        holds(f"{CRDS}/{name}", "Established"),
        served(f"/apis/{crd['spec']['group']}/v1/{where}"),
        {"sleep": 0.5},
    ]


def drop(crd: Any) -> list[Step]:
    name = crd["metadata"]["name"]
    return [delete(f"{CRDS}/{name}", "drop the definition", only="code"), gone(f"{CRDS}/{name}")]


def text(value: Any) -> str:
    return json.dumps(value)
