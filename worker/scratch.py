"""Scratch: a folder for chunk files on their way out, and what keeps it from growing."""

from __future__ import annotations

import asyncio
import logging
import shutil
import tempfile
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from executors.errors import StorageFullError
from executors.storage import storing
from executors.tasks import task_group

from .living import is_abandoned, marked
from .sound_shelf import SHELF_BYTES

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator

log = logging.getLogger(__name__)

_PREFIX: Final = "framefarm-worker-"
_MARK: Final = "in-use"
# A chunk file grows by some MiB a second.
WATCH_INTERVAL_S: Final = 1.0


class Scratch:
    """Where chunk files stand until they are sent.

    Each may hold `chunk_bytes`; `sound_bytes` are for what the pages were heard from.
    """

    def __init__(
        self, root: Path, *, chunk_bytes: int | None = None, sound_bytes: int = SHELF_BYTES
    ) -> None:
        self.root = root
        self.sound_bytes = sound_bytes
        self._chunk_bytes = chunk_bytes

    @contextmanager
    def folder(self) -> Generator[Path]:
        """A folder for one chunk, for as long as the block.

        Raises:
            StorageFullError: the disk is full.

        """
        with (
            storing(self.root),
            tempfile.TemporaryDirectory(dir=self.root, ignore_cleanup_errors=True) as folder,
        ):
            yield Path(folder)

    @asynccontextmanager
    async def watched(self, folder: Path) -> AsyncGenerator[None]:
        """Watch what the block writes there.

        Raises:
            StorageFullError: it has outgrown what a chunk may hold.

        """
        async with task_group() as group:
            watching = group.create_task(self._watch(folder), name="watch-scratch")
            yield
            watching.cancel()

    async def _watch(self, folder: Path) -> None:
        while self._chunk_bytes is not None:
            held = await asyncio.to_thread(_held_bytes, folder)
            if held > self._chunk_bytes:
                raise StorageFullError(
                    f"the chunk's files have {held >> 20} MiB, and may have "
                    f"{self._chunk_bytes >> 20}: give the worker more (--scratch), or cut the job "
                    "into shorter chunks"
                )
            await asyncio.sleep(WATCH_INTERVAL_S)


@contextmanager
def open_scratch(
    *, limit_bytes: int | None = None, slots: int = 1, parent: Path | None = None
) -> Generator[Scratch]:
    """Scratch for as long as the block; what workers that were killed left beside it goes first.

    Of a limit, a quarter is for sounds, and the rest for the chunks of the slots, evenly: two each,
    for one may be encoded, or wait for its caller, while the next one is filmed.
    """
    parent = parent or Path(tempfile.gettempdir())
    _sweep(parent)
    with (
        tempfile.TemporaryDirectory(dir=parent, prefix=_PREFIX) as folder,
        marked(Path(folder, _MARK)),
    ):
        if limit_bytes is None:
            yield Scratch(Path(folder))
        else:
            sound_bytes = min(SHELF_BYTES, limit_bytes // 4)
            chunk_bytes = (limit_bytes - sound_bytes) // (2 * slots)
            yield Scratch(Path(folder), chunk_bytes=chunk_bytes, sound_bytes=sound_bytes)


def _sweep(parent: Path) -> None:
    for folder in parent.glob(f"{_PREFIX}*"):
        if is_abandoned(folder / _MARK):
            log.info("removing what a killed worker left", extra={"folder": str(folder)})
            shutil.rmtree(folder, ignore_errors=True)


def _held_bytes(folder: Path) -> int:
    held = 0
    for file in folder.rglob("*"):
        try:
            held += file.stat().st_size if file.is_file() else 0
        except FileNotFoundError:  # sent meanwhile
            continue
    return held
