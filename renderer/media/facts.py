"""What a media file holds, as far as an element of a page tells it or a decoder needs it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from renderer.encode.process import run
from renderer.errors import EncoderError

from .timeline import tolerance_s

if TYPE_CHECKING:
    from pathlib import Path

# The only demuxers that may open a page's file. Playlists are not among them: they could make
# ffmpeg read other files of this machine into the picture.
FORMATS: Final = (
    "aac,aiff,avi,flac,flv,matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,mp3,mpeg,mpegts,ogg,opus,wav"
)
SAFE: Final = ("-protocol_whitelist", "file", "-format_whitelist", FORMATS)
_HD_LINES: Final = 720  # what says nothing of its colours: HD is BT.709, smaller is BT.601
_NAMED_MATRICES: Final = {
    "bt709": "bt709",
    "smpte170m": "bt601",
    "bt470bg": "bt601",
    "bt2020nc": "bt2020",
    "smpte240m": "smpte240m",
    "fcc": "fcc",
}


class MediaError(Exception):
    """A source that cannot be shown; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """The pictures of a source, in the size in which they are shown."""

    index: int
    width_px: int
    height_px: int
    time_base: Fraction
    matrix: str
    decoder: str | None
    is_transparent: bool

    @property
    def tolerance_s(self) -> Fraction:
        return tolerance_s(self.time_base)


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaFacts:
    """A source. `start_s` is the time in the file that an element calls 0."""

    start_s: Fraction
    duration_s: Fraction
    screen: Screen | None
    has_sound: bool


async def read_facts(ffprobe: Path, file: Path) -> MediaFacts:
    """Read the facts of a media file.

    Raises:
        MediaError: it holds neither pictures nor sound that can be read.
        MissingToolError: ffprobe cannot be started.

    """
    what = ("-v", "error", *SAFE, "-show_streams", "-show_format", "-of", "json")
    try:
        header: dict[str, Any] = json.loads(await run((str(ffprobe), *what, f"file:{file}")))
        stream = next((one for one in header["streams"] if _has_pictures(one)), None)
        has_sound = any(one["codec_type"] == "audio" for one in header["streams"])
        if stream is None and not has_sound:
            raise MediaError("it holds neither pictures nor sound")
        start_s = Fraction(header["format"].get("start_time", 0))
        return MediaFacts(
            start_s=start_s,
            duration_s=_duration_s(header, stream) or await _last_s(ffprobe, file) - start_s,
            screen=_screen(stream) if stream else None,
            has_sound=has_sound,
        )
    except EncoderError as error:
        problem = str(error).replace(f"file:{file}", "the file")
        raise MediaError(f"it cannot be read: {problem}") from error


def _has_pictures(stream: dict[str, Any]) -> bool:
    is_cover = stream.get("disposition", {}).get("attached_pic", 0)
    return stream["codec_type"] == "video" and stream.get("width", 0) > 0 and not is_cover


def _duration_s(header: dict[str, Any], stream: dict[str, Any] | None) -> Fraction:
    """The file's duration; in the stream's exact ticks where those say the same."""
    told = Fraction(header["format"].get("duration", 0))
    if stream is None or "duration_ts" not in stream:
        return told
    exact = stream["duration_ts"] * Fraction(stream["time_base"])
    return exact if abs(exact - told) < Fraction(1, 1000) else told


async def _last_s(ffprobe: Path, file: Path) -> Fraction:
    """When the last packet ends, for files that were written as a stream."""
    what = ("-v", "error", *SAFE, "-show_entries", "packet=pts_time,duration_time", "-of", "json")
    packets = json.loads(await run((str(ffprobe), *what, f"file:{file}")))["packets"]
    ends = (
        Fraction(packet["pts_time"]) + Fraction(packet.get("duration_time", 0))
        for packet in packets
        if "pts_time" in packet
    )
    return max(ends, default=Fraction(0))


def _screen(stream: dict[str, Any]) -> Screen:
    width_px, height_px = stream["width"], stream["height"]
    aspect = stream.get("sample_aspect_ratio", "1:1").replace(":", "/")
    if not aspect.startswith("0/") and not aspect.endswith("/0"):
        width_px = max(1, round(width_px * Fraction(aspect)))
    if _rotation(stream) % 180:
        width_px, height_px = height_px, width_px
    transparent_decoder = {"vp9": "libvpx-vp9", "vp8": "libvpx"}.get(stream["codec_name"])
    tags = {name.lower(): value for name, value in stream.get("tags", {}).items()}
    is_transparent = tags.get("alpha_mode") == "1" and transparent_decoder is not None
    return Screen(
        index=stream["index"],
        width_px=width_px,
        height_px=height_px,
        time_base=Fraction(stream["time_base"]),
        matrix=_matrix(stream),
        decoder=transparent_decoder if is_transparent else None,
        is_transparent=is_transparent or "yuva" in stream.get("pix_fmt", ""),
    )


def _rotation(stream: dict[str, Any]) -> int:
    sides = (side.get("rotation", 0) for side in stream.get("side_data_list", ()))
    return next((round(rotation) for rotation in sides if rotation), 0)


def _matrix(stream: dict[str, Any]) -> str:
    guess = "bt709" if stream["height"] >= _HD_LINES else "bt601"
    return _NAMED_MATRICES.get(stream.get("color_space", ""), guess)
