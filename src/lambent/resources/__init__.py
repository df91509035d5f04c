"""ACK-compatible resource kinds, declared as data and interpreted by one engine.

`controllers(...)` makes the controllers of Bucket, Policy, Role and Function, `crds()` their definitions;
`kinds_of_ours(...)` says which kinds a cluster with ACK's definitions leaves to us. The controllers talk to
AWS through `aws.clients` alone, to any endpoint, and need no ACK. Layout: `declaration` (the words), `kinds` (the
data), `planning` (pure middle), `observing`, `converging`, `deleting` (a pass), `engine` and `controllers` (around it).
"""

from lambent.resources.beside_ack import kinds_of_ours
from lambent.resources.controllers import controllers
from lambent.resources.crds import crds
from lambent.resources.kinds import TIER_1
from lambent.resources.settings import ResourceSettings

__all__ = ["TIER_1", "ResourceSettings", "controllers", "crds", "kinds_of_ours"]
