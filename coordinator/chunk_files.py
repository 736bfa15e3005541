"""ChunkFiles: the finished chunks of a job, in a folder that outlives a coordinator's process."""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from executors.base import ChunkResult
from renderer.audio.passages import SOUNDS, SoundReport
from renderer.bundle import sha256_of
from renderer.composition import is_digest
from renderer.encode.recipe import chunk_recipe

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from executors.base import ChunkTask


log = logging.getLogger(__name__)


class ChunkFiles:
    """A chunk counts as finished once its note stands beside it; the note is written last.

    A note names the frames that its chunk holds, and how they were reached, so that another plan
    (of another version, or after another probe) takes none of them.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, task: ChunkTask) -> Path:
        return self._folder / f"chunk-{task.index:06}.{chunk_recipe(task.settings).container}"

    def sound(self, sha256: str) -> Path:
        """Where a file stands that a chunk's page is heard from."""
        if not is_digest(sha256):
            raise ValueError(f"not a digest: {sha256!r}")
        return self._folder / SOUNDS / sha256

    async def keep(self, task: ChunkTask, result: ChunkResult) -> None:
        """Note that the chunk's file is finished and verified."""
        await asyncio.to_thread(self._keep, task, result)

    async def finished(self, tasks: Iterable[ChunkTask]) -> dict[int, ChunkResult | None]:
        """What became of the chunks in an earlier process, where their files are what they were."""
        return await asyncio.to_thread(lambda: {each.index: self._finished(each) for each in tasks})

    async def drop(self, tasks: Iterable[ChunkTask]) -> None:
        """Let the chunks count as finished no more."""
        await asyncio.to_thread(self._drop, tasks)

    def _drop(self, tasks: Iterable[ChunkTask]) -> None:
        for task in tasks:
            self._note(task).unlink(missing_ok=True)

    def _keep(self, task: ChunkTask, result: ChunkResult) -> None:
        facts = {name: fact for name, fact in asdict(result).items() if name != "edges"}
        note = {"made": _made(task), "result": facts}
        part = self._note(task).with_suffix(".part")
        part.write_text(json.dumps(note), encoding="utf-8")
        part.replace(self._note(task))

    def _finished(self, task: ChunkTask) -> ChunkResult | None:
        try:
            made, result = _read(self._note(task))
            sha256 = sha256_of(self.path(task))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, KeyError, AttributeError) as error:  # a power cut, say
            log.warning(
                "a finished chunk's note is damaged: the chunk is rendered again",
                extra={"job_id": task.job_id, "chunk": task.index, "error": repr(error)},
            )
            return None
        sounds = result.sounds.handed_over if result.sounds else ()
        is_heard = all(self.sound(source.sha256).exists() for source in sounds)
        is_whole = made == _made(task) and result.sha256 == sha256 and is_heard
        return result if is_whole else None

    def _note(self, task: ChunkTask) -> Path:
        return self.path(task).with_suffix(".json")


def _made(task: ChunkTask) -> Any:
    return [task.frames.start, task.frames.stop, task.settings.history.value]


def _read(note: Path) -> tuple[Any, ChunkResult]:
    told = json.loads(note.read_text(encoding="utf-8"))
    facts = {name: _frozen(value) for name, value in told["result"].items()}
    if facts.get("sounds") is not None:
        facts["sounds"] = SoundReport.parse(facts["sounds"])
    return told["made"], ChunkResult(**facts)


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value  # JSON knows no tuples
