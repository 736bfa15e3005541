"""HistoryNote: what a probe found about a job's page, for the coordinator that goes on with it."""

from __future__ import annotations

import asyncio
from contextlib import closing
from typing import TYPE_CHECKING

from renderer.durable import PartFile, sync
from renderer.settings import History

if TYPE_CHECKING:
    from pathlib import Path


class HistoryNote:
    """Stands beside a job's finished chunks, and goes with them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder / "history"

    async def read(self) -> History | None:
        return await asyncio.to_thread(self._read)

    async def write(self, history: History) -> None:
        await asyncio.to_thread(self._write, history)

    def _read(self) -> History | None:
        try:
            return History(self._file.read_text(encoding="ascii"))
        except (FileNotFoundError, ValueError):  # none, or of a version that had others
            return None

    def _write(self, history: History) -> None:
        with closing(PartFile(self._folder)) as part:
            part.write(history.value.encode("ascii"))
            part.place(self._file)
        sync(self._folder)
