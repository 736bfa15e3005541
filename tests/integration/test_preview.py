"""A film is served while it is rendered: what is finished of it from its beginning on, exactly."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import aiohttp
import pytest

from coordinator.job import JobSpec
from coordinator.orchestrator import RenderOrchestrator
from coordinator.preview.previews import Previews
from coordinator.preview.server import open_previews
from executors.errors import ExecutorError
from executors.tasks import task_group
from renderer.bundle import BundleStore
from renderer.encode.codec_facts import Codec, Container
from renderer.frames import FrameRange, FrameRate
from serving.listening import ListenError
from tests.support.chunks import FFMPEG, FFPROBE
from tests.support.eventually import eventually
from tests.support.fake_executor import FakeExecutor
from tests.support.frame_numbers import decode_frame_numbers
from tests.support.pictures import numbered_picture
from tests.support.tasks import a_spec

FIRST = 90
RATE = FrameRate(30000, 1001)
QUICK = {Codec.H264: "veryfast", Codec.H265: "ultrafast", Codec.VP9: "5", Codec.AV1: "12"}


class Viewer:
    """Asks a preview by HTTP."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url

    async def get(self, name: str) -> tuple[int, bytes]:
        async with self._session.get(self._url + name) as answer:
            return answer.status, await answer.read()

    async def segments(self) -> list[str]:
        status, text = await self.get("video.m3u8")
        lines = text.decode().splitlines() if status == 200 else []
        return [line for line in lines if not line.startswith("#")]

    async def film(self, folder: Path) -> Path:
        """All that there is, in one file."""
        parts = [await self.get(name) for name in ("head.mp4", *await self.segments())]
        path = folder / "watched.mp4"
        path.write_bytes(b"".join(data for _, data in parts))
        return path


@asynccontextmanager
async def previewing(folder: Path) -> AsyncGenerator[tuple[Previews, Viewer]]:
    where = folder / "previews"
    async with (
        open_previews("127.0.0.1:0", where, ffmpeg=FFMPEG, ffprobe=FFPROBE) as previews,
        aiohttp.ClientSession() as session,
    ):
        yield previews, Viewer(session, previews.url("job"))


class Nothing:
    """A film of which nothing is there yet."""

    def chunk(self, index: int) -> Path:
        raise AssertionError(index)

    async def may_sound(self) -> bool:
        raise AssertionError

    async def mix(self, index: int, samples: range, folder: Path) -> Path:
        raise AssertionError(index, samples, folder)


def spec_of(codec: Codec = Codec.H264, container: Container | None = None) -> JobSpec:
    spec = a_spec(8, chunk_frames=3)
    settings = replace(
        spec.settings,
        frame_rate=RATE,
        codec=codec,
        container=container,
        preset=QUICK.get(codec, ""),
    )
    return replace(spec, settings=settings, frames=FrameRange(FIRST, FIRST + 8))


def times_s(video: Path) -> list[Fraction]:
    what = ["-select_streams", "v:0", "-show_entries", "packet=pts:stream=time_base", "-of", "json"]
    command = ["ffprobe", "-v", "error", *what, str(video)]
    told = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    base = Fraction(told["streams"][0]["time_base"])
    return sorted(packet["pts"] * base for packet in told["packets"])


async def test_what_is_finished_from_the_beginning_on_is_served_and_the_rest_follows(
    tmp_path: Path,
) -> None:
    executor = FakeExecutor(slow={0: asyncio.Event(), 1: asyncio.Event()})
    async with previewing(tmp_path) as (previews, viewer), asyncio.TaskGroup() as group:
        orchestrator = RenderOrchestrator(
            BundleStore(tmp_path / "store"), executor, follower=previews
        )
        plan = orchestrator.plan(spec_of(), job_id="job")
        assert (await viewer.get("film.m3u8"))[0] == 404

        job = group.create_task(orchestrator.render(plan, tmp_path / "out.mp4"))
        await eventually(lambda: 2 in executor.ended)
        assert (await viewer.get("film.m3u8"))[0] == 503
        executor.slow[0].set()
        await eventually(lambda: bool((found := previews.find("job")) and found.is_begun))
        begun = await viewer.segments()
        first = decode_frame_numbers(await viewer.film(tmp_path))
        executor.slow[1].set()
        await job

        _, film = await viewer.get("film.m3u8")
        _, video = await viewer.get("video.m3u8")
        watched = await viewer.film(tmp_path)
        assert (await viewer.get("000003.m4s"))[0] == 404
        assert b"<video" in (await viewer.get(""))[1]

    assert begun == ["000000.m4s"]
    assert first == [90, 91, 92]
    assert b'CODECS="avc1.' in film
    assert video.decode().splitlines()[-7:] == [
        "#EXTINF:0.100100,",
        "000000.m4s",
        "#EXTINF:0.100100,",
        "000001.m4s",
        "#EXTINF:0.066733,",
        "000002.m4s",
        "#EXT-X-ENDLIST",
    ]
    assert decode_frame_numbers(watched) == list(range(90, 98))
    assert not (tmp_path / "previews").exists()


@pytest.mark.parametrize(
    ("codec", "container"),
    [
        (Codec.H264, None),
        (Codec.H265, Container.MKV),
        (Codec.VP9, Container.WEBM),
        (Codec.AV1, Container.MP4),
    ],
)
async def test_every_frame_stands_exactly_at_its_time(
    codec: Codec, container: Container | None, tmp_path: Path
) -> None:
    executor = FakeExecutor()
    spec = spec_of(codec, container)
    if codec is Codec.AV1:  # which has at least 64 px a side, as the pictures have
        assert numbered_picture(0).height_px == 64
    async with previewing(tmp_path) as (previews, viewer):
        orchestrator = RenderOrchestrator(
            BundleStore(tmp_path / "store"), executor, follower=previews
        )
        output = tmp_path / "out"
        await orchestrator.render(orchestrator.plan(spec, job_id="job"), output)
        watched = await viewer.film(tmp_path)

    assert decode_frame_numbers(watched) == decode_frame_numbers(output) == list(range(90, 98))
    # ffprobe counts from where the first frame is decoded.
    first_s, *_ = found = times_s(watched)
    assert [time_s - first_s for time_s in found] == [RATE.seconds(frame) for frame in range(8)]


async def test_a_job_that_fails_ends_its_preview_where_it_stands(tmp_path: Path) -> None:
    gate = asyncio.Event()
    executor = FakeExecutor(fails={2: ExecutorError("gone")}, slow={2: gate})
    async with previewing(tmp_path) as (previews, viewer):
        orchestrator = RenderOrchestrator(
            BundleStore(tmp_path / "store"), executor, follower=previews
        )
        plan = orchestrator.plan(spec_of(), job_id="job")
        with pytest.raises(ExecutorError, match="gone"):
            async with task_group() as group:
                group.create_task(_release(viewer, gate))
                await orchestrator.render(plan, tmp_path / "out.mp4")
        segments = await viewer.segments()
        _, video = await viewer.get("video.m3u8")

    assert segments == ["000000.m4s", "000001.m4s"]
    assert video.endswith(b"#EXT-X-ENDLIST\n")


async def _release(viewer: Viewer, gate: asyncio.Event) -> None:
    async with asyncio.timeout(60):
        while len(await viewer.segments()) < 2:
            await asyncio.sleep(0.01)
    gate.set()


async def test_a_film_that_browsers_do_not_play_is_rendered_without_a_preview(
    tmp_path: Path,
) -> None:
    async with previewing(tmp_path) as (previews, viewer):
        orchestrator = RenderOrchestrator(
            BundleStore(tmp_path / "store"), FakeExecutor(), follower=previews
        )
        plan = orchestrator.plan(spec_of(Codec.FFV1), job_id="job")
        await orchestrator.render(plan, tmp_path / "out.mkv")

        assert (await viewer.get("film.m3u8"))[0] == 404


async def test_the_newest_previews_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coordinator.preview.previews.MOST_KEPT", 2)
    orchestrator = RenderOrchestrator(BundleStore(tmp_path / "store"), FakeExecutor())
    async with previewing(tmp_path) as (previews, _):
        for name in "abcd":
            plan = orchestrator.plan(spec_of(), job_id=name)
            async with previews.following(plan, Nothing(), lambda _: None):
                assert previews.find(name) is not None

        kept = {path.name for path in (tmp_path / "previews").iterdir()}
        assert kept == {"c", "d"}
        assert previews.find("b") is None


async def test_an_address_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    with pytest.raises(ListenError, match="cannot listen on 'nonsense'; write it like"):
        async with open_previews("nonsense", tmp_path / "p", ffmpeg=FFMPEG, ffprobe=FFPROBE):
            pass
