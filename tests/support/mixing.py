"""Mixes of tracks, as they go into an encoder."""

from __future__ import annotations

import tempfile
from pathlib import Path

from renderer.audio.clips import Window, clip_of
from renderer.audio.mix import Mixed, Mixer
from renderer.audio.sound import check_sound
from renderer.audio.tracks import Track
from renderer.frames import FrameRange, FrameRate

from .chunks import FFMPEG, FFPROBE

SECOND = FrameRange(0, 30)


async def mix_tracks(
    folder: Path,
    *tracks: Track,
    frames: FrameRange = SECOND,
    rate: FrameRate = FrameRate(30),
    loudness_lufs: float | None = None,
) -> Mixed:
    """Mix tracks in a folder of their own within `folder`."""
    window = Window.of(frames, rate)
    mixer = Mixer(FFMPEG, Path(tempfile.mkdtemp(dir=folder)), window)
    clips = [clip_of(track, window) for track in tracks]
    for source in {clip.source for clip in clips}:
        those = [clip for clip in clips if clip.source == source]
        await mixer.decode(source, await check_sound(FFPROBE, source), those)
    return await mixer.mix(clips, loudness_lufs=loudness_lufs)


async def mix_file(
    folder: Path,
    *tracks: Track,
    frames: FrameRange = SECOND,
    rate: FrameRate = FrameRate(30),
) -> Path:
    return (await mix_tracks(folder, *tracks, frames=frames, rate=rate)).pcm.path
