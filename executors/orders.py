"""Orders: what a fleet is asked to have done, by whichever worker."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol, TypeVar

from renderer.composition import BundleEntry
from renderer.settings import History

from .scheduling.values import Offer

if TYPE_CHECKING:
    from pathlib import Path

    from renderer.history import ProbeResult

    from .base import ChunkResult, ChunkTask, OnProgress
    from .worker_port import Token, WorkerPort

T_co = TypeVar("T_co", covariant=True)


class AttemptFiles(Protocol):
    """Where the files of attempts stand, until one of them becomes the chunk's."""

    def path(self, output: Path, token: Token) -> Path: ...

    async def accept(self, path: Path, output: Path) -> None:
        """Make an attempt's file the chunk's."""
        ...

    async def discard(self, path: Path) -> None:
        """Remove a file, if it is there."""
        ...


class FilesOnDisk:
    """Attempts' files stand beside the chunk's.

    They bear the term of who fetches them, too: a coordinator takes up what an earlier one began,
    and that one, which may not know yet, must not take the file away.
    """

    def __init__(self, *, term: int = 0) -> None:
        self._term = term

    def path(self, output: Path, token: Token) -> Path:
        return output.with_name(f".{self._term}-{token.term}-{token.attempt}.{output.name}")

    async def accept(self, path: Path, output: Path) -> None:
        await asyncio.to_thread(path.replace, output)

    async def discard(self, path: Path) -> None:
        await asyncio.to_thread(path.unlink, missing_ok=True)


class Order(Protocol[T_co]):
    """A task, and how an attempt at it is made. Others may be made at the same time."""

    @property
    def task(self) -> ChunkTask: ...

    @property
    def on_progress(self) -> OnProgress: ...

    def offer(self, number: int) -> Offer:
        """What a scheduler has to know of it."""
        ...

    async def render(self, worker: WorkerPort, token: Token, on_progress: OnProgress) -> T_co:
        """Make an attempt; raises ExecutorErrors."""
        ...

    async def attach(self, worker: WorkerPort, token: Token, on_progress: OnProgress) -> T_co:
        """Take up an attempt that the worker has already; raises ExecutorErrors."""
        ...

    async def accept(self, token: Token) -> None:
        """Keep what an attempt has made."""
        ...

    async def discard(self, token: Token) -> None:
        """Remove what an attempt has made, if anything."""
        ...

    async def undo(self) -> None:
        """Remove what was kept, if anything."""
        ...


class ChunkOrder:
    """A chunk, whose file is to stand at `output`."""

    def __init__(
        self, task: ChunkTask, output: Path, files: AttemptFiles, *, on_progress: OnProgress
    ) -> None:
        self.task = task
        self.on_progress = on_progress
        self._output = output
        self._files = files

    def offer(self, number: int) -> Offer:
        return _offer(self.task, number)

    async def render(
        self, worker: WorkerPort, token: Token, on_progress: OnProgress
    ) -> ChunkResult:
        path = self._files.path(self._output, token)
        return await worker.render(_named(self.task, token), path, on_progress=on_progress)

    async def attach(
        self, worker: WorkerPort, token: Token, on_progress: OnProgress
    ) -> ChunkResult:
        path = self._files.path(self._output, token)
        return await worker.attach(_named(self.task, token), path, on_progress=on_progress)

    async def accept(self, token: Token) -> None:
        await self._files.accept(self._files.path(self._output, token), self._output)

    async def discard(self, token: Token) -> None:
        await self._files.discard(self._files.path(self._output, token))

    async def undo(self) -> None:
        await self._files.discard(self._output)


class ProbeOrder:
    """A page that is to be probed. What a probe finds is no file, and no probe is taken up."""

    def __init__(self, task: ChunkTask) -> None:
        self.task = task

    def on_progress(self, event: object) -> None:
        """A probe has no place in a job's progress."""

    def offer(self, number: int) -> Offer:
        return replace(_offer(self.task, number), is_attachable=False)

    async def render(
        self, worker: WorkerPort, token: Token, on_progress: OnProgress
    ) -> ProbeResult:
        del on_progress
        return await worker.probe(_named(self.task, token))

    async def attach(
        self, worker: WorkerPort, token: Token, on_progress: OnProgress
    ) -> ProbeResult:
        return await self.render(worker, token, on_progress)

    async def accept(self, token: Token) -> None: ...

    async def discard(self, token: Token) -> None: ...

    async def undo(self) -> None: ...


def digest_of(task: ChunkTask) -> str | None:
    return task.composition.digest if isinstance(task.composition, BundleEntry) else None


def _offer(task: ChunkTask, number: int) -> Offer:
    return Offer(
        number=number,
        job_id=task.job_id,
        index=task.index,
        start=task.frames.start,
        frames=len(task.frames),
        digest=digest_of(task),
        share=task.share,
        fits=task.fits,
        first_attempt=task.attempt,
        keeps_page=task.has_successor,
        is_played=task.settings.history is History.STATEFUL,
        avoid=task.avoid,
    )


def _named(task: ChunkTask, token: Token) -> ChunkTask:
    return replace(task, term=token.term, attempt=token.attempt)
