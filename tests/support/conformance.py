"""Films conformance pages, whole and in pieces, and knows what time each frame shows."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from renderer.frames import FrameRate

from .pages import LOSSLESS, PAGES, Crew
from .rows import read_bars, read_rows

if TYPE_CHECKING:
    from .pages import Film

CONFORMANCE_PAGES = Path(__file__).parents[1] / "e2e" / "conformance" / "pages"
WIDTH_PX = 400
ROW_PX = 24

# What a row or a bar shows in a frame.
Belief = Callable[["Moment"], float]


class Moment:
    """A frame and its time."""

    def __init__(self, frame: int, rate: FrameRate) -> None:
        self.frame = frame
        self.rate = rate
        self.us = rate.time_us(frame)
        self.ms = self.us / 1000

    @property
    def tenths(self) -> int:
        return self.us // 100

    @property
    def date_ms(self) -> int:
        """Whole milliseconds, rounded up."""
        return -(-self.us // 1000)

    def begun(self, ms: float) -> Moment:
        """The first frame at or after `ms`: what is begun by a timer begins there."""
        frame = max(0, math.floor(ms * float(self.rate.fraction) / 1000) - 1)
        while self.rate.time_us(frame) < ms * 1000:
            frame += 1
        return Moment(frame, self.rate)

    def since(self, ms: float) -> float:
        """How long before this frame the first one at or after `ms` was; at least 0."""
        return max(0, self.us - self.begun(ms).us) / 1000


async def film_page(
    crew: Crew,
    page: str | Mapping[str, str | bytes],
    frames: tuple[int, int],
    *,
    rate: str,
    rows: int,
    **settings: Any,
) -> Film:
    """Film a conformance page, or the files of one; `rows` says how high it is."""
    files: dict[str, str | bytes] = {**page_files()}
    files |= {"index.html": files[page]} if isinstance(page, str) else page
    if isinstance(props := settings.pop("props", None), dict):
        settings["props_json"] = json.dumps(props)
    return await crew.film_files(
        files, frames, frame_rate=FrameRate.parse(rate), **page_size(rows), **LOSSLESS, **settings
    )


def page_files() -> dict[str, bytes]:
    """All conformance pages, with what they need."""
    files = [*CONFORMANCE_PAGES.iterdir(), PAGES / "squares.js"]
    return {path.name: path.read_bytes() for path in files}


def page_size(rows: int) -> dict[str, Any]:
    """How large a page of so many rows is."""
    return {"width_px": WIDTH_PX, "height_px": ROW_PX * (rows + rows % 2)}


def assert_rows(
    film: Film | Path,
    frames: tuple[int, int],
    rate: str,
    beliefs: Mapping[str, Belief],
    *,
    off: float = 0,
) -> None:
    """Every row of every frame shows what it should, give or take `off`."""
    read = read_rows(film if isinstance(film, Path) else film.path, len(beliefs))
    _compare(read, frames, rate, beliefs, off)


def assert_row(
    film: Film,
    frames: tuple[int, int],
    rate: str,
    row: int,
    belief: tuple[str, Belief],
    *,
    off: float = 0,
) -> None:
    """One row of every frame shows what it should."""
    read = [[numbers[row]] for numbers in read_rows(film.path, row + 1)]
    _compare(read, frames, rate, dict([belief]), off)


def assert_bars(
    film: Film, frames: tuple[int, int], rate: str, first_row: int, beliefs: Mapping[str, Belief]
) -> None:
    """Every bar of every frame has its length, to the pixel."""
    rows = range(first_row, first_row + len(beliefs))
    _compare(read_bars(film.path, rows), frames, rate, beliefs, off=1)


def _compare(
    read: list[list[int]],
    frames: tuple[int, int],
    rate: str,
    beliefs: Mapping[str, Belief],
    off: float,
) -> None:
    assert len(read) == frames[1] - frames[0]
    for frame, shown in zip(range(*frames), read, strict=True):
        moment = Moment(frame, FrameRate.parse(rate))
        for (name, belief), number in zip(beliefs.items(), shown, strict=True):
            wanted = belief(moment)
            told = f"{name} in frame {frame} at {rate} fps ({moment.ms} ms)"
            assert abs(number - wanted) <= off, f"{told}: shows {number}, not {wanted}"
