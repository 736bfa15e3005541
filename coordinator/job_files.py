"""JobFiles: the port to what a coordinator keeps of its jobs, and a folder for it."""

from __future__ import annotations

import asyncio
import logging
import re
import shutil
from collections import Counter
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from executors.errors import StorageError

from .job import JobState
from .output_files import path_of
from .workplace import sweep_workplaces

if TYPE_CHECKING:
    from collections.abc import (
        AsyncGenerator,
        Awaitable,
        Collection,
        Generator,
        Mapping,
        Sequence,
    )

    from .artifacts.base import Artifact
    from .artifacts.shelf import Shelf
    from .job import Job
    from .stores.base import JobStore


log = logging.getLogger(__name__)

_MADE_IN: Final = re.compile(r"[^.]+\.t(\d+)\.")
PREVIEWS: Final = "previews"  # a folder beside those of outputs and chunks


class JobFiles(Protocol):
    """Where the files of jobs stand, and how they go. Jobs does nothing else with the disk.

    What a job makes bears the `term` in which it is made. Which of them are the job's, its row in
    the database says: what is made by a coordinator that was followed has a name that nobody reads.
    """

    @property
    def term(self) -> int:
        """Of what is made now; 0: it bears none."""
        ...

    def output(self, job: Job) -> Path:
        """The video: the one that the job has, or else the one that it would make now."""
        ...

    def manifest(self, job: Job) -> Path: ...

    def pictures(self, job: Job) -> Path:
        """The folder with what shows why a job failed."""
        ...

    def chunks(self, job_id: str) -> Path:
        """The folder with the chunks that are finished, until the job has ended."""
        ...

    def read(self, path: Path, *, offset: int) -> AsyncGenerator[bytes]:
        """The bytes of a file of an ended job, from `offset` on."""
        ...

    async def begun(self) -> Collection[str]:
        """The ids of the jobs that chunks are kept of."""
        ...

    async def sweep(self, ended: Collection[str], begun: Collection[str] = ()) -> None:
        """Remove the chunks of jobs that have ended, and what killed processes left half-made.

        And what they have made of jobs that have begun and not ended: it is made again.
        """
        ...

    async def forget_chunks(self, job_id: str) -> None: ...

    async def discard_outputs(self, job: Job) -> None:
        """Remove what has been made of a job that has ended and is not its own, in any term."""
        ...

    async def delete(self, job_id: str) -> None:
        """Remove everything that is kept of a job."""
        ...

    async def kept(self, *, before: datetime) -> Mapping[str, Collection[Path]]:
        """What is kept of each job, by its id: of those all of whose is older than `before`."""
        ...

    async def forget_needless(self, job: Job, kept: Collection[Path]) -> None:
        """Of what is kept of a job that has ended, remove what it needs no more, if any is."""
        ...

    async def sizes(self) -> Mapping[str, int]:
        """How many bytes are kept of each job."""
        ...


class FolderJobFiles:
    """JobFiles below a shelf's root, in `outputs` and `chunks`; and wherever the shelf keeps them.

    Raises:
        StorageError: from calls that wait, but for those that only let go: the place where they
            are kept cannot be reached.

    """

    def __init__(self, shelf: Shelf, *, term: int | None = None) -> None:
        self._shelf = shelf
        self._term = term
        self._outputs = shelf.root / "outputs"
        self._chunks = shelf.root / "chunks"
        self._previews = shelf.root / PREVIEWS

    @property
    def term(self) -> int:
        return self._term or 0

    def output(self, job: Job) -> Path:
        return self._outputs / f"{self._stem(job)}.{job.spec.ending}"

    def manifest(self, job: Job) -> Path:
        return self._outputs / f"{self._stem(job)}.manifest.jsonl"

    def pictures(self, job: Job) -> Path:
        return self._outputs / f"{self._stem(job)}.pictures"

    def _stem(self, job: Job) -> str:
        term = self.term
        if job.output:
            term = job.output.term
        elif job.error and job.error.pictures:
            term = job.error.term
        return f"{job.id}.t{term}" if term else job.id

    def chunks(self, job_id: str) -> Path:
        return self._chunks / job_id

    def read(self, path: Path, *, offset: int) -> AsyncGenerator[bytes]:
        return self._shelf.read(path, offset=offset)

    async def begun(self) -> Collection[str]:
        return {folder.name for folder in await self._shelf.folders_in(self._chunks)}

    async def sweep(self, ended: Collection[str], begun: Collection[str] = ()) -> None:
        await asyncio.to_thread(self._sweep)
        for job_id in ended:
            await self._shelf.forget_folder(self._chunks / job_id)
        for job_id in begun:
            made = await self._shelf.files_in(self._outputs, beginning=f"{job_id}.t")
            await self._shelf.forget(*(path for path in made if self._is_earlier(path)))

    def _is_earlier(self, path: Path) -> bool:
        """Whether an earlier coordinator has made it. A later one may be at work, too."""
        made_in = _MADE_IN.match(path.relative_to(self._outputs).parts[0])
        return made_in is not None and int(made_in[1]) < self.term

    async def forget_chunks(self, job_id: str) -> None:
        with _in_time(job_id):  # or when a coordinator starts: `sweep`
            await self._shelf.forget_folder(self.chunks(job_id))

    async def discard_outputs(self, job: Job) -> None:
        own = self._own(job)
        with _in_time(job.id):  # or with the job
            made = await self._shelf.files_in(self._outputs, beginning=f"{job.id}.")
            await self._shelf.forget(*(path for path in made if not own & {path, path.parent}))
            await asyncio.to_thread(_remove_folders, set(self._outputs.glob(f"{job.id}.*")) - own)

    def _own(self, job: Job) -> set[Path]:
        """What a job that has ended has made, by what it says: files, or a folder of pictures."""
        if job.output is None:
            return {self.pictures(job)} if job.error and job.error.pictures else set()
        output, spec = self.output(job), job.spec
        made = {path_of(output, n, file, spec.settings) for n, file in enumerate(spec.files)}
        return made | {self.manifest(job)}

    async def delete(self, job_id: str) -> None:
        await self._shelf.forget_folder(self._previews / job_id)
        await self._shelf.forget_folder(self.chunks(job_id))
        await self._shelf.forget_named(self._outputs, f"{job_id}.")

    async def kept(self, *, before: datetime) -> Mapping[str, Collection[Path]]:
        found = [(path, artifact.modified_at) for path, artifact in await self._all()]
        found += await asyncio.to_thread(self._folders)
        young = {self._job_id(path) for path, modified_at in found if modified_at >= before}
        kept = dict[str, set[Path]]()
        for path, _ in found:
            if (job_id := self._job_id(path)) not in young:
                kept.setdefault(job_id, set()).add(path)
        return kept

    async def forget_needless(self, job: Job, kept: Collection[Path]) -> None:
        own, chunks = self._own(job), self.chunks(job.id)
        if any(chunks in (path, *path.parents) for path in kept):
            await self.forget_chunks(job.id)
        made = {path for path in kept if path.is_relative_to(self._outputs)}
        if any(not own & {path, path.parent} for path in made):
            await self.discard_outputs(job)

    async def sizes(self) -> Mapping[str, int]:
        sizes = Counter[str]()
        for path, artifact in await self._all():
            sizes[self._job_id(path)] += artifact.size_bytes
        return sizes

    async def _all(self) -> list[tuple[Path, Artifact]]:
        """The files of all jobs, below `outputs` and `chunks`, here and where they are kept."""
        return [
            (path, artifact)
            for top in (self._outputs, self._chunks)
            for path, artifact in (await self._shelf.files_in(top)).items()
        ]

    def _job_id(self, path: Path) -> str:
        """Whose file it is; nobody's has a dot in front, or a name of no job's."""
        return path.relative_to(self._shelf.root).parts[1].partition(".")[0]

    def _folders(self) -> list[tuple[Path, datetime]]:
        """The folders of jobs: a killed process may have left them empty."""
        return [
            (path, datetime.fromtimestamp(path.stat().st_mtime, UTC))
            for top in (self._outputs, self._chunks, self._previews)
            if top.is_dir()
            for path in top.iterdir()
            if path.is_dir() and not path.name.startswith(".")
        ]

    def _sweep(self) -> None:
        for folder in (self._outputs, self._chunks):
            folder.mkdir(exist_ok=True)
        sweep_workplaces(self._outputs, term=self._term)


@contextmanager
def _in_time(job_id: str) -> Generator[None]:
    """Let go of what would go later, too: a store that is down keeps no job from ending."""
    try:
        yield
    except StorageError as error:
        log.warning("files not removed yet", extra={"job_id": job_id, "why": str(error)})


async def swept(files: JobFiles, store: JobStore) -> Sequence[Job]:
    """The unfinished jobs; of others no chunks are left, nor what killed processes left half-made.

    What stands there is looked up first: a job that has ended then stays so, however late the rest
    is done. One that comes later has nothing there yet, and may be another coordinator's.
    """
    begun: Collection[str] = ()
    with _in_time("all"):
        begun = await files.begun()
    unfinished = await store.unfinished()
    ended = set(begun) - {job.id for job in unfinished}
    going_on = {job.id for job in unfinished if job.state is not JobState.ABORTING}
    await tidied(files.sweep(ended, going_on & set(begun)))
    return unfinished


async def tidy(files: JobFiles, job: Job) -> None:
    """Remove what a job that has just ended needs no more."""
    if job.output is None:
        await tidied(files.discard_outputs(job))
    await tidied(files.forget_chunks(job.id))


async def tidied(removing: Awaitable[None]) -> None:
    """Remove files; those that cannot be removed now are swept some other time."""
    try:
        await removing
    except (OSError, StorageError) as error:
        log.warning("files not removed", extra={"error": str(error)})


def _remove_folders(paths: Collection[Path]) -> None:
    for path in paths:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
