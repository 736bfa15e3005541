"""Waiting for what another task or process does, with a bound and without fixed sleeps."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

POLL_S = 0.01
# A busy machine may take its time. Yet what ends by itself after our 30 s ends too late.
WITHIN_S = 20.0


async def eventually(holds: Callable[[], bool], *, within_s: float = WITHIN_S) -> None:
    """Return as soon as `holds()`; fail the test when it does not in time."""
    try:
        async with asyncio.timeout(within_s):
            while not holds():
                await asyncio.sleep(POLL_S)
    except TimeoutError:
        raise AssertionError(f"did not hold within {within_s} s") from None
