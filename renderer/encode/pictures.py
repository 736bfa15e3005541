"""PictureStream: the pictures an encoder is fed with, and the part of them that is shown."""

from __future__ import annotations

from dataclasses import dataclass

from renderer.errors import CompositionError, Fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Crop:
    """A box inside a picture, in its pixels."""

    x_px: int
    y_px: int
    width_px: int
    height_px: int

    def __str__(self) -> str:
        return f"{self.width_px}x{self.height_px} px at {self.x_px},{self.y_px}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureStream:
    """Pictures of one size, of which the video shows `crop`, or all.

    Raises:
        CompositionError: (PICTURE_SIZE) the video would have an odd side, which 4:2:0 cannot
            store, or the crop is not inside the picture.

    """

    width_px: int
    height_px: int
    crop: Crop | None = None

    def __post_init__(self) -> None:
        if self.crop is not None and not _contains(self, self.crop):
            raise CompositionError(
                Fault.PICTURE_SIZE,
                f"the box of {self.crop} is not inside the picture of "
                f"{self.width_px}x{self.height_px} px; move it into the viewport or enlarge that",
            )
        width_px, height_px = self.video_size_px
        if width_px < 2 or height_px < 2 or width_px % 2 or height_px % 2:
            raise CompositionError(
                Fault.PICTURE_SIZE,
                f"a video of {width_px}x{height_px} px cannot be: yuv420p needs even sides; "
                f"make it {_even(width_px)}x{_even(height_px)} px",
            )

    @property
    def video_size_px(self) -> tuple[int, int]:
        """Width and height of the video."""
        if self.crop is None:
            return self.width_px, self.height_px
        return self.crop.width_px, self.crop.height_px


def _contains(pictures: PictureStream, crop: Crop) -> bool:
    return (
        min(crop.x_px, crop.y_px) >= 0
        and crop.x_px + crop.width_px <= pictures.width_px
        and crop.y_px + crop.height_px <= pictures.height_px
    )


def _even(side_px: int) -> int:
    return max(2, side_px + side_px % 2)
