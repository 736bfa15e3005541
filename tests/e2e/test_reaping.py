"""A worker process leaves not even a zombie behind, whoever process 1 is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.pages import tools_or_skip

RENDER_AND_COUNT = """
import asyncio, os, sys
from pathlib import Path
import psutil
from renderer.bundle import BundleStore
from renderer.events import FramesDone
from renderer.frames import FrameRange
from renderer.processes import adopt_orphans
from renderer.renderer import open_renderer
from renderer.tools import find_tools
from tests.support.pages import add_page, page_settings

async def main(folder):
    adopt_orphans()
    store = BundleStore(folder / "store")
    async with open_renderer(store, find_tools(os.environ)) as renderer:
        driver = set(psutil.Process().children(recursive=True))
        frames = FrameRange(0, 5)
        page = add_page(store, "counter.html")
        settings = page_settings()
        output = folder / "out.mp4"
        for _ in range(2):
            await renderer.render(
                page, frames, settings=settings, output=output, on_event=lambda _: None
            )
        left = set(psutil.Process().children(recursive=True)) - driver
        print([(process.name(), process.status()) for process in left])

asyncio.run(main(Path(sys.argv[1])))
"""


def test_a_render_leaves_not_even_a_zombie(tmp_path: Path) -> None:
    tools_or_skip()

    done = subprocess.run(
        [sys.executable, "-c", RENDER_AND_COUNT, str(tmp_path)],
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert done.stdout.strip() == "[]"
