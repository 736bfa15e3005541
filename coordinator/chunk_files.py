"""ChunkFiles: the finished chunks of a job, where they outlive a coordinator's process."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import os
import re
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from executors.base import ChunkResult
from executors.storage import storing
from executors.tasks import task_group
from renderer.audio.passages import MAX_SOUND_BYTES, SOUNDS, SoundReport
from renderer.bundle import sha256_of
from renderer.composition import is_digest
from renderer.durable import PartFile, is_part, sweep_parts, sync
from renderer.encode.recipe import chunk_recipe

from .artifacts.base import ArtifactNotFoundError
from .artifacts.shelf import Shelf
from .findings import Findings

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from executors.base import ChunkTask


log = logging.getLogger(__name__)

_BROUGHT_AT_ONCE: Final = 8
_TERM: Final = re.compile(r"\.+(\d+)-\d+-")  # of a file that is fetched
_OWN: Final = re.compile(r"-t(\d+)\.")  # of one that is finished


class ChunkFiles:
    """A chunk counts as finished once its note is kept beside it; the note is kept last.

    A note names the frames that its chunk holds, and how they were reached, so that another plan
    (of another version, or after another probe) takes none of them. `folder` is on the shelf, or
    by itself where no shelf is given; what the shelf keeps and the folder does not hold is brought.
    A coordinator of a later `term` may use the folder, too: what it is writing is left alone, and
    the files that each makes bear its term, so that none is replaced or removed by another.

    Raises:
        StorageError: from any call: the chunk cannot be kept, or not be brought.

    """

    def __init__(
        self, folder: Path, shelf: Shelf | None = None, *, term: int | None = None
    ) -> None:
        self._folder = folder
        self._term = term
        self._shelf = shelf or Shelf(folder)
        self._found = dict[int, str]()  # the names of files that an earlier process has finished
        self.findings = Findings(folder, shelf)
        self._sounds_kept = set[str]()  # chunks share them, and they are large:
        self._sounds_here = set[str]()  # each is put once, and read once to see if it is whole

    def path(self, task: ChunkTask) -> Path:
        """Where the chunk's file stands: an earlier term's, if that has finished it, or our own."""
        return self._folder / self._found.get(task.index, self._own_name(task))

    def _own_name(self, task: ChunkTask) -> str:
        term = "" if self._term is None else f"-t{self._term}"
        return f"{_stem(task)}{term}.{chunk_recipe(task.settings).container}"

    def sound(self, sha256: str) -> Path:
        """Where a file stands that a chunk's page is heard from."""
        if not is_digest(sha256):
            raise ValueError(f"not a digest: {sha256!r}")
        return self._folder / SOUNDS / sha256

    def sounds_of(self, task: ChunkTask) -> Callable[[], SoundReport | None]:
        """What reads what a finished chunk tells of its sound: nothing, of one that was dropped."""
        note = self._note(task)

        def read() -> SoundReport | None:
            try:
                return _read(note)[-1].sounds
            except FileNotFoundError:
                return None

        return read

    async def keep(self, task: ChunkTask, result: ChunkResult) -> None:
        """Keep the chunk's file, which is finished and verified."""
        if not result.artifact:
            await self._shelf.keep(self.path(task))
        for sha256 in _sounds(result):
            if sha256 not in self._sounds_kept:
                await self._shelf.keep(self.sound(sha256))
                self._sounds_kept.add(sha256)
        with storing(self._folder):
            await asyncio.to_thread(self._write_note, task, result)
        await self._shelf.keep(self._note(task))

    async def finished(self, tasks: Sequence[ChunkTask]) -> dict[int, ChunkResult | None]:
        """What became of the chunks in an earlier process, where their files are what they were."""
        found = await asyncio.to_thread(self._all_finished, tasks)
        if self._shelf.is_here:
            return found
        kept = await self._shelf.kept_in(self._folder)
        slots = asyncio.Semaphore(_BROUGHT_AT_ONCE)
        async with task_group() as group:
            for task in tasks:
                if (self._note(task).name in kept) is not (found[task.index] is not None):
                    settling = self._settle(task, found, slots)
                    group.create_task(settling, name=f"settle-chunk-{task.index}")
        return found

    async def drop(self, tasks: Sequence[ChunkTask]) -> None:
        """Let the chunks count as finished no more."""
        for task in tasks:
            self._found.pop(task.index, None)
        await self._shelf.forget(*map(self._note, tasks))

    async def _settle(
        self, task: ChunkTask, found: dict[int, ChunkResult | None], slots: asyncio.Semaphore
    ) -> None:
        """Have kept what is only here; bring what is only kept."""
        async with slots:
            if here := found[task.index]:
                await self.keep(task, replace(here, artifact=""))
            else:
                found[task.index] = await self._brought(task)

    async def _brought(self, task: ChunkTask) -> ChunkResult | None:
        try:
            await self._shelf.bring(self._note(task))
            if (result := await asyncio.to_thread(self._noted, task)) is None:
                return None
            await self._shelf.bring(self.path(task), key=result.artifact)
            for sha256 in _sounds(result):
                await self._shelf.bring(self.sound(sha256))
        except ArtifactNotFoundError as error:
            facts = {"job_id": task.job_id, "chunk": task.index, "error": str(error)}
            log.warning("a finished chunk is kept no more: it is rendered again", extra=facts)
            return None
        return await asyncio.to_thread(self._finished, task)

    def _write_note(self, task: ChunkTask, result: ChunkResult) -> None:
        facts = {name: fact for name, fact in asdict(result).items() if name != "edges"}
        note = {"made": _made(task), "file": self.path(task).name, "result": facts}
        with closing(PartFile(self._folder)) as part:
            part.write(json.dumps(note).encode())
            part.place(self._note(task))
        sync(self._folder)

    def _all_finished(self, tasks: Iterable[ChunkTask]) -> dict[int, ChunkResult | None]:
        _sweep(self._folder, self._term)
        self._sounds_here.clear()
        self._found.clear()
        found = {task.index: self._finished(task) for task in tasks}
        _sweep_files(self._folder, self._found.values(), self._term)
        return found

    def _finished(self, task: ChunkTask) -> ChunkResult | None:
        """The chunk's result, if all its files are here and are what they were."""
        result = self._noted(task)
        if result is None or not _is_whole(self.path(task), result.sha256):
            return None
        return result if all(map(self._is_sound_here, _sounds(result))) else None

    def _is_sound_here(self, sha256: str) -> bool:
        path = self.sound(sha256)
        if sha256 not in self._sounds_here:
            if not _is_kept_whole(path, sha256):
                return False
            self._sounds_here.add(sha256)
        return True

    def _noted(self, task: ChunkTask) -> ChunkResult | None:
        """What the chunk's note says, if it is here and is of this chunk."""
        self._found.pop(task.index, None)
        try:
            made, name, result = _read(self._note(task))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, KeyError, AttributeError) as error:  # a power cut, say
            log.warning(
                "a finished chunk's note is damaged: the chunk is rendered again",
                extra={"job_id": task.job_id, "chunk": task.index, "error": repr(error)},
            )
            return None
        if made != _made(task):
            return None
        container = chunk_recipe(task.settings).container
        # Without one it is an older version's. No note of ours names another folder.
        self._found[task.index] = Path(name).name or f"{_stem(task)}.{container}"
        return result

    def _note(self, task: ChunkTask) -> Path:
        return self._folder / f"{_stem(task)}.json"


def _stem(task: ChunkTask) -> str:
    return f"chunk-{task.index:06}"


def _sweep(folder: Path, term: int | None) -> None:
    """Remove what attempts of a process that was killed left unfinished."""
    for below in (folder, folder / SOUNDS):
        sweep_parts(below)
        for path in below.glob(".*"):
            if path.is_file() and not is_part(path.name) and not _is_later(path.name, term):
                path.unlink(missing_ok=True)


def _sweep_files(folder: Path, noted: Collection[str], term: int | None) -> None:
    """Remove the files of earlier terms that no note names: nobody will."""
    for path in folder.glob("chunk-*"):
        made_in = _OWN.search(path.name)
        if made_in and term is not None and int(made_in[1]) < term and path.name not in noted:
            path.unlink(missing_ok=True)


def _is_later(name: str, term: int | None) -> bool:
    """Whether a coordinator of a later term fetches this file (executors.orders.FilesOnDisk)."""
    fetched_in = _TERM.match(name)
    return term is not None and fetched_in is not None and int(fetched_in[1]) > term


def _made(task: ChunkTask) -> Any:
    return [task.frames.start, task.frames.stop, task.settings.history.value]


def _sounds(result: ChunkResult) -> list[str]:
    """The files that the chunk's page is heard from and that came with it."""
    sources = result.sounds.handed_over if result.sounds else ()
    return [source.sha256 for source in sources if source.size_bytes <= MAX_SOUND_BYTES]


def _is_whole(path: Path, sha256: str) -> bool:
    try:
        return sha256_of(path) == sha256
    except FileNotFoundError:
        return False


def _is_kept_whole(path: Path, sha256: str) -> bool:
    """Whether a file is whole. One that is not goes, or it would not be brought again."""
    try:
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() == sha256:
                return True
            # Only what was read: another coordinator may have brought it meanwhile.
            if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                path.unlink()
    except FileNotFoundError:
        pass
    return False


def _read(note: Path) -> tuple[Any, str, ChunkResult]:
    told = json.loads(note.read_text(encoding="utf-8"))
    facts = {name: _frozen(value) for name, value in told["result"].items()}
    if facts.get("sounds") is not None:
        facts["sounds"] = SoundReport.parse(facts["sounds"])
    return told["made"], str(told.get("file", "")), ChunkResult(**facts)


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value  # JSON knows no tuples
