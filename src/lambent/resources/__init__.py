"""ACK-compatible resource kinds, declared as data and interpreted by one engine.

`controllers(...)` makes the controllers of Bucket, Policy, Role and Function; `crds()` their definitions. They talk to
AWS through `aws.clients` alone, to any endpoint, and need no ACK. Layout: `declaration` (the words), `kinds` (the
data), `planning` (pure middle), `observing`, `converging`, `deleting` (a pass), `engine` and `controllers` (around it).
"""

from lambent.resources.controllers import controllers
from lambent.resources.crds import crds
from lambent.resources.settings import ResourceSettings

__all__ = ["ResourceSettings", "controllers", "crds"]
