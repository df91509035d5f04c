"""Several calls at once, the first failure raised as itself.

`TaskGroup` wraps what fails in a group; callers here branch on one AWS error, so the group is opened for them.
"""

import asyncio
from collections.abc import Awaitable, Iterable
from typing import TypeVar

_T = TypeVar("_T")


async def together(calls: Iterable[Awaitable[_T]]) -> list[_T]:
    """The results in order; when one fails the others are cancelled and its error is raised."""

    async def run(call: Awaitable[_T]) -> _T:
        return await call

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(run(call)) for call in calls]
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return [task.result() for task in tasks]
