"""Space: when a disk is so full that no work should begin, and when there is room again. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Self

MIN_FREE_BYTES: Final = 200 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """What is known of a disk's room.

    It is short below `floor_bytes`, and then until `wanted_bytes` are free: twice as much, so that
    work does not stop and go.
    """

    floor_bytes: int = MIN_FREE_BYTES
    wanted_bytes: int = 0

    @property
    def is_short(self) -> bool:
        return self.wanted_bytes > 0

    def seen(self, free_bytes: int) -> Self:
        """So much is free now."""
        if self.is_short:
            return replace(self, wanted_bytes=0) if free_bytes >= self.wanted_bytes else self
        if free_bytes < self.floor_bytes:
            return replace(self, wanted_bytes=2 * self.floor_bytes)
        return self

    def ran_out(self, free_bytes: int) -> Self:
        """The disk was full for something that has been cleaned away; so much is free now.

        What needs more than there is would fail again: someone has to make room first.
        """
        more = free_bytes + max(1, self.floor_bytes)
        return replace(self, wanted_bytes=max(2 * self.floor_bytes, more, self.wanted_bytes))
