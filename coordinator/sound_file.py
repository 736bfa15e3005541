"""A sound file: the mix alone, without pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import ffmpeg as graph

from renderer.audio.clips import CHANNELS, SAMPLE_RATE
from renderer.audio.pcm import measured, read
from renderer.audio.tracks import SOUND_FORMATS
from renderer.encode.arguments import BITEXACT, compiled
from renderer.encode.ffmpeg import run_ffmpeg
from renderer.encode.metadata import told_tags
from renderer.encode.probe import probe_sound
from renderer.encode.process import run
from renderer.encode.sound_files import (
    SOUND_FILES,
    SoundKind,
    held_metadata,
    sound_metadata_words,
)
from renderer.errors import EncoderError

if TYPE_CHECKING:
    from pathlib import Path

    from renderer.encode.metadata import FileMetadata

    from .assembly import Workbench

_AAC_FRAME: Final = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundWish:
    """What kind of file is wanted, and what it is to say of itself."""

    kind: SoundKind
    metadata: FileMetadata


async def write_sound(mix: Path, wish: SoundWish, made: Path, bench: Workbench) -> None:
    """Encode a mix, and verify the file.

    Raises:
        EncoderError: ffmpeg failed, or the file is not what it should be.

    """
    kind = wish.kind
    muxer, form = SOUND_FILES[kind]
    options = {"format": muxer, **form.options, **BITEXACT, "map_metadata": -1}
    stream = graph.output(read(mix), f"file:{made}", ar=SAMPLE_RATE, ac=CHANNELS, **options)
    command = compiled(stream, bench.ffmpeg)
    behind = command.index("-i") + 2  # options of a name that comes again are words of our own
    command[behind:behind] = sound_metadata_words(wish.metadata, kind)
    await run_ffmpeg(command, made)
    facts = await probe_sound(bench.ffprobe, made, formats=SOUND_FORMATS)
    found = None if facts is None else (facts.codec, facts.sample_rate, facts.channels)
    if found != (form.stream, SAMPLE_RATE, CHANNELS):
        raise EncoderError(f"the {kind} file's sound is {found}, not {form.stream}")
    for name, value in told_tags(held_metadata(wish.metadata, kind)):
        if facts is not None and (told := facts.tags.get(name)) != value:
            raise EncoderError(f"the {kind} file's {name} is {told!r}, not {value!r}")
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
