"""A write on its way to the store: the new object, the old one, and what has been found about them."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from lambent.kube.schema import Problem
from lambent.kube.types import KubeObject
from lambent.kubeserver.call import Call
from lambent.kubeserver.resources import Resource
from lambent.kubeserver.storage.records import Record


@dataclass(slots=True)
class Draft:
    """`old` and `record` are None on create; `is_apply` tells server-side apply from all other writes;
    `sent` is the body's metadata as it was sent, where it is not stored so. Two findings spare later stages work:
    `keeps_metadata`, the body's metadata is that of the old object, and `differs`, what managers can own has changed.
    `is_unfit` tells of a part, not stored, that has no fields which anybody could own; then nobody owns any.
    """

    call: Call
    resource: Resource
    new: KubeObject
    now: datetime
    old: KubeObject | None = None
    record: Record | None = None
    subresource: str = ""
    is_patch: bool = False
    is_apply: bool = False
    problems: list[Problem] = field(default_factory=list)
    stops_rules: bool = False
    keeps_metadata: bool = False
    differs: bool = False
    sent: dict[str, Any] | None = None
    is_unfit: bool = False
    managed: list[dict[str, Any]] | None = None

    @property
    def is_create(self) -> bool:
        return self.old is None
