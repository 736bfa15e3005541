"""From an address to a page that stands ready at time zero, without a frame drawn if it can be."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from .backdrop import backdrop_of, put_behind
from .errors import CompositionError, DrawingSilentError, Fault
from .frames import GRID_US
from .liveness import answers
from .page import FRAME_INTERVAL_MS
from .ready import READY

if TYPE_CHECKING:
    from .clock import VirtualTime
    from .page import Page
    from .page_workers import PageWorkers
    from .settings import RenderSettings

CLOCK: Final = "window[Symbol.for('framefarm.clock')]"

# Fetches end within a step, because time waits for them; so load in small steps, and call it done
# when nothing new was begun in several of them.
_STEP_US: Final = 1_000
_CALM_STEPS: Final = 8
_POLL_S: Final = 0.005
_REHEARSAL_US: Final = 1_000  # room for ten tries; one is enough as a rule
_EAGER_POLLS: Final = 40

# A page's promise may wait for a worker's sum or for WebAssembly: real time. Only when it seems to
# wait for its own timers or frames are those let run before zero.
_PAGE_GRACE_S: Final = 0.5
_BAD_STATUS: Final = 400


async def load(
    page: Page, time: VirtualTime, workers: PageWorkers, url: str, settings: RenderSettings
) -> None:
    """Load the page and declare time zero.

    Raises:
        CompositionError: it is not there, throws, or is not ready in `stability_timeout_s`.
        DrawingSilentError: it is ready in time, and Chromium does not draw it.

    """
    loading = _Loading(page, time, workers, settings)
    limit_s = settings.stability_timeout_s
    try:
        async with asyncio.timeout(limit_s):
            await loading.navigate(url)
            await loading.settle()
            await put_behind(page.cdp, backdrop_of(settings))  # again: its process may be a new one
            await loading.rehearse()
            await loading.zero()
    except TimeoutError as error:
        if loading.is_drawing and await answers(page.cdp):
            raise DrawingSilentError(limit_s) from error
        waits = loading.waits()
        raise CompositionError(
            Fault.PAGE_NOT_STABLE,
            f"the page was not ready within {limit_s:g} s; it waits for {waits[0]}"
            + (f" and {len(waits) - 1} more" if waits[1:] else ""),
            detail="\n".join(waits),
        ) from error


class _Loading:
    def __init__(
        self, page: Page, time: VirtualTime, workers: PageWorkers, settings: RenderSettings
    ) -> None:
        self._page = page
        self._time = time
        self._workers = workers
        self._played_us = 0
        self._rate = settings.frame_rate
        self._epoch_ms = settings.epoch_ms
        self._timeout_s = settings.stability_timeout_s + 1.0  # the limit around it all comes first
        self._browser_waits: list[str] = []
        self._page_waits: list[str] = []
        self._is_released = False
        self.is_drawing = False  # in this moment

    def waits(self) -> list[str]:
        """Name what the page still waits for."""
        requests = [f"request {url}" for url in self._page.requests.open_urls]
        waits = [*self._browser_waits, *self._page_waits, *self._workers.waits(), *requests]
        return waits or ["its own scripts, which do not end"]

    async def navigate(self, url: str) -> None:
        cdp = self._page.cdp
        await self._time.start(self._epoch_ms)
        reply = await cdp.call("Page.navigate", {"url": url}, timeout_s=self._timeout_s)
        self._check_status(url)
        if error := reply.get("errorText"):
            raise CompositionError(Fault.PAGE_UNREACHABLE, f"{url} cannot be reached: {error}")
        self._url = url

    async def settle(self) -> None:
        """Go on in small steps until neither the browser nor the page waits for anything."""
        loop = asyncio.get_running_loop()
        calm_steps = polls = 0
        patience_ends_s = loop.time() + _PAGE_GRACE_S
        while calm_steps < _CALM_STEPS:
            await self._step()
            self._check_status(self._url)
            if self._browser_waits:
                patience_ends_s = loop.time() + _PAGE_GRACE_S
            elif self._page_waits and loop.time() > patience_ends_s:
                await self._release()
            polls += 1
            is_calm = not self._browser_waits and not self._page_waits
            calm_steps = calm_steps + 1 if is_calm else 0
            await asyncio.sleep(0 if is_calm or polls < _EAGER_POLLS else _POLL_S)

    async def rehearse(self) -> None:
        """Draw the page, without its callbacks, until there is a picture of it.

        A new page has no surface to draw on at first, and then a frame may be lost without a word.
        What this sets going (animations) is put back at zero.
        """
        await self._advance_to(self._time.next_zero_us - _REHEARSAL_US)
        picture, was_drawn = None, False
        while picture is None or not was_drawn:
            await self._ask_all("rehearse()")
            await self._advance_to(self._time.now_us + GRID_US)
            self.is_drawing = True
            drawn = await self._page.draw_picture(
                self._time.ticks_ms, FRAME_INTERVAL_MS, timeout_s=self._timeout_s
            )
            self.is_drawing = False
            picture = drawn.png
            was_drawn = (await self._ask_all("wasRehearsed()"))[0]
        await self._ask_all("endRehearsal()")

    async def zero(self) -> None:
        await self._advance_to(self._time.next_zero_us)
        await self._ask_all("zero()")
        zero_ms = await self._page.evaluate(f"{CLOCK}.zeroWallMs()", timeout_s=self._timeout_s)
        await self._page.preload(f"{CLOCK}.join({zero_ms!r})")  # frames that come later
        self._page.pin()

    async def _step(self) -> None:
        if self._is_released:
            await self._play()
        else:
            await self._advance_to(self._time.now_us + _STEP_US)
        await self._workers.load(self._played_us / 1000, timeout_s=self._timeout_s)
        asked = await self._ask_all("waits()", of=READY)
        known = [waits for waits in asked if waits]
        self._browser_waits = [text for waits in known for text in waits["browser"]]
        if not known:
            self._browser_waits = ["the document"]  # the page is just going on to another one
        self._page_waits = [text for waits in known for text in waits["page"]]

    async def _ask_all(self, call: str, of: str = CLOCK) -> list[Any]:
        """Call the clocks of the page and of the frames in it; the page's answer comes first."""
        return await self._page.evaluate_everywhere(f"{of}?.{call}", timeout_s=self._timeout_s)

    async def _release(self) -> None:
        """The page waits for time itself: let its timers run, and draw frames."""
        if not self._is_released:
            self._is_released = True
            await self._ask_all("release()")

    async def _play(self) -> None:
        self._played_us += self._rate.time_us(1)
        await self._advance_to(self._time.now_us + self._rate.time_us(1))
        await self._page.play(self._time.ticks_ms, FRAME_INTERVAL_MS, timeout_s=self._timeout_s)

    async def _advance_to(self, us: int) -> None:
        await self._time.advance_to(us, timeout_s=self._timeout_s)

    def _check_status(self, url: str) -> None:
        status = self._page.requests.document_status(self._page.main_frame)
        if status >= _BAD_STATUS:
            raise CompositionError(Fault.PAGE_NOT_FOUND, f"{url} answers with status {status}")
