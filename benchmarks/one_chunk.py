"""Renders one chunk with one renderer, nothing around it: INDEX OUTPUT WIDTH HEIGHT FRAMES."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from pathlib import Path

from renderer.bundle import BundleStore, manifest_of
from renderer.composition import BundleEntry
from renderer.frames import FrameRange
from renderer.processes import adopt_orphans
from renderer.renderer import open_renderer
from renderer.settings import RenderSettings
from renderer.tools import find_tools


async def main(index: Path, output: Path, width_px: int, height_px: int, frames: int) -> None:
    settings = RenderSettings(width_px=width_px, height_px=height_px)
    with tempfile.TemporaryDirectory() as folder:
        bundles = BundleStore(Path(folder))
        digest = bundles.add_folder(index.parent, manifest_of(index.parent))
        async with open_renderer(bundles, find_tools(os.environ)) as renderer:
            await renderer.render(
                BundleEntry(digest, index.name),
                FrameRange(0, frames),
                settings=settings,
                output=output,
                on_event=lambda _: None,
            )


if __name__ == "__main__":
    adopt_orphans()
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2]), *map(int, sys.argv[3:6])))
