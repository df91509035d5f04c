"""The objects that every foreign client handles: a namespaced kind with a status subresource, and ConfigMaps.

Their type is Any, because each client has types of its own for a plain dict.
"""

from typing import Any

GROUP = "foreign.example.org"
API_VERSION = f"{GROUP}/v1"

CRD: dict[str, Any] = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": f"gadgets.{GROUP}"},
    "spec": {
        "group": GROUP,
        "scope": "Namespaced",
        "names": {"kind": "Gadget", "plural": "gadgets", "singular": "gadget", "listKind": "GadgetList"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "subresources": {"status": {}},
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "spec": {
                                "type": "object",
                                "properties": {
                                    "size": {"type": "integer", "minimum": 1},
                                    "colour": {"type": "string", "default": "red"},
                                },
                            },
                            "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                        },
                    }
                },
            }
        ],
    },
}


def gadget(name: str, size: int = 1, **spec: Any) -> Any:
    return {
        "apiVersion": API_VERSION,
        "kind": "Gadget",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"size": size, **spec},
    }


def configmap(name: str, **data: str) -> Any:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "default"},
        "data": data,
    }
