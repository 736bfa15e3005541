"""A contact sheet: evenly spaced frames of a page, with their times, as one picture."""

from __future__ import annotations

import asyncio
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Unpack

from coordinator.output_files import MAX_OUTPUTS
from renderer.bundle import sha256_of

from .output_names import OutputName
from .output_options import ENCODING
from .preparation import OutputFiles, Place, prepare
from .problems import Problems
from .rendering import ProgressOnly, render_prepared
from .request import RenderOptions, read_options
from .sheet_drawing import ENDINGS, Cell, Layout, draw_sheet

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from coordinator.job import JobEvent
    from renderer.frames import FrameRange

    from .rendering import RenderWatcher
    from .request import Wish

_WIDTHS_PX: Final = range(16, 4097)
# What every kind of picture can have.
_LONGEST_PX: Final = 16_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetWish:
    """What a sheet is to be like."""

    output: Path
    columns: int = 4
    count: int = 16
    cell_width_px: int = 320


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedSheet:
    """A finished sheet, and the numbers of the frames that it shows."""

    job_id: str
    output: Path
    frames: tuple[int, ...]
    seconds: float
    sha256: str
    warnings: tuple[str, ...] = ()


async def sheet(  # noqa: PLR0913  # what a user may say
    source: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    columns: int = 4,
    count: int = 16,
    cell_width_px: int = 320,
    farm: str | None = None,
    on_progress: Callable[[JobEvent], None] | None = None,
    **options: Unpack[RenderOptions],
) -> RenderedSheet:
    """Render `count` evenly spaced frames of a page, and no others, to one picture.

    `output` ends in .png, .jpg or .webp. All else is as in `render`, which says what is raised.
    """
    wish = SheetWish(output=Path(output), columns=columns, count=count, cell_width_px=cell_width_px)
    place, watcher = Place(farm=farm), ProgressOnly(on_progress)
    return await make_sheet(os.fspath(source), options, wish, place, watcher)


async def make_sheet(
    source: str, options: RenderOptions, wish: SheetWish, place: Place, watcher: RenderWatcher
) -> RenderedSheet:
    """Render a sheet's frames and draw it; it stands at its place when it is whole."""
    film = _film(options)
    _check(wish, film)
    numbers = spaced(film.frames, wish.count)
    # Hidden, so that it is no part of a page's bundle.
    folder = wish.output.parent
    with tempfile.TemporaryDirectory(prefix=".framefarm-", dir=folder) as scratch:
        names = [
            OutputName(path=Path(scratch, f"{number:08}.png"), moment=f"{number}f")
            for number in numbers
        ]
        files = OutputFiles(output=names[0].path, names=tuple(names), leads_to=wish.output)
        prepared = await prepare(source, options, output=files, place=place)
        made = await render_prepared(prepared, files, place, watcher)
        cells = [
            Cell(picture=file.path, frame=number, time_s=film.settings.frame_rate.seconds(number))
            for file, number in zip(made.files, numbers, strict=True)
        ]
        drawn = Path(scratch, f"sheet{wish.output.suffix}")
        layout = Layout(columns=wish.columns, cell_width_px=wish.cell_width_px)
        await asyncio.to_thread(draw_sheet, cells, layout, drawn)
        sha256 = await asyncio.to_thread(sha256_of, drawn)
        await asyncio.to_thread(drawn.replace, wish.output)
    return RenderedSheet(
        job_id=made.job_id,
        output=wish.output,
        frames=tuple(numbers),
        seconds=made.seconds,
        sha256=sha256,
        warnings=made.warnings,
    )


def spaced(frames: FrameRange, count: int) -> Sequence[int]:
    """The middle frames of so many equal parts; all of them, if there are not more."""
    total = len(frames)
    count = min(count, total)
    return [frames.start + (2 * part + 1) * total // (2 * count) for part in range(count)]


def _film(options: RenderOptions) -> Wish:
    """What the frames are taken from."""
    problems = Problems()
    for name in (*ENCODING, "chunk_frames", "audio", "loudness"):
        if name in options:
            problems.add(name, "this is of no use for a sheet; drop it")
    problems.raise_if_any()
    first = OutputName(path=Path("first.png"), moment=f"{options.get('start_frame', 0)}f")
    return read_options(options, [first])


def _check(wish: SheetWish, film: Wish) -> None:
    """Check what is said of the sheet itself.

    Raises:
        InvalidRequestError: something of it cannot be.

    """
    problems = Problems()
    if wish.output.suffix.lower() not in ENDINGS:
        known = ", ".join(ENDINGS)
        problems.add("output", f"{wish.output} is to be a sheet, which ends in {known}")
    if wish.output.is_dir():
        problems.add("output", f"{wish.output} is a folder; name a file")
    elif not wish.output.parent.is_dir():
        problems.add("output", f"there is no folder {wish.output.parent}; make it first")
    if not 1 <= wish.count <= MAX_OUTPUTS:
        problems.add("count", f"{wish.count} is outside 1…{MAX_OUTPUTS} frames")
    if wish.columns < 1:
        problems.add("columns", f"{wish.columns} columns hold nothing; give at least 1")
    if wish.cell_width_px not in _WIDTHS_PX:
        least, most = _WIDTHS_PX.start, _WIDTHS_PX.stop - 1
        problems.add("cell_width", f"{wish.cell_width_px} is outside {least}…{most} px")
    problems.raise_if_any()
    layout = Layout(columns=wish.columns, cell_width_px=wish.cell_width_px)
    width_px, height_px = layout.size_px(
        min(wish.count, len(film.frames)), film.settings.picture_size_px
    )
    if max(width_px, height_px) > _LONGEST_PX:
        problems.add(
            "count",
            f"the sheet would have {width_px}x{height_px} px, over {_LONGEST_PX} a side; take "
            "fewer frames, or smaller ones",
        )
    problems.raise_if_any()
