"""What a browser has started ends with it, even what has left its process group and its family."""

from __future__ import annotations

import asyncio
import shlex
from dataclasses import replace
from pathlib import Path

import psutil

from renderer.frames import FrameRange
from tests.support.containing import cgroup_or_skip
from tests.support.eventually import eventually
from tests.support.pages import add_page, open_crew, page_settings, tools_or_skip
from tests.support.processes import browsers

# The process that becomes the browser has a child before, which waits until it is in a cgroup of
# ours. Then it leaves a stray behind: in a session of its own, and nobody's child.
BROWSER = """#!/bin/sh
case "$*" in *--framefarm-browser=*)
  (
    until grep -q '^0::.*framefarm-' /proc/self/cgroup; do sleep 0.01; done
    setsid sh -c 'sleep 600 & echo $! > "$0".part; mv "$0".part "$0"' {pid_file}
  ) &
esac
exec {chromium} "$@"
"""


async def test_a_stray_of_a_browser_ends_with_an_abort(tmp_path: Path) -> None:
    tools = tools_or_skip()
    cgroup_or_skip()
    browser, pid_file = tmp_path / tools.chromium.name, tmp_path / "stray"
    told = {"pid_file": shlex.quote(str(pid_file)), "chromium": shlex.quote(str(tools.chromium))}
    browser.write_text(BROWSER.format_map(told))
    browser.chmod(0o755)

    async with open_crew(tmp_path, tools=replace(tools, chromium=browser)) as crew:
        rendering = asyncio.create_task(
            crew.renderer.render(
                add_page(crew.store, "counter.html"),
                FrameRange(0, 100_000),
                settings=page_settings(),
                output=tmp_path / "out.mp4",
                on_event=lambda _: None,
            )
        )
        await eventually(pid_file.exists, within_s=60)
        stray = psutil.Process(int(pid_file.read_text()))
        (main,) = browsers()
        family = main.children(recursive=True)
        rendering.cancel()
        await asyncio.wait([rendering])

    assert stray not in family
    assert not stray.is_running() or stray.status() == psutil.STATUS_ZOMBIE
