"""Which frames a contact sheet shows, where they stand, and what cannot be."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import framefarm
from framefarm.contact_sheet import spaced
from framefarm.sheet_drawing import Cell, Layout, draw_sheet
from renderer.errors import InvalidRequestError
from renderer.frames import FrameRange


@pytest.mark.parametrize(
    ("frames", "count", "wanted"),
    [
        (FrameRange(0, 100), 4, [12, 37, 62, 87]),
        (FrameRange(10, 13), 16, [10, 11, 12]),
        (FrameRange(0, 7), 3, [1, 3, 5]),
        (FrameRange(5, 6), 1, [5]),
    ],
)
def test_frames_are_the_middle_ones_of_equal_parts(
    frames: FrameRange, count: int, wanted: list[int]
) -> None:
    assert list(spaced(frames, count)) == wanted


def test_each_cell_stands_in_its_row_with_its_label_below(tmp_path: Path) -> None:
    colors = [(250, 0, 0), (0, 250, 0), (0, 0, 250)]
    cells = []
    for index, color in enumerate(colors):
        path = tmp_path / f"{index}.png"
        Image.new("RGB", (200, 100), color).save(path)
        cells.append(Cell(picture=path, frame=index, time_s=Fraction(index)))

    draw_sheet(cells, Layout(columns=2, cell_width_px=100), tmp_path / "sheet.png")

    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == (12 + 2 * 112, 12 + 2 * (50 + 22 + 12))
        shown = [sheet.getpixel((x, y)) for x, y in ((62, 37), (174, 37), (62, 121))]
        label = sheet.crop((12, 62, 112, 84)).convert("L").tobytes()
        empty = sheet.getpixel((174, 121))
    assert shown == colors
    assert min(label) < 40 < 150 < max(label)
    assert empty == (24, 27, 34)


def test_a_label_tells_time_and_number() -> None:
    cell = Cell(picture=Path("x"), frame=2520, time_s=Fraction(2520 * 1001, 30000))

    assert cell.label == "1:24.084  frame 2520"


@pytest.mark.parametrize(
    ("given", "field", "words"),
    [
        ({"output": "a.gif"}, "output", "ends in .png, .jpg, .jpeg, .webp"),
        ({"output": "no/a.png"}, "output", "there is no folder"),
        ({"count": 0}, "count", "0 is outside 1…256 frames"),
        ({"columns": 0}, "columns", "0 columns hold nothing"),
        ({"cell_width_px": 5}, "cell_width", "5 is outside 16…4096 px"),
        ({"cell_width_px": 4096, "columns": 5}, "count", "over 16000 a side"),
        ({"codec": "vp9"}, "codec", "of no use for a sheet"),
        ({"frames": None}, "frames", "missing"),
    ],
)
async def test_what_cannot_be_is_told_before_anything_starts(
    given: dict[str, Any], field: str, words: str, tmp_path: Path
) -> None:
    said: dict[str, Any] = {"output": "a.png", "frames": 90} | given
    output = tmp_path / said.pop("output")
    options: dict[str, Any] = {name: value for name, value in said.items() if value is not None}

    with pytest.raises(InvalidRequestError) as refused:
        await framefarm.sheet("http://127.0.0.1:1/", output, **options)

    assert [each.field for each in refused.value.violations] == [field]
    assert words in refused.value.violations[0].problem
    assert list(tmp_path.iterdir()) == []
