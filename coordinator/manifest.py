"""The manifest of a video's frames: a line of JSON for each, its digest and who rendered it."""

from __future__ import annotations

import asyncio
import hashlib
import json
from typing import TYPE_CHECKING

from .job import StoredFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from executors.base import ChunkResult, ChunkTask


async def write_manifest(
    path: Path, tasks: Iterable[ChunkTask], results: Iterable[ChunkResult]
) -> StoredFile:
    """Write the manifest of a plan's frames; it has its name when it is whole."""
    return await asyncio.to_thread(_write, path, tasks, results)


def _write(path: Path, tasks: Iterable[ChunkTask], results: Iterable[ChunkResult]) -> StoredFile:
    part = path.with_suffix(".part")
    sha256, size_bytes = hashlib.sha256(), 0
    with part.open("wb") as file:
        for line in manifest_lines(tasks, results):
            data = line.encode()
            sha256.update(data)
            size_bytes += len(data)
            file.write(data)
    part.replace(path)
    return StoredFile(size_bytes=size_bytes, sha256=sha256.hexdigest())


def manifest_lines(tasks: Iterable[ChunkTask], results: Iterable[ChunkResult]) -> Iterator[str]:
    """A line for each frame, in order. `digest` (XXH3) is "" where the executor did not tell it."""
    for task, result in zip(tasks, results, strict=True):
        digests = result.frame_digests or ("",) * len(task.frames)
        for frame, digest in zip(task.frames, digests, strict=True):
            fields = {
                "frame": frame,
                "digest": digest,
                "chunk": task.index,
                "worker": result.worker,
                "attempt": result.attempt,
                "strategy": result.strategy,
            }
            yield json.dumps(fields) + "\n"
