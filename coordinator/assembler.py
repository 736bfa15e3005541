"""The assembler: chunk files and a mix → one video. Pictures are copied, never encoded again."""

from __future__ import annotations

import math
import tempfile
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import ffmpeg as graph

from renderer.audio.clips import CHANNELS, SAMPLE_RATE
from renderer.audio.pcm import read
from renderer.encode.arguments import (
    BITEXACT,
    COLOR_TAGS,
    compiled,
    ticks_per_frame,
    track_timescale,
)
from renderer.encode.ffmpeg import run_ffmpeg
from renderer.encode.probe import check_chunk, probe
from renderer.errors import EncoderError
from renderer.frames import FrameRange

if TYPE_CHECKING:
    from renderer.encode.probe import VideoFacts
    from renderer.frames import FrameRate

_SOUND: Final = {"c:a": "aac", "b:a": "192k", "ar": SAMPLE_RATE, "ac": CHANNELS}
_LARGEST_TIMESCALE: Final = (1 << 31) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkFile:
    """A verified chunk: its file, and the frames it holds."""

    path: Path
    frames: FrameRange


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembly:
    """What a video is made of. The chunks follow each other without a gap, from first to last.

    `sound` is a file of plain samples, as long as all frames (`renderer.audio.pcm`).
    """

    chunks: tuple[ChunkFile, ...]
    frame_rate: FrameRate
    width_px: int
    height_px: int
    sound: Path | None = None

    def __post_init__(self) -> None:
        if not self.chunks:
            raise ValueError("an assembly needs at least one chunk")
        if empty := [chunk for chunk in self.chunks if not len(chunk.frames)]:
            raise ValueError(f"chunk {empty[0].path} holds no frames")
        for left, right in pairwise(chunk.frames for chunk in self.chunks):
            if left.stop != right.start:
                raise ValueError(f"chunk {right} does not follow chunk {left}")

    @property
    def frames(self) -> FrameRange:
        return FrameRange(self.chunks[0].frames.start, self.chunks[-1].frames.stop)


async def assemble(assembly: Assembly, output: Path, *, ffmpeg: Path, ffprobe: Path) -> VideoFacts:
    """Join the chunks and the sound to a video that stands at `output` when it is verified.

    Raises:
        EncoderError: a chunk cannot be read, or the video is not what it should be.
        MissingToolError: ffmpeg or ffprobe cannot be started.

    """
    first = await probe(ffprobe, assembly.chunks[0].path)
    # Names and a short list: touched here and not in a thread, which a cancel would leave behind.
    with tempfile.TemporaryDirectory(prefix=".assembly-", dir=output.absolute().parent) as folder:
        listing, video = Path(folder, "chunks.txt"), Path(folder, "video.mp4")
        listing.write_text(concat_list(assembly), encoding="utf-8")
        options = _options(assembly, first.reorder_frames)
        stream = graph.output(*_streams(assembly, listing), f"file:{video}", **options)
        await run_ffmpeg(compiled(stream, ffmpeg), video)
        facts = await probe(ffprobe, video)
        check_video(facts, assembly)
        video.replace(output)
    return facts


def concat_list(assembly: Assembly) -> str:
    """The chunk files for ffmpeg's concat demuxer, with the time each one lasts.

    Without the durations ffmpeg takes each file's own, in whole milliseconds: 100 chunks at
    29.97 fps are a frame off in the end. Ours are differences of exact ends, so that rounding
    them to microseconds does not add up.
    """
    start = assembly.frames.start
    lines = ["ffconcat version 1.0"]
    for chunk in assembly.chunks:
        ends_us = _microseconds(assembly.frame_rate, chunk.frames.stop - start)
        begins_us = _microseconds(assembly.frame_rate, chunk.frames.start - start)
        lines += [f"file {_quoted(chunk.path)}", f"duration {ends_us - begins_us}us"]
    return "\n".join([*lines, ""])


def exact_times(rate: FrameRate, *, reorder_frames: int) -> str:
    """The bitstream filter that puts frames on exact times.

    Presentation times are within a microsecond and snap to the frame they mean. Decoding times
    are counted anew: a chunk of one or two frames has no room to begin as early as B-frames need,
    so the files' own would go backwards.
    """
    ticks = ticks_per_frame(rate)
    return f"setts=pts=round(PTS/{ticks})*{ticks}:dts=(N-{reorder_frames})*{ticks}:duration={ticks}"


def movie_timescale(rate: FrameRate, *, has_sound: bool) -> int:
    """Ticks a second of the file's edit lists, which say exactly how long each track is shown."""
    ticks = track_timescale(rate)
    both = math.lcm(ticks, SAMPLE_RATE)
    return both if has_sound and both <= _LARGEST_TIMESCALE else ticks


def check_video(facts: VideoFacts, assembly: Assembly) -> None:
    """Raise an `EncoderError` that says what differs between a video and its assembly."""
    check_chunk(
        facts,
        frames=len(assembly.frames),
        frame_rate=assembly.frame_rate,
        width_px=assembly.width_px,
        height_px=assembly.height_px,
    )
    sound = facts.sound
    found = None if sound is None else (sound.codec, sound.sample_rate, sound.channels)
    wanted = ("aac", SAMPLE_RATE, CHANNELS) if assembly.sound else None
    if found != wanted:
        raise EncoderError(f"the video's sound is {found}, not {wanted}")


def _streams(assembly: Assembly, listing: Path) -> list[Any]:
    # The listing holds absolute paths, which are "unsafe" to ffmpeg; it is ours.
    chunks = graph.input(f"file:{listing}", format="concat", safe=0, protocol_whitelist="file")
    if assembly.sound is None:
        return [chunks["v:0"]]
    return [chunks["v:0"], read(assembly.sound)]


def _options(assembly: Assembly, reorder_frames: int) -> dict[str, Any]:
    rate, has_sound = assembly.frame_rate, assembly.sound is not None
    return {
        "c:v": "copy",
        "bsf:v": exact_times(rate, reorder_frames=reorder_frames),
        **COLOR_TAGS,
        **(_SOUND if has_sound else {}),
        **BITEXACT,
        "map_metadata": -1,
        "movflags": "+faststart",
        "video_track_timescale": track_timescale(rate),
        "movie_timescale": movie_timescale(rate, has_sound=has_sound),
        "format": "mp4",
    }


def _microseconds(rate: FrameRate, frames: int) -> int:
    return round(1_000_000 * rate.seconds(frames))


def _quoted(path: Path) -> str:
    name = f"file:{path.absolute()}"
    if "\n" in name or "\r" in name:
        raise ValueError(f"ffmpeg's list of chunks cannot hold a line break, as in {name!r}")
    return "'" + name.replace("'", r"'\''") + "'"
