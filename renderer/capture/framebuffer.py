"""Where a page's painted pixels stand in Chromium's memory, found by showing it noise.

The headless shell composites in software. The finished frame stands in its GPU process as rows of
BGRA, always at the same place, and is complete when BeginFrame answers. To read it there costs a
copy; to ask for a picture costs an image file, its base64 and a decoder.
"""

from __future__ import annotations

import asyncio
import base64
import os
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Final

from renderer import processes
from renderer.picture import BYTES_PER_PIXEL

from . import scripts
from .memory import ProcessMemory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from renderer.page import Page

    from .memory import Region

    RegionsOfSize = Callable[[int, int], Iterator[Region]]

_NOISES: Final = 6
_NEEDLE_BYTES: Final = 256
_MAX_REGION_BYTES: Final = 1 << 30
_TIMEOUT_S: Final = 10.0
_OPAQUE: Final = b"\xff"


class NoFramebufferError(Exception):
    """There is none to be read; the text says why."""


@dataclass(frozen=True, slots=True)
class Framebuffer:
    """The place of a page's painted pixels, rows of BGRA from the top, without gaps."""

    memory: ProcessMemory
    address: int
    width_px: int
    height_px: int

    @property
    def size_bytes(self) -> int:
        return self.width_px * self.height_px * BYTES_PER_PIXEL

    def read_into(self, buffer: bytearray) -> None:
        """Copy the frame that was painted last.

        Raises:
            OSError: the process is gone, or the memory is.

        """
        self.memory.read_into(self.address, buffer)


async def find_framebuffer(page: Page, browser_pid: int, size_px: tuple[int, int]) -> Framebuffer:
    """Find where an empty page's pixels stand. The page shows noise afterwards.

    A place counts only if two pictures of noise stood there in full, one after the other, and only
    if it is the only one.

    Raises:
        NoFramebufferError: nothing is found, or more than one place, or reading is not allowed.

    """
    memory = ProcessMemory(await asyncio.to_thread(_gpu_process, browser_pid))
    try:
        return Framebuffer(memory, await _search(page, memory, size_px), *size_px)
    except OSError as error:
        raise NoFramebufferError(f"Chromium's memory cannot be read: {error}") from error


def _gpu_process(browser_pid: int) -> int:
    for pid in chain(processes.lineage(browser_pid), _among_all(browser_pid)):
        with suppress(OSError):  # it has ended
            # Chromium's helpers write their arguments anew, with spaces between.
            words = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").split()
            if b"--type=gpu-process" in words:
                return pid
    raise NoFramebufferError("Chromium runs no GPU process")


def _among_all(browser_pid: int) -> Iterator[int]:
    """The browser's family by a look at all processes of the machine, which may be many."""
    yield from (process.pid for process in processes.tree_of(browser_pid))


async def _search(page: Page, memory: ProcessMemory, size_px: tuple[int, int]) -> int:
    """Show noise until exactly one place has held two pictures in a row."""
    held: list[int] = []
    for noise in range(_NOISES):
        picture = await _show_noise(page, size_px)
        if held:
            held = await asyncio.to_thread(_still, memory, held, picture)
        else:
            # What is filled is there, as a rule, and a twentieth of all there is.
            regions = memory.filled_regions if noise == 0 else memory.regions
            held = await asyncio.to_thread(_places, memory, regions, picture)
            continue
        if len(held) == 1:
            return held[0]
    raise NoFramebufferError(
        f"its pixels stand in {len(held)} places" if held else "its pixels are nowhere to be found"
    )


async def _show_noise(page: Page, size_px: tuple[int, int]) -> bytes:
    """Fill the page with noise; return the rows that have to stand somewhere now.

    Each row is the one above, moved by a pixel: little to send, and all of it must be right.
    """
    width_px, height_px = size_px
    colors = os.urandom(3 * (width_px + height_px))
    row = bytearray(BYTES_PER_PIXEL * (width_px + height_px))
    for channel in range(3):
        row[channel::BYTES_PER_PIXEL] = colors[channel::3]
    row[3::BYTES_PER_PIXEL] = _OPAQUE * (width_px + height_px)
    noise = scripts.literal(base64.b64encode(row).decode())
    # In whatever document is there now: the first one of a target is soon replaced by its like.
    await page.cdp.call(
        "Runtime.evaluate",
        {"expression": scripts.call("noise", noise, str(width_px), str(height_px))},
        timeout_s=_TIMEOUT_S,
    )
    for _ in range(2):  # a new page has no surface at first
        await page.draw_now(timeout_s=_TIMEOUT_S)
    starts = range(0, BYTES_PER_PIXEL * height_px, BYTES_PER_PIXEL)
    return b"".join(row[start : start + BYTES_PER_PIXEL * width_px] for start in starts)


def _places(memory: ProcessMemory, regions: RegionsOfSize, picture: bytes) -> list[int]:
    looked_at = list(regions(len(picture), max(_MAX_REGION_BYTES, len(picture))))
    return [place for region in looked_at for place in _places_in(memory, picture, region)]


def _places_in(memory: ProcessMemory, picture: bytes, region: Region) -> list[int]:
    found = list(memory.find(picture[:_NEEDLE_BYTES], region))
    return _still(memory, found, picture)


def _still(memory: ProcessMemory, places: list[int], picture: bytes) -> list[int]:
    buffer = bytearray(len(picture))
    return [place for place in places if _holds(memory, place, picture, buffer)]


def _holds(memory: ProcessMemory, place: int, picture: bytes, buffer: bytearray) -> bool:
    try:
        memory.read_into(place, buffer)
    except OSError:
        return False
    return buffer.startswith(picture)
