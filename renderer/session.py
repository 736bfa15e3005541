"""A page at work: opened, ready at time zero, then played frame by frame, only ever forward."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Protocol

from .capture.choose import find_surface
from .chance import chance_script
from .clock import VirtualTime
from .cookies import set_cookies
from .errors import CompositionError, Fault, FrameStalledError
from .loading import CLOCK, load
from .moving import AGAIN_INTERVAL_MS
from .page import FRAME_INTERVAL_MS, Drawn, Page, open_page
from .page_worker import WorkerStalledError, messages_script
from .page_workers import PageWorkers, open_workers
from .ready import READY, contracts_script, ready_script
from .screenshots import head_start_us, time_scripts
from .timings import Stage, Stopwatch

if TYPE_CHECKING:
    from collections.abc import Generator

    from .browser import Browser
    from .capture.choose import Surface
    from .drawing import Drawing
    from .events import OnRenderEvent
    from .settings import RenderSettings

FRAME_TIMEOUT_S: Final = 30.0
_ASK_TIMEOUT_S: Final = 2.0
_PATIENCE_S: Final = 0.1
# As little as a frame can be after another. Blink rounds it down to the grid but for about one time
# in a hundred, when animations in the frame that is drawn again stand 0.1 ms later.
_MOMENT_US: Final = 1


class Draw(Protocol):
    """One of the page's ways to draw a frame."""

    async def __call__(self, ticks_ms: float, interval_ms: float, *, timeout_s: float) -> Drawn: ...


@dataclass(frozen=True, slots=True)
class Opening:
    """Which page to open, and how. `scripts` run in every document before its own."""

    url: str
    settings: RenderSettings
    scripts: tuple[str, ...] = ()
    frame_timeout_s: float = FRAME_TIMEOUT_S
    reads_memory: bool = True


async def open_session(browser: Browser, opening: Opening, on_event: OnRenderEvent) -> Session:
    """Open a page and wait until it is ready for frame 0. It ends with its browser.

    Raises:
        CompositionError: the page is not there, throws, or never gets ready.

    """
    settings = opening.settings
    page = await open_page(browser, settings, on_event)
    surface = await find_surface(page, browser.pid, settings, reads_memory=opening.reads_memory)
    await set_cookies(page.cdp, settings.cookies, opening.url)
    for script in _scripts(opening, page.drawing):
        await page.preload(script)
    time = VirtualTime(page.cdp, head_start_us(page.drawing))
    workers = await open_workers(browser, page, time, settings)
    await load(page, time, workers, opening.url, settings)
    return Session(page, time, workers, opening, surface)


def _scripts(opening: Opening, drawing: Drawing) -> tuple[str, ...]:
    settings = opening.settings
    ours = (
        *time_scripts(settings, drawing),
        chance_script(settings),
        messages_script(),
        ready_script(settings),
        contracts_script(settings),
    )
    return (*ours, *opening.scripts)


class Session:
    """Plays the frames of a page, each once and in order, from frame 0."""

    def __init__(
        self,
        page: Page,
        time: VirtualTime,
        workers: PageWorkers,
        opening: Opening,
        surface: Surface,
    ) -> None:
        self.settings = opening.settings
        self.surface = surface
        self.stopwatch = Stopwatch()
        self._page = page
        self._time = time
        self._workers = workers
        self._zero_us = time.now_us
        self._timeout_s = opening.frame_timeout_s
        self._next_frame = 0
        self._last_frame = -1  # that was played
        self.frames_played = 0

    @property
    def next_frame(self) -> int:
        """Time has not yet reached this frame."""
        return self._next_frame

    @property
    def has_failed(self) -> bool:
        """Whether every further call would raise."""
        return self._page.cdp.has_failed

    async def warnings(self) -> tuple[str, ...]:
        """What the page did not get so far, or shows as it should not."""
        await self._page.look_at_drawings(timeout_s=self._timeout_s)
        return self._page.missing.warnings

    async def seek(self, frame: int) -> None:
        """Let time pass until `frame`, and run the page's hooks. Then draw it, once.

        Raises:
            CompositionError: the page threw, or a hook does not end.
            FrameStalledError: time did not get there.

        """
        if frame != self._next_frame:
            raise ValueError(f"frame {self._next_frame} is next, time cannot go to frame {frame}")
        self._next_frame += 1
        self.frames_played += 1
        time_us = self.settings.frame_rate.time_us(frame)
        with self.stopwatch.measure(Stage.STEP):
            await self._advance_to(self._zero_us + time_us)
            await self._workers.meet(time_us / 1000, timeout_s=self._timeout_s)
        with self.stopwatch.measure(Stage.HOOKS):
            await self._run_hooks(frame)
            await self._workers.settle(timeout_s=self._timeout_s)

    def leave_out(self, until: int) -> None:
        """Let the next frame be `until`: time jumps there, and no frame is played on the way."""
        self._next_frame = max(self._next_frame, until)

    async def close(self, *, timeout_s: float) -> None:
        """End the page, and let its browser live; it raises what `Page.close` raises."""
        await self._page.close(timeout_s=timeout_s)
        self._workers.close()

    async def play(self) -> None:
        """Play the frame without painting it."""
        await self._whole(self._page.play)

    async def pass_by(self) -> None:
        """Play the frame, and paint it if the page has pictures that move by themselves.

        Such a picture begins in the frame that Chromium paints it in first, and goes on only while
        it is painted. Which frames show one nobody says: so all are painted once there is any.
        """
        moving = self._page.moving
        was_there = await moving.have_come()
        await self._whole(self._page.draw if was_there else self._page.play)
        if not was_there and await moving.have_come():  # this frame may be the first to show it
            await self._fill()
            await self._draw_again(self._page.draw)

    async def draw(self) -> bool:
        """Paint the frame without reading its pixels; return whether any has changed."""
        return (await self._whole(self._page.draw)).has_damage

    async def draw_picture(self) -> bytes:
        """Paint the frame and return it as a PNG file."""
        picture = (await self._whole(self._page.draw_picture)).png
        if picture is None:
            await self.evaluate("0")  # a page that has just crashed says so here
            raise FrameStalledError(
                f"Chromium drew frame {self._next_frame - 1} and gave no picture of it"
            )
        return picture

    async def evaluate(self, expression: str) -> Any:
        """Run a script in the page."""
        return await self._page.evaluate(expression, timeout_s=self._timeout_s)

    async def _whole(self, draw: Draw) -> Drawn:
        """Draw the frame, and again when what it asked for has come: once, if it asked nothing.

        Style and layout ask for most pictures and fonts, and a frame makes them of its callbacks:
        only the drawn frame knows what it lacks. The page's callbacks run once all the same.
        """
        requests = self._page.requests
        was_complete, begun = not requests.awaited, requests.begun
        drawn = await self._draw(draw)
        is_waiting = await self._hear()
        while is_waiting or requests.begun != begun or not was_complete:
            await self._fill(is_waiting=is_waiting)
            was_complete, begun = True, requests.begun
            again = await self._draw_again(draw)
            drawn = replace(again, has_damage=drawn.has_damage or again.has_damage)
            is_waiting = await self._hear()
        return drawn

    async def _fill(self, *, is_waiting: bool = False) -> None:
        """Let all come that the drawn frame lacks; it is then drawn once more."""
        with self.stopwatch.measure(Stage.WAIT):
            await self._ask_all("holdCallbacks()")
            if is_waiting:
                await self._ask_page("promises()")
            await self._complete()

    async def _draw_again(self, draw: Draw) -> Drawn:
        drawn = await self._draw(draw, interval_ms=AGAIN_INTERVAL_MS)
        await self._ask_all("endRehearsal()")
        return drawn

    async def _hear(self) -> bool:
        """Hear what is broken, and whether the page asks for patience.

        By the answer we have been told, too, what the frame has asked for.
        """
        with self.stopwatch.measure(Stage.HOOKS):
            news = await self.evaluate(f"{READY}.news()")
            await self._workers.settle(timeout_s=self._timeout_s)
        for element, url, why in news["broken"]:
            self._page.missing.broken(element, url, why)
        if news["broken"]:
            await self.evaluate("0")  # which fails, in a strict render
        return bool(news["isWaiting"])

    async def _complete(self) -> None:
        """Wait until all has come that a frame may show.

        Chromium draws no moment twice, so a little time passes, and time waits for the network; but
        not always for what was asked for by something that has just come.
        """
        requests = self._page.requests
        with self._limited():
            async with asyncio.timeout(self._timeout_s):
                await self.pass_a_moment()
                while requests.awaited:
                    await requests.wait(_PATIENCE_S)
                    await self.pass_a_moment()

    async def pass_a_moment(self) -> None:
        """Let as little time pass as there is: what stood ready in the browser then happens."""
        await self._time.advance_to(self._time.now_us + _MOMENT_US, timeout_s=self._timeout_s)

    async def _draw(self, draw: Draw, *, interval_ms: float = FRAME_INTERVAL_MS) -> Drawn:
        with self.stopwatch.measure(Stage.PAINT):
            return await draw(self._time.ticks_ms, interval_ms, timeout_s=self._timeout_s)

    async def _ask_all(self, call: str) -> None:
        await self._page.evaluate_everywhere(f"{CLOCK}?.{call}", timeout_s=self._timeout_s)

    async def _advance_to(self, us: int) -> None:
        with self._limited():
            await self._time.advance_to(us, timeout_s=self._timeout_s)

    @contextmanager
    def _limited(self) -> Generator[None]:
        try:
            yield
        except TimeoutError as error:
            urls = self._page.requests.open_urls
            cause = f"a request does not end: {urls[0]}" if urls else "its scripts do not end"
            raise FrameStalledError(
                f"the page did not get through frame {self._next_frame - 1} within "
                f"{self._timeout_s:g} s; {cause}"
            ) from error

    async def _run_hooks(self, frame: int) -> None:
        drawn = await self._ask_page(f"before({frame})")
        last, self._last_frame = self._last_frame, frame
        if last >= 0 and drawn != last:
            raise FrameStalledError(f"Chromium left out frame {last}; it drew {drawn} before")

    async def _ask_page(self, call: str) -> Any:
        try:
            asking = self.evaluate(f"{READY}.{call}")
            return await self._workers.attend(asking, timeout_s=self._timeout_s)
        except WorkerStalledError:
            raise
        except FrameStalledError as error:
            hook = await self._page.evaluate(f"{READY}.runningHook()", timeout_s=_ASK_TIMEOUT_S)
            raise CompositionError(
                Fault.PAGE_NOT_STABLE,
                f"{hook!r} did not end in frame {self._next_frame - 1} within "
                f"{self._timeout_s:g} s; it must not wait for a timer or an animation frame, "
                "because time stands still until it ends",
            ) from error
