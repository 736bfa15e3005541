"""Fetching: a job's files, under the names that a user gave them; all of them, or none."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from coordinator.output_files import ending_of

from .output_names import is_pattern
from .problems import problems_of
from .unpacking import unpack

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coordinator.job import Job, Output

    from .client import FarmClient
    from .output_names import OutputName
    from .preparation import OutputFiles


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedFile:
    """A finished file. A pattern's facts (`frames/%05d.png`) are those of all its pictures."""

    path: Path
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What has come: the facts of the job's film, and of each file, in the order of their names."""

    output: Output
    files: tuple[RenderedFile, ...]


async def fetch(farm: FarmClient, job_id: str, files: OutputFiles) -> Fetched:
    """Bring a finished job's files here; they come last, so that with them all is there.

    Raises:
        InvalidRequestError: a name does not fit to anything that the job has made.
        FarmError, OSError: as `FarmClient.download`.

    """
    job = await farm.get(job_id)
    made = _matched(files.wanted, job)
    if files.manifest is not None:
        await farm.download_manifest(job_id, files.manifest)
    for name in filter(is_pattern, files.wanted):
        await asyncio.to_thread(name.path.parent.mkdir, exist_ok=True)
    parts: list[Path] = []
    with ExitStack() as stack:
        for name, stored in zip(files.wanted, made, strict=True):
            folder = tempfile.TemporaryDirectory(prefix=".framefarm-", dir=name.path.parent)
            parts.append(Path(stack.enter_context(folder), "part"))
            if job.spec.outputs:
                await farm.download_file(job_id, stored, parts[-1])
            else:
                await farm.download(job_id, parts[-1])
        facts = {file.name: file for file in job.output.files} if job.output else {}
        come: list[RenderedFile] = []
        for part, name, stored in zip(parts, files.wanted, made, strict=True):
            await _land(part, name)
            told = facts.get(stored) or job.output
            assert told is not None
            come.append(
                RenderedFile(path=name.path, size_bytes=told.size_bytes, sha256=told.sha256)
            )
    assert job.output is not None
    return Fetched(output=job.output, files=tuple(come))


async def _land(part: Path, name: OutputName) -> None:
    if is_pattern(name):
        await unpack(part, name.path)
    else:
        await asyncio.to_thread(part.replace, name.path)


def _matched(wanted: Sequence[OutputName], job: Job) -> list[str]:
    """What the farm calls each: of several files of a kind, the first that is left."""
    spec = job.spec
    kinds = [ending_of(file, spec.settings) for file in spec.files]
    left = {f"{index}.{kind}": kind for index, kind in enumerate(kinds)}
    found: list[str] = []
    with problems_of("output"):
        for name in wanted:
            fitting = next((each for each, kind in left.items() if kind == name.kind), None)
            if fitting is None:
                made = " or ".join(dict.fromkeys(kinds))
                raise ValueError(
                    f"{name} is no name for the {made} file that job {job.id} has made"
                )
            found.append(fitting)
            del left[fitting]
    return found
