"""Opened: what a thread opens is closed by somebody, even when nobody waits for it any more."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable


class Closable(Protocol):
    def close(self) -> None: ...


C = TypeVar("C", bound=Closable)


async def opened(make: Callable[[], C]) -> C:
    """Open something in a thread. Cancelled, it waits until that is open, and closes it."""
    opening = asyncio.create_task(asyncio.to_thread(make), name="open")
    is_awaited = False
    try:
        await asyncio.wait([opening])
        is_awaited = True
    finally:
        if not is_awaited:
            await asyncio.wait([opening])
            if opening.exception() is None:
                opening.result().close()
    return opening.result()
