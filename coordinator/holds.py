"""Holds: why nothing begins on a farm now."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)

STORE_DOWN: Final = "STORE_DOWN"
SHUTTING_DOWN: Final = "SHUTTING_DOWN"
STORAGE_FULL: Final = "STORAGE_FULL"
STORAGE_DOWN: Final = "STORAGE_DOWN"


@dataclass(frozen=True, slots=True)
class Hold:
    """One reason (UPPER_SNAKE, stable), and for people what is wrong and what to do about it."""

    reason: str
    message: str


class FarmHeldError(Exception):
    """The farm takes nothing new now; what is asked may be asked again later."""

    def __init__(self, hold: Hold, told: str = "the farm takes nothing now") -> None:
        super().__init__(f"{told}: {hold.message}")
        self.hold = hold


class Holds:
    """The reasons why nothing begins, one of a kind; what runs goes on."""

    def __init__(self) -> None:
        self._holds: dict[str, Hold] = {}
        self._changed = asyncio.Event()
        self._listeners: list[Callable[[], None]] = []

    @property
    def all(self) -> tuple[Hold, ...]:
        """In order of their beginning."""
        return tuple(self._holds.values())

    def of(self, *reasons: str) -> Hold | None:
        """The first of them that holds now."""
        return next((hold for hold in self._holds.values() if hold.reason in reasons), None)

    def put(self, hold: Hold) -> None:
        if self._holds.get(hold.reason) == hold:
            return
        level = logging.INFO if hold.reason == SHUTTING_DOWN else logging.WARNING
        log.log(level, "farm held", extra={"reason": hold.reason, "problem": hold.message})
        self._holds[hold.reason] = hold
        self._tell()

    def lift(self, reason: str) -> None:
        if self._holds.pop(reason, None):
            log.info("farm no longer held", extra={"reason": reason})
            self._tell()

    def listen(self, listener: Callable[[], None]) -> None:
        """Call `listener` at each change from now on."""
        self._listeners.append(listener)

    async def until(self, *reasons: str, most_s: float | None = None) -> Hold | None:
        """Wait until one of these holds, or for `most_s`."""
        try:
            return await asyncio.wait_for(self._until(*reasons), most_s)
        except TimeoutError:
            return None

    async def _until(self, *reasons: str) -> Hold:
        while (hold := self.of(*reasons)) is None:
            await self._changed.wait()
        return hold

    def _tell(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
        for listener in self._listeners:
            listener()
