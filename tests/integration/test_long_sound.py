"""Ten minutes of sound in a finished file: as long as its pictures, and nothing drifts."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np

from coordinator.assembly import Assembly, ChunkFile
from renderer.encode.probe import probe
from renderer.frames import FrameRange, FrameRate
from tests.support.assembling import assemble
from tests.support.chunks import FFMPEG, FFPROBE, chunk_settings, numbered_chunks
from tests.support.sounds import RATE, Samples, decode_sound

NTSC = FrameRate(30000, 1001)
CHUNK = 111
CHUNKS = 162  # 17982 frames: 600 s and 0.4 samples
SAMPLES = round(RATE * NTSC.seconds(CHUNK * CHUNKS))
# Half a minute apart, and each at the same place of an AAC frame, which has 1024 samples.
CLICKS = range(10 * 1024, SAMPLES - RATE, 1406 * 1024)


async def test_ten_minutes_of_clicks_do_not_drift(tmp_path: Path) -> None:
    video = await ten_minutes(tmp_path)

    facts = await probe(FFPROBE, video)
    sound = await asyncio.to_thread(decode_sound, video)
    assert facts.frames == CHUNK * CHUNKS
    assert facts.duration_s == NTSC.seconds(CHUNK * CHUNKS)
    assert len(sound) - SAMPLES in range(1024)  # AAC's last frame is a whole one
    apart = [click_at(sound, at) - at for at in CLICKS]
    assert len(apart) > 19
    assert abs(apart[0]) <= RATE / 1000
    assert set(apart) == {apart[0]}


def click_at(sound: Samples, about: int) -> int:
    """The loudest sample near to where one should be."""
    near = np.abs(sound[about - 2000 : about + 2000, 0])
    assert near.max() > 0.2
    return about - 2000 + int(np.argmax(near))


async def ten_minutes(folder: Path) -> Path:
    """Small pictures, which are the same in each chunk: one file is all of them."""
    settings = chunk_settings(NTSC, preset="ultrafast")
    ((path, _),) = await numbered_chunks(folder, [CHUNK], settings)
    starts = range(0, CHUNK * CHUNKS, CHUNK)
    samples = np.zeros((SAMPLES, 2), "<f4")
    for at in CLICKS:
        samples[at] = 0.9
    await asyncio.to_thread((folder / "sound").write_bytes, samples.tobytes())
    assembly = Assembly(
        chunks=tuple(
            ChunkFile(path=path, frames=FrameRange(start, start + CHUNK)) for start in starts
        ),
        settings=settings,
        width_px=settings.width_px,
        height_px=settings.height_px,
        sound=folder / "sound",
    )
    output = folder / "film.mp4"
    await assemble(assembly, output, ffmpeg=FFMPEG, ffprobe=FFPROBE)
    return output
