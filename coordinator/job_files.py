"""JobFiles: the port to what a coordinator keeps of its jobs, and a folder for it."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from .output_files import path_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import datetime

    from .job import Job


class JobFiles(Protocol):
    """Where the files of jobs stand, and how they go. Jobs does nothing else with the disk."""

    def output(self, job: Job) -> Path:
        """The video."""
        ...

    def manifest(self, job_id: str) -> Path: ...

    def pictures(self, job_id: str) -> Path:
        """The folder with what shows why a job failed."""
        ...

    def chunks(self, job_id: str) -> Path:
        """The folder with the chunks that are finished, until the job has ended."""
        ...

    async def sweep(self, unfinished: Collection[str]) -> None:
        """Remove what a killed process left that none of the unfinished jobs can use."""
        ...

    async def forget_chunks(self, job_id: str) -> None: ...

    async def discard_output(self, job: Job) -> None:
        """Remove the files that a job has made which did not succeed; not its pictures."""
        ...

    async def delete(self, job_id: str) -> None:
        """Remove everything that is kept of a job."""
        ...

    async def kept(self, *, before: datetime) -> Collection[str]:
        """The ids of the jobs that something is kept of, all of it older than `before`."""
        ...

    async def size_bytes(self) -> int:
        """How much the files of all jobs have, together."""
        ...


class FolderJobFiles:
    """JobFiles in a data directory: `outputs` and `chunks`."""

    def __init__(self, data_dir: Path) -> None:
        self._outputs = data_dir / "outputs"
        self._chunks = data_dir / "chunks"

    def output(self, job: Job) -> Path:
        return self._outputs / f"{job.id}.{job.spec.ending}"

    def manifest(self, job_id: str) -> Path:
        return self._outputs / f"{job_id}.manifest.jsonl"

    def pictures(self, job_id: str) -> Path:
        return self._outputs / f"{job_id}.pictures"

    def chunks(self, job_id: str) -> Path:
        return self._chunks / job_id

    async def sweep(self, unfinished: Collection[str]) -> None:
        await asyncio.to_thread(self._sweep, unfinished)

    async def forget_chunks(self, job_id: str) -> None:
        # It may have made none.
        await asyncio.to_thread(shutil.rmtree, self.chunks(job_id), ignore_errors=True)

    async def discard_output(self, job: Job) -> None:
        output, spec = self.output(job), job.spec
        made = (path_of(output, n, file, spec.settings) for n, file in enumerate(spec.files))
        for path in (*made, self.manifest(job.id)):
            await asyncio.to_thread(path.unlink, missing_ok=True)

    async def delete(self, job_id: str) -> None:
        await asyncio.to_thread(self._delete, job_id)

    async def kept(self, *, before: datetime) -> Collection[str]:
        return await asyncio.to_thread(self._kept, before.timestamp())

    async def size_bytes(self) -> int:
        return await asyncio.to_thread(self._size_bytes)

    def _discard_output(self, job_id: str) -> None:
        for path in self._outputs.glob(f"{job_id}.*"):
            if path != self.pictures(job_id) and path.is_file():
                path.unlink(missing_ok=True)

    def _delete(self, job_id: str) -> None:
        for path in self._files_of(job_id):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)

    def _files_of(self, job_id: str) -> Iterator[Path]:
        for path in self._outputs.iterdir():
            if _job_id(path) == job_id:
                yield path
        if self.chunks(job_id).exists():
            yield self.chunks(job_id)

    def _kept(self, before_s: float) -> Collection[str]:
        paths = [*self._outputs.iterdir(), *self._chunks.iterdir()]
        ids = {_job_id(path) for path in paths if path.stat().st_mtime < before_s}
        return ids - {_job_id(path) for path in paths if path.stat().st_mtime >= before_s}

    def _size_bytes(self) -> int:
        return sum(
            Path(folder, name).stat().st_size
            for top in (self._outputs, self._chunks)
            for folder, _, names in os.walk(top)
            for name in names
        )

    def _sweep(self, unfinished: Collection[str]) -> None:
        for folder in (self._outputs, self._chunks):
            folder.mkdir(exist_ok=True)
        half_made = self._outputs.glob(".*")
        useless = (each for each in self._chunks.iterdir() if each.name not in unfinished)
        for folder in [*half_made, *useless]:
            if folder.is_dir():  # files are not ours
                shutil.rmtree(folder)


def _job_id(path: Path) -> str:
    """Whose file it is; nobody's has a dot in front, or a name of no job's."""
    return path.name.partition(".")[0]
