"""What is heard in a preview: the film's sound, from its beginning on, and no seam in it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path

import aiohttp
import numpy as np
import pytest

from coordinator.job import AudioTrack, JobSpec
from coordinator.orchestrator import RenderOrchestrator
from coordinator.preview.previews import Previews
from coordinator.preview.server import open_previews
from executors.base import ChunkResult, ChunkTask, OnProgress
from renderer.audio.passages import NANO, Passage, SoundReport, SoundSource
from renderer.bundle import BundleStore, files_manifest, sha256_of
from renderer.composition import BundleEntry
from renderer.errors import EncoderError
from renderer.frames import FrameRange, FrameRate
from tests.support.chunks import FFMPEG, FFPROBE
from tests.support.eventually import eventually
from tests.support.fake_executor import FakeExecutor
from tests.support.sounds import RATE, Samples, decode_sound, onset, tone, write_wav
from tests.support.tasks import a_spec

NTSC = FrameRate(30000, 1001)
FIRST, FRAMES, CHUNK = 30, 40, 9
PACKET = 1024


@dataclass
class SoundingExecutor(FakeExecutor):
    """Its page plays a file of the store from frame `begins` on, to the end."""

    source: Path = Path()
    begins: int = FIRST + 12

    async def render(
        self, task: ChunkTask, output: Path, *, on_progress: OnProgress
    ) -> ChunkResult:
        result = await super().render(task, output, on_progress=on_progress)
        return replace(result, sounds=self.report_of(task))

    def report_of(self, task: ChunkTask) -> SoundReport:
        if task.frames.stop <= self.begins:
            return SoundReport()
        begins_ns = round(NTSC.seconds(self.begins) * NANO)
        passage = Passage(
            source=sha256_of(self.source),
            since_ns=begins_ns,
            from_ns=0,
            begins_ns=begins_ns,
            volumes=((begins_ns, 0.5),),
        )
        source = SoundSource(
            sha256=passage.source,
            name="page.wav",
            size_bytes=self.source.stat().st_size,
            duration_ns=2 * NANO,
            is_bundled=True,
        )
        return SoundReport(sources=(source,), passages=(passage,))


@pytest.fixture
def store(tmp_path: Path) -> BundleStore:
    return BundleStore(tmp_path / "store")


def stored(store: BundleStore, path: Path) -> BundleEntry:
    return BundleEntry(
        store.add_folder(path.parent, files_manifest(path.parent, [path])), path.name
    )


def sounding(store: BundleStore, folder: Path) -> tuple[JobSpec, SoundingExecutor]:
    """A film with a tone that it was given, which fades, and another one of its page."""
    for name in ("given", "page"):
        (folder / name).mkdir()
    given = write_wav(folder / "given" / "given.wav", tone(2, hertz=500))
    page = write_wav(folder / "page" / "page.wav", tone(2, hertz=1500))
    stored(store, page)
    track = AudioTrack(
        source=stored(store, given),
        offset_s=NTSC.seconds(FIRST + 3),
        fade_in_s=NTSC.seconds(8),
        fade_out_s=NTSC.seconds(20),
    )
    spec = a_spec(FRAMES, chunk_frames=CHUNK)
    settings = replace(spec.settings, frame_rate=NTSC, preset="ultrafast")
    frames = FrameRange(FIRST, FIRST + FRAMES)
    spec = replace(spec, settings=settings, frames=frames, audio=(track,))
    return spec, SoundingExecutor(source=page)


@dataclass
class Listener:
    """Asks a preview for its sound by HTTP."""

    session: aiohttp.ClientSession
    url: str
    folder: Path

    async def get(self, name: str) -> bytes:
        async with self.session.get(self.url + name) as answer:
            return await answer.read() if answer.status == 200 else b""

    async def segments(self) -> list[str]:
        listed = (await self.get("sound.m3u8")).decode().splitlines()
        return [line for line in listed if not line.startswith("#")]

    async def samples(self) -> Samples:
        parts = [await self.get(name) for name in ("sound-head.mp4", *await self.segments())]
        path = self.folder / "heard.mp4"
        await asyncio.to_thread(path.write_bytes, b"".join(parts))
        return await asyncio.to_thread(decode_sound, path)


async def test_the_sound_of_the_finished_beginning_is_heard_without_seams(
    tmp_path: Path, store: BundleStore
) -> None:
    spec, executor = sounding(store, tmp_path)
    executor.slow = {3: asyncio.Event()}
    async with (
        open_previews("127.0.0.1:0", tmp_path / "p", ffmpeg=FFMPEG, ffprobe=FFPROBE) as previews,
        aiohttp.ClientSession() as session,
        asyncio.TaskGroup() as group,
    ):
        orchestrator = RenderOrchestrator(store, executor, follower=previews)
        plan = orchestrator.plan(spec, job_id="job")
        listener = Listener(session, previews.url("job"), tmp_path)
        job = group.create_task(orchestrator.render(plan, tmp_path / "out.mkv"))
        await eventually(lambda: heard_of(previews) == 3, within_s=60)
        begun = await listener.samples()
        names = await listener.segments()
        executor.slow[3].set()
        await job
        whole = await listener.samples()
        film = (await listener.get("film.m3u8")).decode()
        playlist = (await listener.get("sound.m3u8")).decode()

    wanted = await asyncio.to_thread(decode_sound, tmp_path / "out.mkv")
    known = round(RATE * NTSC.seconds(3 * CHUNK))
    assert len(begun) == (known // PACKET - 2) * PACKET
    assert names == ["sound-000000.m4s", "sound-000001.m4s", "sound-000002.m4s"]
    assert abs(onset(begun) - onset(wanted)) <= 48
    for samples in (begun, whole):
        count = min(len(samples), len(wanted))
        # Both have lost something, the one as AAC and the other as Opus: 0.004 were seen, and 0.2
        # at seams that clicked.
        assert np.abs(samples[:count] - wanted[:count]).max() < 0.02
    total = round(RATE * NTSC.seconds(FRAMES))
    assert len(whole) == -(-total // PACKET) * PACKET
    assert 'CODECS="avc1.' in film
    assert ',mp4a.40.2"' in film
    assert 'URI="sound.m3u8"' in film
    assert playlist.endswith("#EXT-X-ENDLIST\n")
    assert not [*(tmp_path / "p").glob("**/.sound-*")]


async def test_what_cannot_be_mixed_is_silent_and_the_film_goes_on(
    tmp_path: Path, store: BundleStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec, executor = sounding(store, tmp_path)

    async def broken(*_: object) -> Path:
        raise EncoderError("too many sounds")

    monkeypatch.setattr("coordinator.soundtrack.Soundtrack.mix_part", broken)
    async with (
        open_previews("127.0.0.1:0", tmp_path / "p", ffmpeg=FFMPEG, ffprobe=FFPROBE) as previews,
        aiohttp.ClientSession() as session,
    ):
        orchestrator = RenderOrchestrator(store, executor, follower=previews)
        await orchestrator.render(orchestrator.plan(spec, job_id="job"), tmp_path / "out.mp4")
        samples = await Listener(session, previews.url("job"), tmp_path).samples()

    assert len(samples) >= round(RATE * NTSC.seconds(FRAMES))
    assert np.abs(samples).max() < 0.001
    assert onset(await asyncio.to_thread(decode_sound, tmp_path / "out.mp4")) > 0


async def test_a_film_of_which_nobody_tells_a_sound_has_none(
    tmp_path: Path, store: BundleStore
) -> None:
    spec, _ = sounding(store, tmp_path)
    async with (
        open_previews("127.0.0.1:0", tmp_path / "p", ffmpeg=FFMPEG, ffprobe=FFPROBE) as previews,
        aiohttp.ClientSession() as session,
    ):
        orchestrator = RenderOrchestrator(store, FakeExecutor(), follower=previews)
        plan = orchestrator.plan(replace(spec, audio=()), job_id="job")
        await orchestrator.render(plan, tmp_path / "out.mp4")
        listener = Listener(session, previews.url("job"), tmp_path)

        assert b"AUDIO" not in await listener.get("film.m3u8")
        assert await listener.get("sound.m3u8") == b""


def heard_of(previews: Previews) -> int:
    """How many segments of sound there are to be heard."""
    preview = previews.find("job")
    return preview.sound().count("\nsound-") if preview else 0
