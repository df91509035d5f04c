"""Reading all pages of a list.

Source: IAM API reference ("IsTruncated", "Marker") and S3 API reference ("IsTruncated", "ContinuationToken").
"""

from typing import Any

from lambent.resources.declaration import Call, Params

_PAGES_LIMIT = 1000  # an endpoint that answers IsTruncated for ever must not hold a pass


async def marked(call: Call, op: str, params: Params, member: str) -> list[Any]:
    """All items of an IAM list."""
    return await _pages(call, op, params, member, token="Marker", following="Marker")


async def continued(call: Call, op: str, params: Params, member: str) -> list[Any]:
    """All items of an S3 list of configurations."""
    return await _pages(call, op, params, member, token="ContinuationToken", following="NextContinuationToken")


async def _pages(call: Call, op: str, params: Params, member: str, *, token: str, following: str) -> list[Any]:
    found: list[Any] = []
    position: str | None = None
    for _ in range(_PAGES_LIMIT):
        answer = await call(op, {**params, token: position} if position else params)
        found += answer.get(member) or ()
        position = answer.get(following) if answer.get("IsTruncated") else None
        if not position:
            break
    return found
