"""What a page asks to be decoded for its Web Audio: all samples of a sound, as floats."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from renderer.encode.probe import probe_sound
from renderer.encode.process import run
from renderer.errors import EncoderError

from .facts import FORMATS, SAFE, MediaError

if TYPE_CHECKING:
    from pathlib import Path

    from renderer.tools import Tools

_FLOAT_BYTES: Final = 4
_MIN_RATE, _MAX_RATE = 3_000, 768_000  # what a context may have
_LONGEST_S: Final = 1_200  # a page holds all of it, as floats


@dataclass(frozen=True, slots=True)
class Samples:
    """Floats, the channels of each moment beside each other."""

    channels: int
    data: bytes


async def decode_samples(tools: Tools, file: Path, rate: int) -> Samples:
    """Decode a sound at a rate.

    Raises:
        MediaError: it is none, or too long.
        MissingToolError: ffmpeg or ffprobe cannot be started.

    """
    if not _MIN_RATE <= rate <= _MAX_RATE:
        raise MediaError(f"{rate} samples a second are outside {_MIN_RATE}…{_MAX_RATE}")
    try:
        facts = await probe_sound(tools.ffprobe, file, formats=FORMATS)
        if facts is None or not facts.channels:
            raise MediaError("it holds no sound")
        floats = ("-t", str(_LONGEST_S), "-ar", str(rate), "-f", "f32le", "-c:a", "pcm_f32le")
        source = (*SAFE, "-i", f"file:{file}", "-map", "a:0")
        quiet = (str(tools.ffmpeg), "-v", "error", "-nostdin")
        data = await run((*quiet, *source, *floats, "pipe:1"))
    except EncoderError as error:
        raise MediaError(str(error).replace(f"file:{file}", "the sound")) from error
    if not data:
        raise MediaError("it holds no sound that can be decoded")
    if len(data) >= _LONGEST_S * rate * facts.channels * _FLOAT_BYTES:
        raise MediaError(f"it is longer than {_LONGEST_S} s; play it by an <audio>")
    return Samples(facts.channels, data)
