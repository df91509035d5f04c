"""A write on its way to the store: the new object, the old one, and what has been found about them."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from lambent.kube.schema import Problem
from lambent.kube.types import KubeObject
from lambent.kubeserver.call import Call
from lambent.kubeserver.resources import Resource
from lambent.kubeserver.storage.records import Record


@dataclass(slots=True)
class Draft:
    """`old` and `record` are None on create; `is_apply` tells server-side apply from all other writes;
    `sent` is the body's metadata as it was sent, where it is not stored so; `asked` the object before the server added
    what nobody owns; `applied` what the body of an apply said.
    Findings that later stages use: `keeps_metadata`, the body's metadata is that of the old object; `differs`, what
    managers can own has changed; `is_unfit`, a part that is not stored has no fields to own, so that nobody owns any.
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
    asked: KubeObject | None = None
    is_unfit: bool = False
    applied: KubeObject | None = None
    managed: list[dict[str, Any]] | None = None

    def keep_asked(self) -> None:
        """What is added to the object from here on is owned by nobody."""
        self.asked = orjson.loads(orjson.dumps(self.new))

    @property
    def is_create(self) -> bool:
        return self.old is None
