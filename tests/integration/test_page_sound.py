"""What a worker heard of a page comes to the coordinator, with its files, and into the video."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from coordinator.job import JobState
from executors.errors import ChunkDamagedError
from executors.grpc import GrpcExecutor
from renderer.audio.passages import NANO, SOUNDS, Passage, SoundReport, SoundSource
from renderer.bundle import BundleStore, sha256_of
from renderer.renderer import RenderedChunk
from tests.support.farm import grpc_executor, running_coordinator, running_worker
from tests.support.picture_renderer import PictureRenderer
from tests.support.sounds import decode_sound, onset, tone, write_wav
from tests.support.tasks import a_spec, a_task
from worker.sound_shelf import SoundShelf


@dataclass
class SoundingRenderer(PictureRenderer):
    """Renders pictures of a page that plays `file` from `begins_s` on, whatever the chunk."""

    file: Path = Path()
    begins_s: float = 0.5
    told: dict[str, Any] = field(default_factory=dict)

    async def render(self, *given: Any, **named: Any) -> RenderedChunk:
        chunk = await super().render(*given, **named)
        folder: Path = named["output"].with_name(SOUNDS)
        folder.mkdir(exist_ok=True)
        (folder / self.report.sources[0].sha256).write_bytes(self.file.read_bytes())
        return replace(chunk, sounds=self.report)

    @property
    def report(self) -> SoundReport:
        source = SoundSource(
            sha256=sha256_of(self.file),
            name="blob:here",
            size_bytes=self.file.stat().st_size,
            duration_ns=NANO,
            is_bundled=False,
        )
        begins_ns = round(self.begins_s * NANO)
        passage = Passage(
            source=source.sha256,
            since_ns=begins_ns,
            from_ns=0,
            begins_ns=begins_ns,
            volumes=((begins_ns, 1.0),),
        )
        return SoundReport(sources=(replace(source, **self.told),), passages=(passage,) * 3)


@pytest.fixture
def renderer(tmp_path: Path) -> SoundingRenderer:
    return SoundingRenderer(file=write_wav(tmp_path / "tone.wav", tone(0.25)))


@asynccontextmanager
async def running(renderer: SoundingRenderer, folder: Path) -> AsyncGenerator[GrpcExecutor]:
    async with (
        running_worker(renderer) as worker,
        grpc_executor([worker.address], BundleStore(folder / "bundles")) as (executor, _),
    ):
        yield executor


def chunk_file(tmp_path: Path) -> Path:
    (tmp_path / "chunks").mkdir()
    return tmp_path / "chunks" / "chunk.mp4"


async def test_a_chunk_comes_with_what_was_heard_and_the_file(
    tmp_path: Path, renderer: SoundingRenderer
) -> None:
    output = chunk_file(tmp_path)
    async with running(renderer, tmp_path) as executor:
        result = await executor.render(a_task(), output, on_progress=lambda _: None)

    assert result.sounds == renderer.report
    (file,) = (output.parent / SOUNDS).iterdir()
    assert file.name == sha256_of(renderer.file) == sha256_of(file)


async def test_a_file_that_is_not_what_was_heard_is_no_chunk(
    tmp_path: Path, renderer: SoundingRenderer
) -> None:
    renderer.told = {"size_bytes": 3}
    output = chunk_file(tmp_path)

    async with running(renderer, tmp_path) as executor:
        with pytest.raises(ChunkDamagedError, match="other bytes than it was heard from"):
            await executor.render(a_task(), output, on_progress=lambda _: None)

    assert not output.exists()
    assert list((output.parent / SOUNDS).iterdir()) == []


async def test_what_a_page_plays_is_in_the_farms_video_once(
    tmp_path: Path, renderer: SoundingRenderer
) -> None:
    async with (
        running_worker(renderer, slots=2) as worker,
        running_coordinator([worker.address], tmp_path / "data") as farm,
    ):
        job = await farm.jobs.create(a_spec(30, chunk_frames=10))
        async with asyncio.timeout(60):
            while not (found := await farm.store.get(job.id)).state.is_final:
                await asyncio.sleep(0.02)
        samples = decode_sound(farm.files.output(job))

    assert found.state is JobState.SUCCEEDED
    assert found.output is not None
    assert found.output.warnings == ()
    assert abs(onset(samples) - 24_000) <= 48
    assert abs(samples).max() == pytest.approx(0.75, abs=0.03)  # three elements play it


def test_a_shelf_keeps_what_one_chunk_brings(tmp_path: Path) -> None:
    shelf = SoundShelf(tmp_path / "shelf", limit_bytes=10)
    brought = tmp_path / "brought"
    brought.mkdir()
    names = [f"{k:064x}" for k in range(3)]
    for name in names:
        (brought / name).write_bytes(b"12345678")

    shelf.take_in(brought)

    assert [shelf.find(name).stat().st_size for name in names] == [8, 8, 8]


def test_a_shelf_makes_room_by_age_and_keeps_the_newest(tmp_path: Path) -> None:
    shelf = SoundShelf(tmp_path / "shelf", limit_bytes=10)
    brought = tmp_path / "brought"
    names = [f"{k:064x}" for k in range(3)]
    for name in names:
        brought.mkdir(exist_ok=True)
        (brought / name).write_bytes(b"12345678")
        shelf.take_in(brought)

    assert shelf.find(names[2]).read_bytes() == b"12345678"
    for gone in (names[0], names[1], "../../etc/passwd", "f" * 64):
        with pytest.raises(ChunkDamagedError, match="render its chunk again"):
            shelf.find(gone)
