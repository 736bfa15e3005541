"""What is kept goes when it has been idle, has done much, or holds much."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from renderer.frames import FrameRange
from renderer.keeping import WarmLimits
from tests.support.eventually import eventually
from tests.support.pages import Crew, add_page, open_crew, page_settings
from tests.support.processes import browsers

LIMITS = WarmLimits(browsers=1)


async def render(crew: Crew, start: int, stop: int, *, has_successor: bool) -> None:
    await crew.renderer.render(
        add_page(crew.store, "counter.html"),
        FrameRange(start, stop),
        settings=page_settings(),
        output=crew.folder / "chunk.mp4",
        on_event=lambda _: None,
        has_successor=has_successor,
        series="job",
    )


async def test_a_page_ends_when_nobody_asks_for_it_and_its_browser_lives(tmp_path: Path) -> None:
    async with open_crew(tmp_path, limits=replace(LIMITS, page_idle_s=0.1)) as crew:
        await render(crew, 0, 2, has_successor=True)

        await eventually(lambda: crew.renderer.warm_pages == ())
        assert len(browsers()) == 1


@pytest.mark.parametrize(
    ("limits", "left"),
    [
        (replace(LIMITS, browser_bytes=1 << 20), [0, 0]),  # after the chunk
        (replace(LIMITS, browser_frames=3), [1, 0]),  # when its page is done
        (LIMITS, [1, 1]),
    ],
    ids=["memory", "frames", "none"],
)
async def test_a_browser_that_has_done_enough_ends(
    tmp_path: Path, limits: WarmLimits, left: list[int]
) -> None:
    counts = []
    async with open_crew(tmp_path, limits=limits) as crew:
        for start, stop in ((0, 4), (4, 6)):
            await render(crew, start, stop, has_successor=stop == 4)
            counts.append(len(browsers()))

    assert counts == left
    assert browsers() == []
