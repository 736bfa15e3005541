"""The encoder: pictures go into ffmpeg's standard input, a chunk file comes out."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from renderer.containment import contained
from renderer.errors import EncoderError

from .arguments import chunk_arguments
from .overlay_files import written_overlays
from .pictures import PictureStream
from .pipe import WritingEnd, open_pipe
from .process import Process, run, running
from .stamped import StampedPictures, Stamps, picture_header

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence
    from pathlib import Path

    from renderer.frames import FrameRange
    from renderer.picture import Picture
    from renderer.settings import RenderSettings

__all__ = ["Encoder", "PictureStream", "encoding", "run_ffmpeg"]


@asynccontextmanager
async def encoding(
    ffmpeg: Path,
    pictures: PictureStream,
    settings: RenderSettings,
    output: Path,
    *,
    frames: FrameRange,
) -> AsyncGenerator[Encoder]:
    """An encoder that writes a chunk to `output`, with these frames of its film.

    The chunk stands there when `finish` has returned. When the block ends otherwise, ffmpeg is
    killed and reaped, and no file stays.

    Raises:
        CompositionError: pictures of this size cannot be encoded so.
        MissingToolError: ffmpeg cannot be started.

    """
    pictures.check(settings)
    stamped = StampedPictures(stream=pictures, rate=settings.frame_rate, frames=len(frames))
    complete = False
    try:
        async with written_overlays(settings, pictures, frames.start, output) as overlays:
            arguments = chunk_arguments(ffmpeg, stamped, settings, output, overlays)
            async with _fed(arguments) as (process, pipe):
                encoder = Encoder(stamped, process, pipe)
                yield encoder
                complete = encoder.finished
    finally:
        if not complete:
            output.unlink(missing_ok=True)


async def run_ffmpeg(arguments: Sequence[str], output: Path) -> None:
    """Run ffmpeg to its end; unless that is a good one, no file stays at `output`.

    Raises:
        EncoderError: ffmpeg failed; with its last lines.
        MissingToolError: ffmpeg cannot be started.

    """
    complete = False
    try:
        await run(arguments)
        complete = True
    finally:
        if not complete:
            output.unlink(missing_ok=True)


class Encoder:
    """A running ffmpeg that turns pictures into a chunk."""

    def __init__(self, pictures: StampedPictures, process: Process, pipe: WritingEnd) -> None:
        self.finished = False
        self._pictures = pictures
        self._process = process
        self._pipe = pipe
        self._stamps = Stamps(pictures)

    async def write(self, picture: Picture) -> None:
        """Hand over the next frame; returns when ffmpeg has taken it, or nearly.

        A repeat costs next to nothing: ffmpeg shows the picture before for longer.

        Raises:
            EncoderError: ffmpeg is gone (with its last lines), the picture has not the stream's
                size, or there is one too many.

        """
        self._check(picture)
        header = b"" if self._stamps.told else self._pictures.header()
        try:
            for stamp in self._stamps.of_next(picture):
                await self._pipe.write(header + picture_header(picture, stamp))
                await self._pipe.write(picture.pixels)
                header = b""
        except BrokenPipeError as error:
            await self._process.ended()
            raise self._process.failure() from error

    def end_input(self) -> None:
        """Say that no more frames come: what ffmpeg has yet to do, it begins now.

        Raises:
            EncoderError: there were too few.

        """
        if self._stamps.told < self._pictures.frames:
            raise EncoderError(
                f"a chunk of {self._pictures.frames} frames got {self._stamps.told} pictures"
            )
        self._pipe.close()

    async def finish(self) -> None:
        """End the input, if that is not done, and wait until the file is complete.

        Raises:
            EncoderError: ffmpeg failed, or there were too few frames.

        """
        self.end_input()
        await self._process.ended()
        self._process.check()
        self.finished = True

    def _check(self, picture: Picture) -> None:
        stream, number = self._pictures.stream, self._stamps.told
        if number == self._pictures.frames:
            raise EncoderError(f"a chunk of {number} frames got one picture more")
        if picture.size_px != (stream.width_px, stream.height_px):
            raise EncoderError(
                f"picture {number} has {picture.width_px}x{picture.height_px} px, "
                f"the stream {stream.width_px}x{stream.height_px} px"
            )


@asynccontextmanager
async def _fed(arguments: Sequence[str]) -> AsyncGenerator[tuple[Process, WritingEnd]]:
    """A process and the pipe that is its standard input."""
    with open_pipe() as (reader, pipe):
        async with running(arguments, stdin=reader.fd) as process, contained(process.pid):
            reader.close()
            yield process, pipe
