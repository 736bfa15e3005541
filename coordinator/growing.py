"""A film that grows: what there is of it while it is rendered, and who looks at that."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from renderer.audio.heard import merged

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from renderer.audio.passages import SoundReport, SoundSource

    from .chunk_files import ChunkFiles
    from .job import Event
    from .planner import Plan
    from .soundtrack import Soundtrack

    OnEvent = Callable[[Event], None]


class GrowingFilm(Protocol):
    """The finished chunks of a plan, and their sound."""

    def chunk(self, index: int) -> Path:
        """Where a chunk stands that is rendered."""
        ...

    async def may_sound(self) -> bool:
        """Whether something may be heard. To be asked when the first chunk is rendered."""
        ...

    async def mix(self, index: int, samples: range, folder: Path) -> Path:
        """Mix samples of the film, by what its chunks up to this one tell. All are rendered.

        Raises:
            EncoderError: they cannot be mixed.

        """
        ...


class PlanFollower(Protocol):
    """What looks at a plan's chunks while it runs: a preview."""

    def following(
        self, plan: Plan, film: GrowingFilm, on_event: OnEvent
    ) -> AbstractAsyncContextManager[OnEvent]:
        """Follow a plan by the events that the block tells to what it is given.

        `on_event` is told them, too.
        """
        ...


class FilmSoFar:
    """The film of a job that runs: chunks by their files, and sounds by the chunks' notes."""

    def __init__(
        self,
        plan: Plan,
        files: ChunkFiles,
        soundtrack: Soundtrack,
        file_of: Callable[[SoundSource], Path],
    ) -> None:
        self._plan = plan
        self._files = files
        self._soundtrack = soundtrack
        self._file_of = file_of
        self._reports: dict[int, SoundReport | None] = {}

    def chunk(self, index: int) -> Path:
        return self._files.path(self._plan.tasks[index])

    async def may_sound(self) -> bool:
        return bool(self._plan.spec.audio) or await self._report(0) is not None

    async def mix(self, index: int, samples: range, folder: Path) -> Path:
        tasks = self._plan.tasks[: index + 1]
        reports = [(task.frames, await self._report(task.index)) for task in tasks]
        heard = merged(reports, self._plan.spec.settings.frame_rate)
        return await self._soundtrack.mix_part(heard, self._file_of, samples, folder)

    async def _report(self, index: int) -> SoundReport | None:
        if index not in self._reports:
            told = self._files.sounds_of(self._plan.tasks[index])
            self._reports[index] = await asyncio.to_thread(told)
        return self._reports[index]
