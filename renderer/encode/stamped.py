"""Pictures with time stamps: one that repeats the one before is handed to ffmpeg once. Pure.

They travel as IVF (https://wiki.multimedia.cx/index.php/IVF): 32 bytes for the stream and 12 for
each picture, of which ffmpeg takes pixels by the same road as bare ones.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import ffmpeg as graph

if TYPE_CHECKING:
    from renderer.frames import FrameRate
    from renderer.picture import Picture

    from .pictures import PictureStream

# ffmpeg encodes a repeat when it has the picture after it: what it has left to do at a chunk's
# end, and what it holds, stays small. More of them would save no more (where-time-goes.md).
_MOST_REPEATS: Final = 15
# It takes a step of 30 hours in a stream's time for an error.
_LONGEST_S: Final = 3600
_FILE_HEADER: Final = struct.Struct("<4sHH4sHHIIII")
_PICTURE_HEADER: Final = struct.Struct("<IQ")


@dataclass(frozen=True, slots=True, kw_only=True)
class StampedPictures:
    """The pictures of a chunk's `frames`, of which ffmpeg makes as many frames at this rate."""

    stream: PictureStream
    rate: FrameRate
    frames: int

    @property
    def most_repeats(self) -> int:
        """How many frames may follow each other without a picture."""
        return min(_MOST_REPEATS, int(_LONGEST_S * self.rate.fraction))

    def header(self) -> bytes:
        """What comes before the first picture. One tick is one frame."""
        return _FILE_HEADER.pack(
            b"DKIF",
            0,
            _FILE_HEADER.size,
            b"BGRA",
            self.stream.width_px,
            self.stream.height_px,
            self.rate.numerator,
            self.rate.denominator,
            0,  # how many there are is told by their end
            0,
        )

    def source(self, threads: int) -> Any:
        """The pictures as they come out of ffmpeg's standard input."""
        return graph.input(
            "pipe:0",
            format="ivf",
            **{"c:v": "rawvideo"},  # IVF knows no such codec; the decoder knows BGRA
            fpsprobesize=0,  # no look ahead for the rate, which is known
            threads=threads,
        ).video

    def each_frame(self, video: Any) -> Any:
        """Every frame, once: a picture is shown until the next one.

        What ends the last frame's picture is one more, which is cut off again. How long a picture
        lasts that none comes after is a guess, another one in every ffmpeg.
        """
        return video.filter("fps", str(self.rate)).filter("trim", end_frame=self.frames)


def picture_header(picture: Picture, stamp: int) -> bytes:
    return _PICTURE_HEADER.pack(len(picture.pixels), stamp)


class Stamps:
    """Says of each frame's picture under which numbers it is to be handed over."""

    def __init__(self, pictures: StampedPictures) -> None:
        self.told = 0
        self._frames = pictures.frames
        self._most_repeats = pictures.most_repeats
        self._last = 0

    def of_next(self, picture: Picture) -> list[int]:
        """None for a repeat; the last frame's picture ends itself, under a number more."""
        frame, self.told = self.told, self.told + 1
        end = [self._frames] if self.told == self._frames else []
        if picture.is_repeat and frame and frame - self._last <= self._most_repeats:
            return end
        self._last = frame
        return [frame, *end]
