"""Lending browsers, without any: who gets which, and that none is lost or lives too long."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest

from renderer.browser import Browser
from renderer.capture.remembering import RememberingCapture
from renderer.drawing import Screen
from renderer.errors import BrowserLostError
from renderer.keeping import View, WarmLimits
from renderer.session import Session
from renderer.settings import RenderSettings
from renderer.warm import WarmBrowsers, open_warm_browsers
from renderer.warm_browser import Listener, WarmBrowser, WarmPage
from tests.support.eventually import eventually

VIEW = View(url="http://a.example/", settings=RenderSettings(), series="job")


@dataclass
class Root:
    """A browser that answers, until it does not."""

    is_lost: bool = False
    has_failed: bool = False

    async def call(self, _method: str, **_: Any) -> dict[str, Any]:
        if self.is_lost:
            raise BrowserLostError("it was killed")
        return {}


@dataclass
class Park:
    """Starts browsers, and knows which of them run."""

    started: int = 0
    running: list[Root] = field(default_factory=list)
    takes_forever: bool = False

    @asynccontextmanager
    async def start(self, _screen: Screen) -> AsyncGenerator[Browser]:
        self.started += 1
        root = Root()
        self.running.append(root)
        try:
            if self.takes_forever:
                await asyncio.Event().wait()
            yield cast("Browser", _Browser(root))
        finally:
            self.running.remove(root)


@dataclass
class _Browser:
    root: Root
    pid: int = 0


@dataclass
class Played:
    """A session that stands at a frame."""

    next_frame: int
    frames_played: int = 0
    has_failed: bool = False

    async def evaluate(self, _expression: str) -> None:
        return

    async def close(self, *, timeout_s: float) -> None:
        assert timeout_s > 0


def _a_little(_pid: int) -> int:
    return 1 << 20


@pytest.fixture(autouse=True)
def _memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("renderer.processes.memory_bytes", _a_little)


@asynccontextmanager
async def a_park(**limits: Any) -> AsyncGenerator[tuple[Park, WarmBrowsers]]:
    park = Park()
    async with open_warm_browsers(park.start, WarmLimits(**limits)) as warm:
        yield park, warm
    assert park.running == []


def put_page(warm: WarmBrowser, view: View, next_frame: int) -> None:
    warm.page = WarmPage(
        key=view.key,
        session=cast("Session", Played(next_frame)),
        capture=RememberingCapture(cast("Any", None)),
        listener=Listener(lambda _: None),
        life=AsyncExitStack(),
    )


async def film(browsers: WarmBrowsers, view: View = VIEW, *, next_frame: int = 10) -> bool:
    """Use a browser as a render does; return whether it came with the page."""
    async with browsers.lent(view) as warm:
        was_there = warm.page is not None
        put_page(warm, view, next_frame)
        return was_there


async def test_nothing_is_kept_unless_it_is_asked_for() -> None:
    async with a_park() as (park, browsers):
        await film(browsers)

        assert park.running == []


async def test_the_next_view_of_a_series_gets_the_page() -> None:
    async with a_park(browsers=1) as (park, browsers):
        assert not await film(browsers)
        assert await film(
            browsers, View(url=VIEW.url, settings=VIEW.settings, start=10, series="job")
        )

        assert park.started == 1


async def test_no_more_browsers_are_kept_than_may_be() -> None:
    async with a_park(browsers=2) as (park, browsers):
        async with browsers.lent(VIEW), browsers.lent(VIEW), browsers.lent(VIEW):
            assert len(park.running) == 3

        assert len(park.running) == 2


async def test_a_browser_whose_render_failed_has_ended_before_the_error_goes_on() -> None:
    async with a_park(browsers=1) as (park, browsers):
        with pytest.raises(ValueError, match="the page's"):
            async with browsers.lent(VIEW):
                raise ValueError("the page's")

        assert park.running == []


async def test_a_browser_whose_page_failed_unheard_is_not_kept() -> None:
    async with a_park(browsers=1) as (park, browsers):
        async with browsers.lent(VIEW) as warm:
            put_page(warm, VIEW, 3)
            cast("Played", cast("WarmPage", warm.page).session).has_failed = True

        assert park.running == []


async def test_a_browser_that_does_not_answer_is_replaced() -> None:
    async with a_park(browsers=1) as (park, browsers):
        await film(browsers)
        park.running[0].is_lost = True

        assert not await film(browsers)
        assert park.started == 2


async def test_a_browser_that_is_cancelled_while_it_starts_is_not_lost() -> None:
    async with a_park(browsers=1) as (park, browsers):
        park.takes_forever = True
        task = asyncio.create_task(film(browsers))
        await eventually(lambda: park.started == 1)

        task.cancel()
        await asyncio.wait([task])

        assert park.running == []
        park.takes_forever = False
        await film(browsers)
        assert len(park.running) == 1


async def test_what_holds_too_much_memory_ends() -> None:
    async with a_park(browsers=1, browser_bytes=1 << 19) as (park, browsers):
        await film(browsers)

        assert park.running == []


async def test_a_page_and_then_its_browser_end_when_nobody_asks_for_them() -> None:
    async with a_park(browsers=1, page_idle_s=0.02, browser_idle_s=0.1) as (park, browsers):
        await film(browsers)

        await eventually(lambda: browsers.pages == ())
        await eventually(lambda: park.running == [])
        await film(browsers)

        assert park.started == 2


async def test_the_pages_of_a_series_that_has_ended_are_closed() -> None:
    other = replace(VIEW, series="another")
    async with a_park(browsers=2) as (park, browsers):
        async with browsers.lent(VIEW) as one, browsers.lent(other) as two:
            put_page(one, VIEW, 10)
            put_page(two, other, 20)

        await browsers.end_series("job")

        assert [page.from_frame for page in browsers.pages] == [20]
        assert len(park.running) == 2


async def test_what_is_lent_at_the_end_ends_when_it_is_given_back() -> None:
    park = Park()
    async with AsyncExitStack() as block:
        async with open_warm_browsers(park.start, WarmLimits(browsers=1)) as browsers:
            await block.enter_async_context(browsers.lent(VIEW))

        assert len(park.running) == 1
    assert park.running == []
