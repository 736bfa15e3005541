"""Structured concurrency with plain errors."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Coroutine
    from typing import Any


@asynccontextmanager
async def task_group() -> AsyncGenerator[asyncio.TaskGroup]:
    """An `asyncio.TaskGroup` that raises its first error itself, not a group around it.

    The first error cancels the others; what they raise on their way down is its consequence.
    """
    try:
        async with asyncio.TaskGroup() as group:
            yield group
    except BaseExceptionGroup as errors:
        raise _first(errors) from None


async def first_of(*works: Coroutine[Any, Any, object]) -> None:
    """Return, or raise, as the first of them does that is done; the others are cancelled."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    for task in done:
        task.result()


def look_at(task: asyncio.Task[Any]) -> None:
    """Of a task outside of any group, when it is done: its error is not one that nobody looked at.

    Whoever waits for the task hears of the error, but for one who was cancelled in that very step,
    and goes down for another cause.
    """
    if not task.cancelled():
        task.exception()


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    error = errors.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error
