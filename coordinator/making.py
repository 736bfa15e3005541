"""Making: chunk files and a mix → all the files of a job. None has its name before all are good."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from executors.tasks import task_group
from renderer.bundle import sha256_of
from renderer.encode.choices import container_of, size_problem
from renderer.errors import EncoderError

from .assembler import make
from .assembly import Assembly, Workbench, concat_list
from .extras import Extras
from .job import Output, StoredOutput
from .output_files import FilmFile, SoundFile, StillFile, holds_sound, path_of
from .sound_file import SoundWish, write_sound
from .stills import cut_out

if TYPE_CHECKING:
    from collections.abc import Sequence

    from renderer.settings import RenderSettings

    from .assembly import ChunkFile
    from .job import JobSpec
    from .output_files import OutputFile

# Each has an encoder with threads of its own.
_AT_ONCE: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What a job's files are made of: its chunks, encoded as `settings` say, and its mix.

    `sound` is what a sound file holds, if there is to be one: the mix, or silence.
    """

    chunks: tuple[ChunkFile, ...]
    settings: RenderSettings
    size_px: tuple[int, int]
    mix: Path | None
    sound: Path | None
    extras: Extras
    ffmpeg: Path
    ffprobe: Path


async def make_files(
    material: Material, files: Sequence[OutputFile], output: Path, *, workplace: Path
) -> tuple[Path, ...]:
    """Make every file; the first stands at `output` then, and the others beside it.

    They are made in a folder on the same disk, `workplace`.

    Raises:
        EncoderError: a chunk cannot be read, or a file is not what it should be.
        MissingToolError: ffmpeg or ffprobe cannot be started.

    """
    # Names and short lists: touched here and not in a thread, which a cancel would leave behind.
    with tempfile.TemporaryDirectory(prefix="assembly-", dir=workplace) as folder:
        slots = asyncio.Semaphore(_AT_ONCE)
        benches = [_bench(material, Path(folder, str(index))) for index in range(len(files))]
        async with task_group() as group:
            for index, file in enumerate(files):
                making = _make(material, file, benches[index], slots)
                group.create_task(making, name=f"make-file-{index}")
        paths = tuple(
            path_of(output, index, file, material.settings) for index, file in enumerate(files)
        )
        for bench, path in zip(benches, paths, strict=True):
            _made(bench).replace(path)
    return paths


def _bench(material: Material, folder: Path) -> Workbench:
    folder.mkdir()
    return Workbench(
        ffmpeg=material.ffmpeg,
        ffprobe=material.ffprobe,
        folder=folder,
        listing=folder / "chunks.txt",
    )


def _made(bench: Workbench) -> Path:
    return bench.folder / "made"


async def _make(
    material: Material, file: OutputFile, bench: Workbench, slots: asyncio.Semaphore
) -> None:
    async with slots:
        if isinstance(file, SoundFile):
            assert material.sound is not None
            wish = SoundWish(kind=file.kind, metadata=material.extras.metadata)
            await write_sound(material.sound, wish, _made(bench), bench)
            return
        assembly = await _assembly(material, file, bench)
        bench.listing.write_text(concat_list(assembly), encoding="utf-8")
        await make(assembly, _made(bench), bench)


async def _assembly(material: Material, file: FilmFile | StillFile, bench: Workbench) -> Assembly:
    kept, chunks = material.settings, material.chunks
    width_px, height_px = material.size_px
    if isinstance(file, StillFile):
        chunks = (await cut_out(file.frame, chunks, kept, bench),)
    settings = file.encoding.within(kept)
    if problem := size_problem(settings, material.size_px):
        raise EncoderError(f"a {container_of(settings)} file of {problem}")
    return Assembly(
        chunks=chunks,
        settings=settings,
        kept=kept,
        width_px=width_px,
        height_px=height_px,
        sound=material.mix if holds_sound(file, kept) else None,
        extras=material.extras if isinstance(file, FilmFile) else Extras(),
    )


async def facts_of(spec: JobSpec, paths: Sequence[Path], size_px: tuple[int, int]) -> Output:
    """What there is to tell of finished files: above all of the first."""
    made = [await _stored(index, path) for index, path in enumerate(paths)]
    width_px, height_px = size_px
    return Output(
        size_bytes=made[0].size_bytes,
        sha256=made[0].sha256,
        frames=1 if isinstance(spec.files[0], StillFile) else len(spec.frames),
        width_px=width_px,
        height_px=height_px,
        files=tuple(made) if spec.outputs else (),
    )


async def _stored(index: int, path: Path) -> StoredOutput:
    sha256 = await asyncio.to_thread(sha256_of, path)
    name = f"{index}{path.suffix}"
    return StoredOutput(name=name, size_bytes=path.stat().st_size, sha256=sha256)
