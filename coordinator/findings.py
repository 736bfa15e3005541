"""Findings: what a coordinator found out about a job, for the one that goes on with it."""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

from executors.storage import storing
from renderer.durable import PartFile, sync
from renderer.settings import History

from .artifacts.base import ArtifactNotFoundError
from .artifacts.shelf import Shelf

if TYPE_CHECKING:
    from pathlib import Path

log = logging.getLogger(__name__)

_NAME: Final = "findings.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """How the page has to be brought to a chunk's beginning, and where chunks did not fit.

    `history` is None as long as nobody knows; so many `probes` were begun to find out. `torn` are
    the first frames of chunks that began with another picture than the one before them ended with:
    the chunks on both sides are rendered once more, with everything painted, and fail the job if
    they differ then.
    """

    history: History | None = None
    probes: int = 0
    torn: frozenset[int] = frozenset()


class Findings:
    """Stand beside a job's finished chunks, and go with them. The last that was kept counts.

    Raises:
        StorageError: from any call: they cannot be kept, or not be brought.

    """

    def __init__(self, folder: Path, shelf: Shelf | None = None) -> None:
        self._folder = folder
        self._shelf = shelf or Shelf(folder)
        self._writing = asyncio.Lock()

    async def read(self) -> Found:
        try:
            await self._shelf.bring(self._file)
        except ArtifactNotFoundError:
            return Found()
        return await asyncio.to_thread(self._read)

    async def keep(self, found: Found) -> None:
        """Keep these instead of those that were. Cancelled, it writes nothing any more."""
        async with self._writing:
            writing = asyncio.ensure_future(asyncio.to_thread(self._write, found))
            try:
                with storing(self._folder):
                    await asyncio.shield(writing)
            finally:  # a thread goes on when who waits for it is cancelled
                await asyncio.wait([writing])
            await self._shelf.keep(self._file)

    @property
    def _file(self) -> Path:
        return self._folder / _NAME

    def _read(self) -> Found:
        try:
            told = json.loads(self._file.read_text(encoding="utf-8"))
            return Found(
                history=told["history"] and History(told["history"]),
                probes=int(told["probes"]),
                torn=frozenset(map(int, told["torn"])),
            )
        except (ValueError, TypeError, KeyError) as error:  # of another version, say
            facts = {"file": str(self._file), "error": repr(error)}
            log.warning("what was found out about a job is damaged: it is asked again", extra=facts)
            return Found()

    def _write(self, found: Found) -> None:
        told = asdict(found) | {"torn": sorted(found.torn)}
        with closing(PartFile(self._folder)) as part:
            part.write(json.dumps(told).encode())
            part.place(self._file)
        sync(self._folder)
