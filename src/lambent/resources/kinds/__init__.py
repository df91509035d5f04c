"""The declared kinds."""

from lambent.resources.kinds.bucket import BUCKET
from lambent.resources.kinds.function import FUNCTION
from lambent.resources.kinds.policy import POLICY
from lambent.resources.kinds.role import ROLE

TIER_1 = (BUCKET, POLICY, ROLE, FUNCTION)

__all__ = ["BUCKET", "FUNCTION", "POLICY", "ROLE", "TIER_1"]
