"""Drawing a contact sheet: pictures in rows, each with its time below it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    from collections.abc import Sequence
    from fractions import Fraction
    from pathlib import Path

ENDINGS: Final = (".png", ".jpg", ".jpeg", ".webp")
_GAP_PX: Final = 12
_LINE_PX: Final = 22
_TEXT_PX: Final = 14
_GROUND: Final = (24, 27, 34)
_INK: Final = (214, 218, 227)
_QUALITY: Final = 92


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A frame of the sheet: its picture, its number, and its time in the composition."""

    picture: Path
    frame: int
    time_s: Fraction

    @property
    def label(self) -> str:
        minutes, milliseconds = divmod(round(1000 * self.time_s), 60_000)
        return f"{minutes}:{milliseconds // 1000:02}.{milliseconds % 1000:03}  frame {self.frame}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How cells stand: so many in a row, each so wide."""

    columns: int
    cell_width_px: int

    def cell_size_px(self, picture_px: tuple[int, int]) -> tuple[int, int]:
        width_px, height_px = picture_px
        return self.cell_width_px, max(1, round(self.cell_width_px * height_px / width_px))

    def size_px(self, count: int, picture_px: tuple[int, int]) -> tuple[int, int]:
        """The whole sheet."""
        width_px, height_px = self.cell_size_px(picture_px)
        columns = min(self.columns, count)
        rows = -(-count // self.columns)
        across = _GAP_PX + columns * (width_px + _GAP_PX)
        return across, _GAP_PX + rows * (height_px + _LINE_PX + _GAP_PX)

    def corner_px(self, index: int, picture_px: tuple[int, int]) -> tuple[int, int]:
        """Where a cell's picture begins."""
        width_px, height_px = self.cell_size_px(picture_px)
        row, column = divmod(index, self.columns)
        left = _GAP_PX + column * (width_px + _GAP_PX)
        return left, _GAP_PX + row * (height_px + _LINE_PX + _GAP_PX)


def draw_sheet(cells: Sequence[Cell], layout: Layout, output: Path) -> None:
    """Write a picture of all cells; they have one size."""
    with Image.open(cells[0].picture) as first:
        picture_px = first.size
    ground = Image.new("RGB", layout.size_px(len(cells), picture_px), _GROUND)
    draw, font = ImageDraw.Draw(ground), ImageFont.load_default(_TEXT_PX)
    size_px = layout.cell_size_px(picture_px)
    for index, cell in enumerate(cells):
        left, top = layout.corner_px(index, picture_px)
        with Image.open(cell.picture) as picture:
            small = picture.convert("RGBA").resize(size_px, Image.Resampling.LANCZOS)
        ground.paste(small, (left, top), small)
        below = (left, top + size_px[1] + (_LINE_PX - _TEXT_PX) // 2)
        draw.text(below, cell.label, fill=_INK, font=font)
    ground.save(output, quality=_QUALITY)
