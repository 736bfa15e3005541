"""A sound file: the mix alone, without pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ffmpeg as graph

from renderer.audio.clips import CHANNELS, SAMPLE_RATE
from renderer.audio.pcm import read
from renderer.audio.tracks import SOUND_FORMATS
from renderer.encode.arguments import BITEXACT, compiled
from renderer.encode.ffmpeg import run_ffmpeg
from renderer.encode.probe import probe_sound
from renderer.encode.sound_files import SOUND_FILES
from renderer.errors import EncoderError

if TYPE_CHECKING:
    from pathlib import Path

    from renderer.encode.sound_files import SoundKind

    from .assembly import Workbench


async def write_sound(mix: Path, kind: SoundKind, made: Path, bench: Workbench) -> None:
    """Encode a mix, and verify the file.

    Raises:
        EncoderError: ffmpeg failed, or the file is not what it should be.

    """
    muxer, form = SOUND_FILES[kind]
    options = {"format": muxer, **form.options, **BITEXACT, "map_metadata": -1}
    stream = graph.output(read(mix), f"file:{made}", ar=SAMPLE_RATE, ac=CHANNELS, **options)
    await run_ffmpeg(compiled(stream, bench.ffmpeg), made)
    facts = await probe_sound(bench.ffprobe, made, formats=SOUND_FORMATS)
    found = None if facts is None else (facts.codec, facts.sample_rate, facts.channels)
    if found != (form.stream, SAMPLE_RATE, CHANNELS):
        raise EncoderError(f"the {kind} file's sound is {found}, not {form.stream}")
