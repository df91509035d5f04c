"""CustomResourceDefinitions generated from the declarations: a superset of ACK's.

Nothing is required that ACK does not require; in particular `spec` is not, since adoption creates objects without one.
The additions are optional on read, because our controllers also run on ACK's own definitions. Not here: OpenAPI of
Kubernetes' own kinds.
"""

from collections.abc import Iterable
from typing import Any, cast

import lambent
from lambent.kube.types import KubeObject
from lambent.resources.declaration import Column, Kind
from lambent.resources.kinds import TIER_1
from lambent.resources.schema import Node, parse

MARK = "lambent.dev/crd-version"
_IMMUTABLE = [{"rule": "self == oldSelf", "message": "Value is immutable once set"}]
_METADATA = parse("arn:s, ownerAccountID!:s, partition:s, region!:s")
_CONDITION = parse("lastTransitionTime:time, message:s, observedGeneration:i, reason:s, status!:s, type!:s")
_READY = '.status.conditions[?(@.type=="Ready")]'
_SYNCED = '.status.conditions[?(@.type=="ACK.ResourceSynced")]'


def crds(kinds: Iterable[Kind] = TIER_1) -> list[KubeObject]:
    """The definitions, complete and ready to apply."""
    return [crd(kind) for kind in kinds]


def crd(kind: Kind) -> KubeObject:
    version = {
        "name": "v1alpha1",
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "additionalPrinterColumns": [_column(column) for column in _columns(kind)],
        "schema": {"openAPIV3Schema": _schema(kind)},
    }
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{kind.plural}.{kind.group}", "annotations": {MARK: lambent.__version__}},
        "spec": {
            "group": kind.group,
            "scope": "Namespaced",
            "names": {
                "kind": kind.kind,
                "listKind": f"{kind.kind}List",
                "plural": kind.plural,
                "singular": kind.kind.lower(),
                "shortNames": [kind.short],
                "categories": ["ack", "aws"],
            },
            "versions": [version],
        },
    }
    return cast(KubeObject, definition)


def _columns(kind: Kind) -> list[Column]:
    return [
        Column("ARN", ".status.ackResourceMetadata.arn", priority=1),
        *kind.columns,
        Column("SYNCED", f"{_SYNCED}.status"),
        Column("READY", f"{_READY}.status"),
        Column("REASON", f"{_READY}.reason"),
        Column("AGE", ".metadata.creationTimestamp", "date"),
    ]


def _column(column: Column) -> dict[str, Any]:
    found: dict[str, Any] = {"name": column.name, "type": column.type, "jsonPath": column.json_path}
    return {**found, "priority": column.priority} if column.priority else found


def _schema(kind: Kind) -> dict[str, Any]:
    status = openapi(kind.status)
    status["properties"] |= {
        "ackResourceMetadata": openapi(_METADATA),
        "conditions": {"type": "array", "items": openapi(_CONDITION)},
        "observedGeneration": {"type": "integer", "format": "int64"},
        "lambent": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
    }
    return {
        "type": "object",
        "description": f"{kind.kind} of AWS service {kind.service}, compatible with ACK.",
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object"},
            "spec": openapi(kind.spec),
            "status": status,
        },
    }


def openapi(node: Node) -> dict[str, Any]:
    """A node as OpenAPI v3 structural schema."""
    found: dict[str, Any] = {"type": "object" if node.type == "map" else node.type}
    if node.format:
        found["format"] = node.format
    if node.type == "object":
        found["properties"] = {name: openapi(member) for name, member in node.members.items()}
        required = [name for name, member in node.members.items() if member.required]
        if required:
            found["required"] = required
    elif node.item is not None:
        found["items" if node.type == "array" else "additionalProperties"] = openapi(node.item)
    if node.immutable:
        found["x-kubernetes-validations"] = _IMMUTABLE
    return found
