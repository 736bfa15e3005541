"""Players agree: each frame stands at its time, the first at 0, and the film ends in time."""

from __future__ import annotations

import asyncio
import base64
import os
import shutil
import subprocess
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.async_api import Page, async_playwright

from coordinator.assembly import Assembly, ChunkFile
from renderer.encode.codec_facts import Codec, Container
from renderer.frames import FrameRange, FrameRate
from renderer.tools import find_tools
from tests.support.assembling import assemble
from tests.support.chunks import FFMPEG, FFPROBE, chunk_settings, numbered_chunks
from tests.support.frame_numbers import BITS, SQUARE_PX
from tests.support.pages import tools_or_skip
from tests.support.require import missing

RATE = FrameRate(30000, 1001)
FRAMES = FrameRange(70, 94)
QUICK = {Codec.H264: "veryfast", Codec.VP8: "5", Codec.VP9: "5", Codec.AV1: "12"}
KINDS = {
    Container.MP4: 'video/mp4; codecs="avc1.64000b, mp4a.40.2"',
    Container.WEBM: 'video/webm; codecs="vp9, opus"',
}

PLAY = """async ([data, kind, numbers, rate, bits, square]) => {
  const video = document.createElement("video");
  if (!video.canPlayType(kind)) return null;
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const next = () => new Promise((done) => video.requestVideoFrameCallback((_, f) => done(f)));
  const first = next();
  video.src = URL.createObjectURL(new Blob([bytes], { type: kind.split(";")[0] }));
  video.muted = true;
  document.body.append(video);
  const broken = new Promise((_, fail) => {
    video.onerror = () => fail(new Error(video.error.message));
  });
  const { mediaTime: begin } = await Promise.race([first, broken]);
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const read = () => {
    context.drawImage(video, 0, 0);
    let number = 0;
    for (let bit = 0; bit < bits; bit += 1) {
      const [red] = context.getImageData(bit * square + square / 2, square / 2, 1, 1).data;
      if (red > 128) number += 2 ** bit;
    }
    return number;
  };
  const found = [[read(), begin]];
  for (const number of numbers) {
    const shown = next();
    video.currentTime = (number + 0.5) / rate;
    const { mediaTime } = await shown;
    found.push([read(), mediaTime]);
  }
  return { duration: video.duration, found };
}"""


@pytest.fixture(autouse=True, scope="module")
def tools() -> None:
    tools_or_skip()


async def film(folder: Path, codec: Codec, container: Container) -> Path:
    """Numbered frames in three chunks, and a sound as long as they are."""
    settings = chunk_settings(RATE, codec=codec, container=container, preset=QUICK[codec])
    chunks = await numbered_chunks(folder, [11, 2, 11], settings, start=FRAMES.start)
    sound = folder / "sound"
    samples = np.full((round(48_000 * RATE.seconds(len(FRAMES))), 2), 0.1, "<f4")
    await asyncio.to_thread(sound.write_bytes, samples.tobytes())
    assembly = Assembly(
        chunks=tuple(ChunkFile(path=path, frames=frames) for path, frames in chunks),
        settings=settings,
        width_px=settings.width_px,
        height_px=settings.height_px,
        sound=sound,
    )
    output = folder / f"film.{container}"
    await assemble(assembly, output, ffmpeg=FFMPEG, ffprobe=FFPROBE)
    return output


@asynccontextmanager
async def chromium_page() -> AsyncGenerator[Page]:
    async with async_playwright() as playwright:
        path = str(find_tools(os.environ).chromium)
        browser = await playwright.chromium.launch(executable_path=path, chromium_sandbox=False)
        try:
            yield await browser.new_page()
        finally:
            await browser.close()


async def test_chromium_shows_each_frame_at_its_time(tmp_path: Path) -> None:
    asked = [1, 10, 11, 12, 13, 22, 23]
    wanted = [(FRAMES.start, 0.0)]
    wanted += [(FRAMES.start + number, float(RATE.seconds(number))) for number in asked]
    async with chromium_page() as page:
        for codec, container in ((Codec.H264, Container.MP4), (Codec.VP9, Container.WEBM)):
            folder = tmp_path / codec
            folder.mkdir()
            video = await film(folder, codec, container)
            data = base64.b64encode(await asyncio.to_thread(video.read_bytes)).decode()
            said = [data, KINDS[container], asked, float(RATE.fraction), BITS, SQUARE_PX]

            told: Any = await page.evaluate(PLAY, said)

            if told is None:
                missing("players", f"this Chromium does not play {codec}")
            found = told["found"]
            assert [number for number, _ in found] == [number for number, _ in wanted]
            times_s = [time_s for _, time_s in found]
            assert times_s == pytest.approx([time_s for _, time_s in wanted], abs=0.0011)
            # Opus comes in pieces of 20 ms, the last of which may be longer than the pictures.
            least_s = float(RATE.seconds(len(FRAMES)))
            most_s = least_s + (0.001 if container is Container.MP4 else 0.020)
            assert least_s - 0.001 <= told["duration"] <= most_s


async def test_mpv_shows_all_frames_and_no_more(tmp_path: Path) -> None:
    mpv = shutil.which("mpv")
    if mpv is None:
        missing("mpv", "mpv is not installed")
    video = await film(tmp_path, Codec.H264, Container.MP4)
    pictures = tmp_path / "pictures"
    drawing = ["--vo=image", "--vo-image-format=png", f"--vo-image-outdir={pictures}"]
    quiet = ["--no-config", "--really-quiet", "--ao=null", "--untimed", "--no-terminal"]

    await asyncio.to_thread(
        subprocess.run, [mpv, *quiet, *drawing, str(video)], check=True, timeout=60
    )

    numbers = [number_in(path) for path in sorted(pictures.iterdir())]
    assert numbers == list(FRAMES)


def number_in(picture: Path) -> int:
    with Image.open(picture) as image:
        gray = image.convert("L")
    squares = [gray.getpixel((bit * SQUARE_PX + 12, 12)) for bit in range(BITS)]
    return sum(1 << bit for bit, value in enumerate(squares) if int(str(value)) > 128)
