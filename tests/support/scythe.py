"""Ends a process' work, as far as a disk can tell, before any one of the things it does there."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


class KilledError(BaseException):
    """What a process does not live to see. No `except Exception` catches it."""


class Scythe:
    """Strikes at the n-th change of the disk, or of a store; nothing is changed from then on."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.has_struck = False
        self._left = 0  # not in hand
        for place, name in (
            (Path, "unlink"),
            (Path, "replace"),
            (Path, "mkdir"),
            (shutil, "rmtree"),
        ):
            patch.setattr(place, name, self.over(getattr(place, name)))
        self._open = set[int]()
        self._os_open, self._os_close = os.open, os.close
        patch.setattr(os, "open", self._opened)
        patch.setattr(os, "close", self._closed)

    def over(self, change: Callable[..., Any]) -> Callable[..., Any]:
        def changed(*args: Any, **named: Any) -> Any:
            self.step()
            return change(*args, **named)

        return changed

    def strike_at(self, number: int) -> None:
        self._left, self.has_struck = number, False

    def put_away(self) -> None:
        """The next process comes: of one that was killed nothing is open, or locked."""
        self._left = 0
        for descriptor in self._open:
            self._os_close(descriptor)
        self._open.clear()

    def _opened(self, *args: Any, **named: Any) -> int:
        self.step()
        descriptor = self._os_open(*args, **named)
        if self._left:
            self._open.add(descriptor)
        return descriptor

    def _closed(self, descriptor: int) -> None:
        self._open.discard(descriptor)
        self._os_close(descriptor)

    def step(self) -> None:
        if not self._left:
            return
        self._left = max(1, self._left - 1) if self.has_struck else self._left - 1
        if self.has_struck or not self._left:
            self.has_struck, self._left = True, 1
            raise KilledError
