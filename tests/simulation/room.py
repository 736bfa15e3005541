"""Room: the disk that coordinators keep their files on. It may be full for a while."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_PLENTY: Final = 1 << 40


@dataclass(eq=False, slots=True)
class Room:
    """Files by their names, and how much more there is room for."""

    files: dict[Path, str] = field(default_factory=dict)
    free_bytes: int = _PLENTY

    @property
    def is_full(self) -> bool:
        return self.free_bytes == 0

    def fill(self, *, left_bytes: int) -> None:
        """Somebody else takes nearly all of it."""
        self.free_bytes = left_bytes

    def empty(self) -> None:
        self.free_bytes = _PLENTY
