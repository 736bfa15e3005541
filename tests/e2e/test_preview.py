"""The page of a preview, in Chromium, while the job runs: real frames, at their times."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, async_playwright

from coordinator.job import AudioTrack
from coordinator.orchestrator import RenderOrchestrator
from coordinator.preview.server import open_previews
from renderer.bundle import BundleStore, files_manifest
from renderer.composition import BundleEntry
from renderer.encode.codec_facts import Codec, Container
from renderer.frames import FrameRate
from renderer.tools import find_tools
from tests.support.chunks import FFMPEG, FFPROBE
from tests.support.fake_executor import FakeExecutor
from tests.support.frame_numbers import BITS, SQUARE_PX
from tests.support.pages import tools_or_skip
from tests.support.sounds import tone, write_wav
from tests.support.tasks import a_spec

RATE = FrameRate(30000, 1001)
WAIT_MS = 20_000

# Each frame that is there, by its number as it is drawn, and the time the browser has for it.
SHOWN = """async ([first, stop, rate, bits, square]) => {
  const video = document.querySelector("video");
  video.pause();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const found = [];
  for (let frame = first; frame < stop; frame += 1) {
    const shown = new Promise((done, fail) => {
      video.requestVideoFrameCallback((_, facts) => done(facts));
      setTimeout(() => fail(new Error(`frame ${frame} is not shown`)), 8000);
    });
    video.currentTime = (frame + 0.5) / rate;
    const { mediaTime } = await shown;
    context.drawImage(video, 0, 0);
    let number = 0;
    for (let bit = 0; bit < bits; bit += 1) {
      const [red] = context.getImageData(bit * square + square / 2, square / 2, 1, 1).data;
      if (red > 128) number += 2 ** bit;
    }
    found.push([number, mediaTime]);
  }
  return found;
}"""


@pytest.fixture(autouse=True, scope="module")
def tools() -> None:
    tools_or_skip()


# Plays to near the end of what is there, and tells how loud 440 Hz and all else are in what sounds.
# Where a busy machine left one half of that out, it plays again, when the first time has died away.
LISTEN = """async (until) => {
  const video = document.querySelector("video");
  video.muted = false;
  const rewind = async () => {
    video.pause();
    const sought = new Promise((done) => video.addEventListener("seeked", done, { once: true }));
    video.currentTime = 0;
    await sought;
  };
  await rewind();
  const [track] = video.captureStream().getAudioTracks();
  const context = new AudioContext({ sampleRate: 48000 });
  const analyser = new AnalyserNode(context, { fftSize: 4096, smoothingTimeConstant: 0 });
  context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
  const levels = new Float32Array(analyser.frequencyBinCount);
  const bin = Math.round((440 * analyser.fftSize) / context.sampleRate);
  const level = async () => {
    await new Promise(requestAnimationFrame);
    analyser.getFloatFrequencyData(levels);
    return levels[bin];
  };
  const isWhole = (heard) => heard.some(([at]) => at > 0.2 && at < 0.45) &&
    heard.some(([at, tone]) => at > 0.8 && tone > -30);
  let heard = [];
  for (let tries = 0; tries < 9 && !isWhole(heard); ++tries) {
    await rewind();
    for (let quiet = 0; quiet < 30; quiet += 1) if (await level() > -80) quiet = 0;
    heard = [];
    await video.play();
    while (video.currentTime < until) {
      const tone = await level();
      heard.push([video.currentTime, tone, levels[bin * 6]]);
    }
  }
  video.pause();
  return { bytes: video.webkitAudioDecodedByteCount, heard };
}"""


@asynccontextmanager
async def chromium_page() -> AsyncGenerator[Page]:
    async with async_playwright() as playwright:
        path = str(find_tools(os.environ).chromium)
        browser = await playwright.chromium.launch(
            executable_path=path,
            chromium_sandbox=False,
            args=["--autoplay-policy=no-user-gesture-required"],
        )
        try:
            yield await browser.new_page(viewport={"width": 480, "height": 200})
        finally:
            await browser.close()


async def shown(page: Page, first: int, stop: int) -> list[tuple[int, float]]:
    asked = [first, stop, float(RATE.fraction), BITS, SQUARE_PX]
    return [(number, time_s) for number, time_s in await page.evaluate(SHOWN, asked)]


def wanted(first: int, stop: int) -> list[tuple[int, Any]]:
    times_s = [float(RATE.seconds(frame)) for frame in range(stop)]
    return [(frame, pytest.approx(times_s[frame], abs=1e-5)) for frame in range(first, stop)]


@pytest.mark.parametrize(
    ("codec", "container", "preset", "held_back"),
    # Of H.264 two frames are decoded before one is shown, and those have not come yet.
    [(Codec.H264, None, "veryfast", 2), (Codec.VP9, Container.WEBM, "5", 0)],
)
async def test_chromium_plays_the_film_while_it_is_rendered(
    codec: Codec, container: Container | None, preset: str, held_back: int, tmp_path: Path
) -> None:
    executor = FakeExecutor(slow={1: asyncio.Event(), 3: asyncio.Event()})
    spec = a_spec(19, chunk_frames=5)
    settings = replace(
        spec.settings, frame_rate=RATE, codec=codec, container=container, preset=preset
    )
    where = tmp_path / "previews"
    async with (
        open_previews("127.0.0.1:0", where, ffmpeg=FFMPEG, ffprobe=FFPROBE) as previews,
        chromium_page() as page,
        asyncio.TaskGroup() as group,
    ):
        orchestrator = RenderOrchestrator(
            BundleStore(tmp_path / "store"), executor, follower=previews
        )
        plan = orchestrator.plan(replace(spec, settings=settings), job_id="job")
        await page.goto(previews.url("job"))
        status = page.get_by_role("status")
        await status.get_by_text("Waiting for the first chunk").wait_for(timeout=WAIT_MS)

        job = group.create_task(orchestrator.render(plan, tmp_path / "out"))
        await status.get_by_text("1 chunks are finished").wait_for(timeout=WAIT_MS)
        first = await shown(page, 0, 5 - held_back)
        executor.slow[1].set()
        await status.get_by_text("3 chunks are finished").wait_for(timeout=WAIT_MS)
        more = await shown(page, 4, 15 - held_back)
        is_running = not job.done()
        executor.slow[3].set()
        await status.get_by_text("All that was rendered.").wait_for(timeout=WAIT_MS)
        rest = await shown(page, 12, 19)
        duration_s = await page.evaluate("document.querySelector('video').duration")
        start_s = await page.evaluate("document.querySelector('video').buffered.start(0)")

    assert is_running
    assert first == wanted(0, 5 - held_back)
    assert more == wanted(4, 15 - held_back)
    assert rest == wanted(12, 19)
    assert start_s == 0
    assert duration_s == pytest.approx(float(RATE.seconds(19)), abs=1e-3)


async def test_chromium_plays_the_films_sound_while_it_is_rendered(tmp_path: Path) -> None:
    """A tone begins 0.5 s into the film, and the second half of that is not rendered yet."""
    beep = write_wav(tmp_path / "beep.wav", tone(3, hertz=440))
    store = BundleStore(tmp_path / "store")
    digest = store.add_folder(tmp_path, files_manifest(tmp_path, [beep]))
    track = AudioTrack(source=BundleEntry(digest, beep.name), offset_s=Fraction(1, 2))
    spec = a_spec(80, chunk_frames=20)
    settings = replace(spec.settings, frame_rate=RATE, preset="veryfast")
    executor = FakeExecutor(slow={2: asyncio.Event()})
    where = tmp_path / "previews"
    async with (
        open_previews("127.0.0.1:0", where, ffmpeg=FFMPEG, ffprobe=FFPROBE) as previews,
        chromium_page() as page,
        asyncio.TaskGroup() as group,
    ):
        orchestrator = RenderOrchestrator(store, executor, follower=previews)
        heard_spec = replace(spec, settings=settings, audio=(track,))
        plan = orchestrator.plan(heard_spec, job_id="job")
        await page.goto(previews.url("job"))
        status = page.get_by_role("status")

        job = group.create_task(orchestrator.render(plan, tmp_path / "out"))
        await status.get_by_text("2 chunks are finished").wait_for(timeout=WAIT_MS)
        told: Any = await page.evaluate(LISTEN, 1.2)
        is_running = not job.done()
        executor.slow[2].set()
        await status.get_by_text("All that was rendered.").wait_for(timeout=WAIT_MS)
        duration_s = await page.evaluate("document.querySelector('video').duration")

    assert is_running
    assert told["bytes"] > 0
    before = [level for at_s, level, _ in told["heard"] if 0.2 < at_s < 0.45]
    after = [(level, other) for at_s, level, other in told["heard"] if at_s > 0.8]
    assert before
    # None is silence, for JSON has no -∞. On a busy machine the video's clock may stand still for a
    # while in which its sound goes on: then some of these belong to a later time.
    is_silent = [level is None or level < -80 for level in before]
    assert sum(is_silent) > len(is_silent) / 2
    assert any(level > -30 and (other is None or other < -60) for level, other in after)
    # Sound ends with a whole packet of AAC.
    assert 0 <= duration_s - float(RATE.seconds(80)) <= 1024 / 48_000
