"""Wall: what coordinators' machines take for the time of day. It may be wrong, and jump."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from .loop import Process, VirtualLoop

_EPOCH: Final = datetime(2026, 1, 1, tzinfo=UTC)
_LEAST_JUMP_S: Final = 0.3
_ORDERS: Final = 5.5  # of magnitude: the largest jump is a day and a bit


@dataclass(eq=False, slots=True)
class Wall:
    """One clock for all coordinators, and for some of them how much their own differs."""

    loop: VirtualLoop
    offset_s: float = 0.0
    highest_s: float = 0.0  # offset that somebody may have seen
    lowest_s: float = 0.0
    own_s: dict[Process, float] = field(default_factory=dict)

    def now(self, process: Process | None = None) -> datetime:
        return self._at(self._offset_s(process))

    def highest(self) -> datetime:
        """No clock that somebody has ever looked at would show a later time now."""
        return self._at(self.highest_s)

    def lowest(self) -> datetime:
        """No clock that somebody has ever looked at would show an earlier time now."""
        return self._at(self.lowest_s)

    def jump(self, seconds: float) -> None:
        self.offset_s += seconds
        self._note(self.offset_s)

    def set_apart(self, process: Process, seconds: float) -> None:
        """A coordinator on a machine whose clock differs."""
        self.own_s[process] = seconds

    def _offset_s(self, process: Process | None) -> float:
        offset_s = self.offset_s + (self.own_s.get(process, 0.0) if process else 0.0)
        self._note(offset_s)
        return offset_s

    def _note(self, offset_s: float) -> None:
        self.highest_s = max(self.highest_s, offset_s)
        self.lowest_s = min(self.lowest_s, offset_s)

    def _at(self, offset_s: float) -> datetime:
        return _EPOCH + timedelta(seconds=self.loop.time() + offset_s)


def jump_s(value: float) -> float:
    """How far a clock jumps, and which way: most jumps are small, some of a day."""
    size_s: float = _LEAST_JUMP_S * 10 ** (_ORDERS * abs(2 * value - 1))
    return size_s if value >= 0.5 else -size_s  # the middle
