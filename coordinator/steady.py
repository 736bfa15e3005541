"""SteadyTime: what a clock told once, gone on since then as nobody can set it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime


class SteadyTime:
    """For limits: a clock that is set while a job runs makes its time neither longer nor shorter.

    Its moments look like the clock's, and are, until that is set.
    """

    def __init__(self, utc_now: Callable[[], datetime]) -> None:
        self._utc_now = utc_now
        self._origin: datetime | None = None  # when the event loop's time was 0

    def now(self) -> datetime:
        return self._from + timedelta(seconds=asyncio.get_running_loop().time())

    def of(self, moment: datetime) -> datetime:
        """Take over a moment of the clock's: as far from now as it is there, now."""
        return self.now() + (moment - self._utc_now())

    def loop_s(self, moment: datetime) -> float:
        """When the moment is, by the event loop."""
        return (moment - self._from).total_seconds()

    @property
    def _from(self) -> datetime:
        if self._origin is None:
            loop_s = asyncio.get_running_loop().time()
            self._origin = self._utc_now() - timedelta(seconds=loop_s)
        return self._origin
