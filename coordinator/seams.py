"""Seams: where a chunk ends, the next one begins with the very picture that would have followed."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from executors.errors import ExecutorError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from executors.base import ChunkResult, ChunkTask

    from .job import StoredPicture


@dataclass(frozen=True, slots=True, kw_only=True)
class Seam:
    """A frame that two chunks have captured: one after its last, one as its first."""

    frame: int
    left: ChunkResult
    right: ChunkResult

    @property
    def is_torn(self) -> bool:
        """Whether the pictures differ. Those that an executor does not tell are taken as equal."""
        first = self.right.frame_digests[:1]
        return bool(self.left.next_frame_digest and first) and first != (
            self.left.next_frame_digest,
        )

    def __str__(self) -> str:
        return (
            f"frame {self.frame} of chunk {self.right.index} on {self.right.worker} is another "
            f"picture than the one that follows chunk {self.left.index} on {self.left.worker}"
        )


class SeamMismatchError(ExecutorError):
    """Two chunks do not agree on a frame, and did not when they were rendered again."""

    def __init__(self, seam: Seam) -> None:
        super().__init__(
            f"{seam}, twice: the page does not draw this frame by its time alone. A service that "
            "answers differently each time, or workers and requests that race, do that: "
            "framefarm check shows what differs. A page that needs the frames before it to be "
            "played wants --stateful; with --chunk-frames as long as the video there is no seam",
            detail=f"digests of the pictures: {seam.left.next_frame_digest} after chunk "
            f"{seam.left.index}, {seam.right.frame_digests[0]} in chunk {seam.right.index}",
        )
        self.seam = seam
        self.chunk_index = seam.right.index
        self.pictures: tuple[StoredPicture, ...] = ()  # of both, where they could be kept


def torn(tasks: Sequence[ChunkTask], results: Mapping[int, ChunkResult], *, at: int) -> list[Seam]:
    """Return where chunk `at` does not fit to those of its neighbours that are there, in order.

    One of another engine draws another picture by right; whether such may meet is decided apart.
    """
    seams = (
        Seam(frame=right.frames.start, left=results[left.index], right=results[right.index])
        for left, right in pairwise(tasks[max(0, at - 1) : at + 2])
        if left.index in results
        and right.index in results
        and left.frames.stop == right.frames.start  # else there is no seam between single frames
    )
    return [
        seam for seam in seams if seam.is_torn and seam.left.fingerprint == seam.right.fingerprint
    ]
