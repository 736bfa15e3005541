"""A sound file: the mix alone, without pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import ffmpeg as graph

from renderer.audio.clips import CHANNELS, SAMPLE_RATE
from renderer.audio.pcm import measured, read
from renderer.audio.tracks import SOUND_FORMATS
from renderer.encode.arguments import BITEXACT, compiled
from renderer.encode.ffmpeg import run_ffmpeg
from renderer.encode.probe import probe_sound
from renderer.encode.process import run
from renderer.encode.sound_files import SOUND_FILES, SoundKind
from renderer.errors import EncoderError

if TYPE_CHECKING:
    from pathlib import Path

    from .assembly import Workbench

_AAC_FRAME: Final = 1024


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
    samples = await _samples(made, bench)
    # AAC's last frame is whole; how much of it is heard says the file, and ffmpeg 5.1 ignores it.
    spare = range(_AAC_FRAME) if kind is SoundKind.M4A else range(1)
    if samples - measured(mix).samples not in spare:
        raise EncoderError(
            f"the {kind} file has {samples} samples, and the mix {measured(mix).samples}"
        )


async def _samples(file: Path, bench: Workbench) -> int:
    """How many samples there are to be heard, when all of it is decoded."""
    source = graph.input(f"file:{file}", protocol_whitelist="file")["a:0"]
    decoding = source.output("pipe:1", format="framecrc", **{"c:a": "pcm_f32le"})
    told = (await run(compiled(decoding, bench.ffmpeg))).decode()
    lengths = (line.split(",")[3] for line in told.splitlines() if line[:1] != "#")
    return sum(map(int, lengths))
