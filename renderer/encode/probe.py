"""What a video file really holds, as ffprobe sees it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from renderer.errors import EncoderError

from .process import run
from .recipe import ColorTags

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["ColorTags", "SoundFacts", "VideoFacts", "probe", "probe_sound"]

_PACKETS: Final = "packet=stream_index,pts"
_QUIET: Final = ("-v", "error", "-protocol_whitelist", "file")


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundFacts:
    """The first audio stream of a file. `lead_s` is how long after the file's start it begins.

    `tags` are the file's and the stream's, by lower-case names.
    """

    codec: str
    channels: int
    sample_rate: int
    lead_s: Fraction
    tags: Mapping[str, str] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubtitleFacts:
    """A stream of subtitles, and the three letters of its language."""

    codec: str
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChapterFacts:
    start_s: Fraction
    end_s: Fraction
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoFacts:
    """What a video file holds. `frames` are counted, one by one; times are in ticks.

    `step` is the distance of neighbouring frames, 0 if it is not the same everywhere.
    `reorder_frames` is how many frames may be decoded before they are shown (B-frames). `times`
    are all frames' ticks; `has_alpha_beside` says that alpha is kept beside the pictures. `tags`
    are the whole file's, by lower-case names.
    """

    codec: str
    width_px: int
    height_px: int
    pixel_format: str
    colors: ColorTags
    frames: int
    frame_rate: Fraction
    time_base: Fraction
    first_pts: int
    step: int
    duration_s: Fraction
    reorder_frames: int
    sound: SoundFacts | None
    times: tuple[int, ...] = field(default=(), repr=False, compare=False)
    has_alpha_beside: bool = False
    subtitles: tuple[SubtitleFacts, ...] = ()
    chapters: tuple[ChapterFacts, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)


async def probe(ffprobe: Path, video: Path) -> VideoFacts:
    """Read a video's facts and count its frames.

    Raises:
        EncoderError: ffprobe cannot read the file, or it holds no video.
        MissingToolError: ffprobe cannot be started.

    """
    # One look at both: starting ffprobe costs as much CPU time as some frames.
    told = await _told(ffprobe, video, "-show_chapters", "-show_entries", _PACKETS)
    stream = _first(told, "video")
    if stream is None:
        raise EncoderError(f"{video} holds no video")
    facts = _video_facts(stream, _frame_times(told, stream["index"]), _sound_facts(told))
    return replace(
        facts,
        subtitles=tuple(_subtitles(told)),
        chapters=tuple(map(_chapter, told["chapters"])),
        tags=_tags(told["format"]),
    )


async def probe_sound(ffprobe: Path, source: Path, *, formats: str) -> SoundFacts | None:
    """Read the facts of a file's first audio stream; None if it has none.

    `formats` are the only ffmpeg demuxers that may open it.

    Raises:
        EncoderError: ffprobe cannot read the file.

    """
    return _sound_facts(await _told(ffprobe, source, "-format_whitelist", formats))


async def _told(ffprobe: Path, file: Path, *options: str) -> dict[str, Any]:
    """Streams and format, and what the options ask for besides."""
    what = ("-show_streams", "-show_format", "-of", "json=compact=1")
    printed = await run((str(ffprobe), *_QUIET, *options, *what, f"file:{file}"))
    told: dict[str, Any] = json.loads(printed)
    return told


def _frame_times(told: dict[str, Any], stream_index: int) -> list[int]:
    """When a stream's frames are shown, in ticks and in that order."""
    packets = told["packets"]
    return sorted(packet["pts"] for packet in packets if packet["stream_index"] == stream_index)


def _video_facts(stream: dict[str, Any], times: list[int], sound: SoundFacts | None) -> VideoFacts:
    time_base = Fraction(stream["time_base"])
    return VideoFacts(
        codec=stream["codec_name"],
        width_px=stream["width"],
        height_px=stream["height"],
        pixel_format=stream.get("pix_fmt", "unknown"),
        colors=_color_tags(stream),
        frames=len(times),
        frame_rate=Fraction(stream["avg_frame_rate"]),
        time_base=time_base,
        first_pts=times[0] if times else 0,
        step=_step(times, stream.get("duration_ts", 0)),
        duration_s=stream.get("duration_ts", 0) * time_base,
        reorder_frames=stream.get("has_b_frames", 0),
        sound=sound,
        times=tuple(times),
        has_alpha_beside=_tags(stream).get("alpha_mode") == "1",
    )


def _step(times: list[int], duration: int) -> int:
    """The distance of neighbours; the last frame lasts until the end of the track."""
    if not times:
        return 0
    ends = [*times[1:], times[0] + duration]
    steps = {end - start for start, end in zip(times, ends, strict=True)}
    return steps.pop() if len(steps) == 1 else 0


def _tags(stream: dict[str, Any]) -> dict[str, str]:
    """A stream's tags by lower-case names: how they are written depends on ffmpeg's version."""
    return {name.lower(): value for name, value in stream.get("tags", {}).items()}


def _color_tags(stream: dict[str, Any]) -> ColorTags:
    return ColorTags(
        space=stream.get("color_space", "unknown"),
        primaries=stream.get("color_primaries", "unknown"),
        transfer=stream.get("color_transfer", "unknown"),
        range=stream.get("color_range", "unknown"),
    )


def _subtitles(told: dict[str, Any]) -> Iterator[SubtitleFacts]:
    for stream in told["streams"]:
        if stream["codec_type"] == "subtitle":
            language = _tags(stream).get("language", "und")
            yield SubtitleFacts(codec=stream["codec_name"], language=language)


def _chapter(chapter: dict[str, Any]) -> ChapterFacts:
    return ChapterFacts(
        start_s=Fraction(chapter["start_time"]),
        end_s=Fraction(chapter["end_time"]),
        title=_tags(chapter).get("title", ""),
    )


def _sound_facts(told: dict[str, Any]) -> SoundFacts | None:
    stream = _first(told, "audio")
    if stream is None:
        return None
    file_start_s = Fraction(told["format"].get("start_time", 0))
    return SoundFacts(
        codec=stream.get("codec_name", "unknown"),
        channels=stream.get("channels", 0),
        sample_rate=int(stream.get("sample_rate", 0)),
        lead_s=Fraction(stream.get("start_time", file_start_s)) - file_start_s,
        tags=_tags(told["format"]) | _tags(stream),
    )


def _first(told: dict[str, Any], kind: str) -> dict[str, Any] | None:
    return next((stream for stream in told["streams"] if stream["codec_type"] == kind), None)
