"""A renderer and no farm: `python -m benchmarks.plain_renderer FOLDER PAGE START STOP`.

It prints a line when its browser stands, renders when it reads one, and prints another at the end.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Final

from renderer.bundle import BundleStore, manifest_of
from renderer.composition import BundleEntry
from renderer.frames import FrameRange
from renderer.processes import adopt_orphans
from renderer.renderer import open_renderer
from renderer.settings import History, RenderSettings
from renderer.tools import find_tools

SETTINGS: Final = RenderSettings(width_px=640, height_px=360, history=History.SEEKABLE)


async def main() -> None:
    folder, page, frames = Path(sys.argv[1]), Path(sys.argv[2]), FrameRange(*map(int, sys.argv[3:]))
    adopt_orphans()  # as a worker does: what ends is counted
    store = BundleStore(folder)
    entry = BundleEntry(store.add_folder(page.parent, manifest_of(page.parent)), page.name)
    async with open_renderer(store, find_tools(os.environ)) as renderer:
        await renderer.start_browsers()
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        output = folder / "out.mp4"
        await renderer.render(
            entry, frames, settings=SETTINGS, output=output, on_event=lambda _: None, series="plain"
        )
        print("done", flush=True)
        await asyncio.to_thread(sys.stdin.readline)


if __name__ == "__main__":
    asyncio.run(main())
