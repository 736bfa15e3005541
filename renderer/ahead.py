"""What is started before anybody asks for it, and handed to whoever asks meanwhile."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence
    from typing import Any

T = TypeVar("T")


class StartedAhead(Generic[T]):
    """Things of one `kind` on their way. What nobody has taken when it is there goes to `keep`."""

    def __init__(self, keep: Callable[[T], None]) -> None:
        self._keep = keep
        self._kind: object = None
        self._coming: list[asyncio.Task[T]] = []

    async def start(self, kind: object, work: Sequence[Coroutine[Any, Any, T]]) -> None:
        """Let all of it run to its end. What fails is dropped; when cancelled, the rest ends."""
        coming = [asyncio.create_task(each, name="started-ahead") for each in work]
        self._kind, self._coming = kind, coming.copy()
        try:
            for task in coming:
                await asyncio.wait([task])
        finally:
            left, self._coming = self._coming, []
            for task in left:
                task.cancel()  # which leaves those alone that are done
                await asyncio.wait([task])
                self._keep_result(task)

    def has(self, kind: object) -> bool:
        """Tell whether one of the kind is still to be had."""
        return bool(self._coming) and self._kind == kind

    async def take(self) -> T:
        """Wait for one that is on its way. If this is cancelled, another may have it."""
        task = self._coming.pop(0)
        is_taken = False
        try:
            thing = await asyncio.shield(task)
            is_taken = True
        finally:
            if not is_taken and not task.done():
                self._coming.append(task)
            elif not is_taken:
                self._keep_result(task)
        return thing

    def _keep_result(self, task: asyncio.Task[T]) -> None:
        if not task.cancelled() and task.exception() is None:
            self._keep(task.result())
