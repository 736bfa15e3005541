"""Claims: what somebody is about to use, and what is therefore not removed, though nothing says so.

A bundle that no job refers to may be old, and be wanted just while it is swept: whoever asks for it
claims it first, and whoever removes it looks whether it is claimed. Neither comes between the
other's look and deed.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable

# A job that uses it comes after its upload, which may take hours; then the job's word is enough.
_FOR_S: Final = 86_400.0


class Claims:
    """Names that are claimed, for a day from when they were last asked for."""

    def __init__(self) -> None:
        self._at_s: dict[str, float] = {}
        self._lock = asyncio.Lock()

    async def claim(self, names: Iterable[str]) -> None:
        """Return when none of them is being removed, or will be."""
        async with self._lock:
            self._at_s.update(dict.fromkeys(names, asyncio.get_running_loop().time()))

    @asynccontextmanager
    async def unclaimed(self, names: Iterable[str]) -> AsyncGenerator[frozenset[str]]:
        """Those that may be removed, within the block."""
        async with self._lock:
            now_s = asyncio.get_running_loop().time()
            self._at_s = {name: at_s for name, at_s in self._at_s.items() if now_s < at_s + _FOR_S}
            yield frozenset(name for name in names if name not in self._at_s)
