"""A process leaves nothing behind, whoever process 1 is: not even a zombie, or when killed."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil

from tests.support.eventually import eventually
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


OPEN_AND_WAIT = """
import asyncio, os
from renderer.browser import LaunchOptions, open_browser
from renderer.tools import find_tools

async def main():
    options = LaunchOptions(chromium=find_tools(os.environ).chromium, sandbox=False)
    async with open_browser(options) as browser:
        target = {"url": "about:blank", "width": 100, "height": 100}
        await browser.root.call("Target.createTarget", target | {"enableBeginFrameControl": True})
        print(browser.pid, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


def browsers_owner(temporary: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", OPEN_AND_WAIT],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"TMPDIR": str(temporary)},
    )


async def test_a_browser_ends_when_whoever_started_it_is_killed(tmp_path: Path) -> None:
    tools_or_skip()
    with browsers_owner(tmp_path) as owner:
        assert owner.stdout is not None
        browser = psutil.Process(int(await asyncio.to_thread(owner.stdout.readline)))
        family = [browser, *browser.children(recursive=True)]
        assert len(family) > 2

        owner.kill()

    await eventually(lambda: not any(map(_is_alive, family)))


def _is_alive(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return process.status() != psutil.STATUS_ZOMBIE
    return False
