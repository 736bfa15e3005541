"""PictureStream: the pictures an encoder is fed with."""

from __future__ import annotations

from dataclasses import dataclass

from renderer.errors import CompositionError, Fault


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureStream:
    """Pictures of one size, which the video has, too.

    Raises:
        CompositionError: (PICTURE_SIZE) it has an odd side, which 4:2:0 cannot store.

    """

    width_px: int
    height_px: int

    @property
    def video_size_px(self) -> tuple[int, int]:
        """Width and height of the video."""
        return self.width_px, self.height_px

    def __post_init__(self) -> None:
        width_px, height_px = self.video_size_px
        if width_px < 2 or height_px < 2 or width_px % 2 or height_px % 2:
            raise CompositionError(
                Fault.PICTURE_SIZE,
                f"a video of {width_px}x{height_px} px cannot be: yuv420p needs even sides; "
                f"make it {_even(width_px)}x{_even(height_px)} px",
            )


def _even(side_px: int) -> int:
    return max(2, side_px + side_px % 2)
