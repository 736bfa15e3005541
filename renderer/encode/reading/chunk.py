"""What a chunk's file holds, read without a process where its form is one that is known exactly.

Starting ffprobe costs 60 ms of CPU, most of it for linking; reading the tables of an mp4 file
costs one (docs/decisions/0042). What is not known exactly is left to ffprobe.
"""

from __future__ import annotations

import asyncio
import struct
from contextlib import nullcontext
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from renderer.encode.probe import VideoFacts, probe

from . import av1, h264, h265
from .bits import UnfamiliarError
from .boxes import outer_boxes
from .form import PictureForm, color_tags
from .track import Track, track_of

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path
    from typing import Any, BinaryIO

# The letters of a codec's entry, its record and reader, and ffprobe's name.
_CODECS: Final = {
    b"avc1": (b"avcC", h264.form_of, "h264"),
    b"hvc1": (b"hvcC", h265.form_of, "hevc"),
    b"av01": (b"av1C", av1.form_of, "av1"),
}
# A table of a million frames has 16 MB; more is nothing to be read into memory.
_MOST_BYTES: Final = 1 << 26
_FULL_RANGE: Final = 0x80


async def chunk_facts(
    ffprobe: Path, chunk: Path, *, looking: AbstractAsyncContextManager[Any] | None = None
) -> VideoFacts:
    """What the file holds, but for its tags; if ffprobe has to look, it does so within `looking`.

    Raises:
        EncoderError: the file cannot be read, or holds no video.
        MissingToolError: ffprobe cannot be started.

    """
    facts = await asyncio.to_thread(read_facts, chunk)
    if facts is not None:
        return facts
    async with looking or nullcontext():
        return await probe(ffprobe, chunk)


def read_facts(chunk: Path) -> VideoFacts | None:
    """What ffprobe would say of the file; None where it has to be asked.

    That is where the codec or the way in which the file is written is none that is read here, and
    where anything about the file is not as it should be: ffprobe knows what to say then.
    """
    try:
        with chunk.open("rb") as file:
            return _facts(_track(file))
    except (UnfamiliarError, FileNotFoundError, ValueError, LookupError, struct.error):
        return None


def _track(file: BinaryIO) -> Track:
    outer = list(outer_boxes(file))
    movies = [box for box in outer if box.name == b"moov"]
    if len(movies) != 1 or any(box.name == b"moof" for box in outer):
        raise UnfamiliarError("the file is not one movie in one piece")
    (movie,) = movies
    if movie.stop - movie.start > _MOST_BYTES:
        raise UnfamiliarError("the file's tables are too long to be read here")
    file.seek(movie.start)
    content = file.read(movie.stop - movie.start)
    return track_of(content, [box for box in outer if box.name == b"mdat"])


def _facts(track: Track) -> VideoFacts:
    record, read, codec = _CODECS[track.entry]
    form = read(track.said[record])
    _check_agreement(track, form)
    time_base = Fraction(1, track.ticks_per_second)
    step = track.ticks_per_frame
    return VideoFacts(
        codec=codec,
        width_px=form.width_px,
        height_px=form.height_px,
        pixel_format=form.pixel_format,
        colors=form.colors,
        frames=track.frames,
        frame_rate=1 / (step * time_base),
        time_base=time_base,
        first_pts=0,
        step=step,
        duration_s=track.frames * step * time_base,
        reorder_frames=form.reorder_frames,
        sound=None,
        times=tuple(range(0, track.frames * step, step)),
    )


def _check_agreement(track: Track, form: PictureForm) -> None:
    """The file says of its pictures what they say of themselves."""
    kind, numbers = track.said[b"colr"][:4], track.said[b"colr"][4:]
    if kind != b"nclx":
        raise UnfamiliarError(f"colours by {kind!r} are not read here")
    *codes, flags = struct.unpack(">HHHB", numbers)
    colors = color_tags(*codes, is_full=bool(flags & _FULL_RANGE))
    if (track.size_px, colors) != ((form.width_px, form.height_px), form.colors):
        raise UnfamiliarError("the file says of its pictures what they do not say")
