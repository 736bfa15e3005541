"""A renderer and no farm: `python -m benchmarks.plain_renderer FOLDER PAGE SIZE… START STOP`.

SIZE… are width and height. It prints a line when its browser stands, renders when it reads one, and
prints another at the end.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from renderer.bundle import BundleStore, manifest_of
from renderer.composition import BundleEntry
from renderer.frames import FrameRange
from renderer.processes import adopt_orphans
from renderer.renderer import open_renderer
from renderer.settings import History, RenderSettings
from renderer.tools import find_tools


def settings_of(size_px: tuple[int, int]) -> RenderSettings:
    """Settings for a page that can be jumped in."""
    width_px, height_px = size_px
    return RenderSettings(width_px=width_px, height_px=height_px, history=History.SEEKABLE)


async def main() -> None:
    folder, page = map(Path, sys.argv[1:3])
    width_px, height_px, start, stop = map(int, sys.argv[3:])
    settings, frames = settings_of((width_px, height_px)), FrameRange(start, stop)
    adopt_orphans()  # as a worker does: what ends is counted
    store = BundleStore(folder)
    entry = BundleEntry(store.add_folder(page.parent, manifest_of(page.parent)), page.name)
    async with open_renderer(store, find_tools(os.environ)) as renderer:
        await renderer.start_browsers()
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        output = folder / "out.mp4"
        await renderer.render(
            entry, frames, settings=settings, output=output, on_event=lambda _: None, series="plain"
        )
        print("done", flush=True)
        await asyncio.to_thread(sys.stdin.readline)


if __name__ == "__main__":
    asyncio.run(main())
