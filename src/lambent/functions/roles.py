"""May Lambda assume this role? Asked of whichever IAM the process knows.

Lenient, the default: a role is refused only when the known IAM has its account but not the role, or a trust policy
without `lambda.amazonaws.com`; an IAM that cannot be reached accepts. The pattern of the ARN is the codec's part.
"""

from typing import Protocol


class RoleChecker(Protocol):
    async def may_assume(self, role_arn: str) -> bool: ...


class AnyRole:
    """`role_check: off`."""

    async def may_assume(self, role_arn: str) -> bool:
        return True
