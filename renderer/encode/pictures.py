"""PictureStream: the pictures an encoder is fed with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from renderer.errors import CompositionError, Fault

from .choices import size_problem

if TYPE_CHECKING:
    from renderer.settings import RenderSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureStream:
    """Pictures of one size, which the video has, too."""

    width_px: int
    height_px: int

    @property
    def video_size_px(self) -> tuple[int, int]:
        """Width and height of the video."""
        return self.width_px, self.height_px

    def check(self, settings: RenderSettings) -> None:
        """Check that they can be encoded.

        Raises:
            CompositionError: (PICTURE_SIZE) a side is odd, which the codec cannot store.

        """
        if problem := size_problem(settings, self.video_size_px):
            raise CompositionError(Fault.PICTURE_SIZE, f"a video of {problem}")
