"""Sources as plain samples: 48 kHz stereo floats in a file, decoded by ffmpeg."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

import ffmpeg as graph

from renderer.encode.arguments import compiled
from renderer.encode.ffmpeg import run_ffmpeg

from .clips import CHANNELS, SAMPLE_RATE
from .tracks import SOUND_FORMATS

if TYPE_CHECKING:
    from pathlib import Path

    from renderer.encode.probe import SoundFacts

SAMPLE_BYTES: Final = 4
ROW_BYTES: Final = SAMPLE_BYTES * CHANNELS
_MONO: Final = 1
# What ffmpeg's stretcher does well in one go.
_SLOWEST_TEMPO, _FASTEST_TEMPO = Fraction(1, 2), Fraction(2)


@dataclass(frozen=True, slots=True)
class Pcm:
    """Samples in a file; the first is the source's time 0."""

    path: Path
    samples: int


async def decode(
    ffmpeg: Path, source: Path, facts: SoundFacts, output: Path, *, most_s: Fraction
) -> Pcm:
    """Decode a source from its beginning on, `most_s` of it at most.

    Raises:
        EncoderError: it cannot be decoded.
        MissingToolError: ffmpeg cannot be started.

    """
    opened = graph.input(
        f"file:{source}", format_whitelist=SOUND_FORMATS, protocol_whitelist="file"
    )
    sound = opened["a:0"]
    if facts.channels == _MONO:  # ffmpeg's own up-mix takes 3 dB off
        sound = sound.filter("channelmap", map="0|0", channel_layout="stereo")
    sound = (
        sound.filter("aresample", SAMPLE_RATE)
        .filter("aformat", sample_fmts="flt", channel_layouts="stereo")
        .filter("asetpts", "N/SR/TB")
    )
    if lead := round(SAMPLE_RATE * facts.lead_s):
        sound = sound.filter("adelay", delays=f"{lead}S", all=1)
    sound = sound.filter("atrim", end_sample=max(1, round(SAMPLE_RATE * most_s)))
    await run_ffmpeg(compiled(written(sound, output), ffmpeg), output)
    return measured(output)


async def stretch(
    ffmpeg: Path, pcm: Pcm, output: Path, *, rate: Fraction, keeps_pitch: bool
) -> Pcm:
    """Play samples at another rate."""
    sound = read(pcm.path)
    if keeps_pitch:
        for tempo in tempos(rate):
            sound = sound.filter("atempo", f"{float(tempo):.17g}")
    else:
        sound = sound.filter("asetrate", round(SAMPLE_RATE * rate))
        sound = sound.filter("aresample", SAMPLE_RATE)
    await run_ffmpeg(compiled(written(sound, output), ffmpeg), output)
    return measured(output)


def tempos(rate: Fraction) -> list[Fraction]:
    """Factors whose product is the rate; beyond these bounds ffmpeg leaves out samples."""
    factors: list[Fraction] = []
    while rate > _FASTEST_TEMPO:
        factors.append(_FASTEST_TEMPO)
        rate /= _FASTEST_TEMPO
    while rate < _SLOWEST_TEMPO:
        factors.append(_SLOWEST_TEMPO)
        rate /= _SLOWEST_TEMPO
    return [*factors, rate]


def read(path: Path, *, channels: int = CHANNELS) -> Any:
    """Samples of a file as the beginning of an ffmpeg graph."""
    options = {"format": "f32le", "ar": SAMPLE_RATE, "ac": channels}
    return graph.input(f"file:{path}", protocol_whitelist="file", **options)["a:0"]


def written(sound: Any, output: Path) -> Any:
    """The end of a graph whose samples go into a file."""
    return sound.output(f"file:{output}", format="f32le", **{"c:a": "pcm_f32le"})


def measured(path: Path) -> Pcm:
    return Pcm(path, path.stat().st_size // ROW_BYTES)
