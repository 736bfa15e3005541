"""Assembly: what a finished file is made of. Values only."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import ffmpeg as graph

from renderer.encode.recipe import chunk_recipe
from renderer.frames import FrameRange

from .extras import Extras

if TYPE_CHECKING:
    from pathlib import Path

    from renderer.frames import FrameRate
    from renderer.settings import RenderSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkFile:
    """A verified chunk: its file, and the frames it holds."""

    path: Path
    frames: FrameRange


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembly:
    """What a video is made of. The chunks follow each other without a gap, from first to last.

    `kept` are the settings that the chunks were encoded with, where the file wants others: then
    they hold every pixel as it was captured. `sound` is a file of plain samples, as long as all
    frames (`renderer.audio.pcm`).
    """

    chunks: tuple[ChunkFile, ...]
    settings: RenderSettings
    width_px: int
    height_px: int
    kept: RenderSettings | None = None
    sound: Path | None = None
    extras: Extras = field(default_factory=Extras)

    def __post_init__(self) -> None:
        if not self.chunks:
            raise ValueError("an assembly needs at least one chunk")
        if empty := [chunk for chunk in self.chunks if not len(chunk.frames)]:
            raise ValueError(f"chunk {empty[0].path} holds no frames")
        for left, right in pairwise(chunk.frames for chunk in self.chunks):
            if left.stop != right.start:
                raise ValueError(f"chunk {right} does not follow chunk {left}")

    @property
    def frame_rate(self) -> FrameRate:
        return self.settings.frame_rate

    @property
    def is_converted(self) -> bool:
        """Whether pictures are what was captured, and the encoder takes something else."""
        return self.kept is not None and chunk_recipe(self.kept) != chunk_recipe(self.settings)

    @property
    def frames(self) -> FrameRange:
        return FrameRange(self.chunks[0].frames.start, self.chunks[-1].frames.stop)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workbench:
    """The tools of one assembly, a folder for what is made on the way, and the list of chunks."""

    ffmpeg: Path
    ffprobe: Path
    folder: Path
    listing: Path

    def chunks(self, **options: Any) -> Any:
        """All chunks' pictures, one after the other."""
        # The listing holds absolute paths, which are "unsafe" to ffmpeg; it is ours.
        named: dict[str, Any] = {"format": "concat", "safe": 0, "protocol_whitelist": "file"}
        return graph.input(f"file:{self.listing}", **named, **options)["v:0"]


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


def _microseconds(rate: FrameRate, frames: int) -> int:
    return round(1_000_000 * rate.seconds(frames))


def _quoted(path: Path) -> str:
    name = f"file:{path.absolute()}"
    if "\n" in name or "\r" in name:
        raise ValueError(f"ffmpeg's list of chunks cannot hold a line break, as in {name!r}")
    return "'" + name.replace("'", r"'\''") + "'"
