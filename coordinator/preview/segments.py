"""A chunk file → a segment of the preview: its pictures copied, at the film's times."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

import ffmpeg as graph

from renderer.encode.arguments import BITEXACT, compiled, ticks_per_frame, track_timescale
from renderer.encode.ffmpeg import run_ffmpeg
from renderer.encode.reading.chunk import chunk_facts
from renderer.errors import EncoderError

from .boxes import moved

if TYPE_CHECKING:
    from pathlib import Path

    from renderer.frames import FrameRange, FrameRate


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentMaker:
    """Makes segments of a film that begins with frame `first`."""

    ffmpeg: Path
    ffprobe: Path
    rate: FrameRate
    first: int

    async def make(self, chunk: Path, frames: FrameRange, index: int, output: Path) -> bytes:
        """Write a segment to `output`; its file's head, which all chunks of a film share.

        Raises:
            EncoderError: the chunk cannot be read, or made a segment.

        """
        part = output.with_suffix(".part")
        try:
            earlier = await self._fragment(chunk, part)
            begins = (frames.start - self.first) * ticks_per_frame(self.rate)
            return await asyncio.to_thread(_cut, part, output, index + 1, begins, earlier)
        except ValueError as error:
            raise EncoderError(f"{chunk} makes no segment: {error}") from error
        finally:
            part.unlink(missing_ok=True)

    async def _fragment(self, chunk: Path, part: Path) -> int:
        """Copy a chunk into a file of one fragment; how many ticks its frames stand too late."""
        facts = await chunk_facts(self.ffprobe, chunk)
        ticks = ticks_per_frame(self.rate)
        # mp4's muxer takes no frame that is shown before it is decoded, and fragments begin at 0.
        late = facts.reorder_frames * ticks
        shown = "N" if facts.reorder_frames == 0 else f"round(PTS/{ticks})"
        times = f"setts=pts={shown}*{ticks}+{late}:dts=N*{ticks}:duration={ticks}"
        times += f":time_base=1/{track_timescale(self.rate)}"  # WebM's own is too coarse
        options = {
            "c:v": "copy",
            "bsf:v": times,
            "format": "mp4",
            "movflags": "+empty_moov+default_base_moof+skip_trailer",
            "video_track_timescale": track_timescale(self.rate),
            "write_btrt": 0,  # a bitrate, which is each chunk's own
            "map_metadata": -1,
        }
        copied = graph.input(f"file:{chunk}")["v:0"].output(f"file:{part}", **options, **BITEXACT)
        await run_ffmpeg(compiled(copied, self.ffmpeg), part)
        return late


def head_of(file: Path) -> bytes:
    """What stands before the first fragment of a file. Blocks.

    Raises:
        EncoderError: it holds no fragment.

    """
    head = b""
    with file.open("rb") as source:
        try:
            while (found := _next_box(source))[0] != b"moof":
                head += found[1]
        except ValueError as error:
            raise EncoderError(f"{file}: {error}") from error
    return head


def _cut(part: Path, output: Path, number: int, begins: int, earlier: int) -> bytes:
    """Put what follows the head into a file of its own, at its time."""
    with part.open("rb") as source:
        head, moof = b"", b""
        while not moof:
            name, box = _next_box(source)
            head, moof = (head, box) if name == b"moof" else (head + box, b"")
        with output.open("xb") as target:
            target.write(moved(moof, number=number, begins=begins, earlier=earlier))
            shutil.copyfileobj(source, target)
    return head


def _next_box(source: IO[bytes]) -> tuple[bytes, bytes]:
    start = source.read(8)
    if len(start) < 8:
        raise ValueError("it holds no fragment")
    size = int.from_bytes(start[:4], "big")
    return start[4:], start + source.read(size - 8)
