"""The workers and worklets of a page: they have its time, and what they say comes in its order."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, TypeVar

from .errors import RenderError
from .page_worker import (
    ANYBODY,
    BELL,
    BROWSER_KINDS,
    PAGE,
    PAGE_KINDS,
    SHARED,
    UP,
    PageWorker,
    Report,
    WorkerStalledError,
    auto_attach,
)

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from .browser import Browser
    from .cdp import CdpSession
    from .clock import VirtualTime
    from .page import Page
    from .settings import RenderSettings

    Params = dict[str, Any]

T = TypeVar("T")

_MESSAGES: Final = "window[Symbol.for('framefarm.messages')]"
_WATCH: Final = "window[Symbol.for('framefarm.watch')]"  # there in probes only
_POLL_S: Final = 0.002


async def open_workers(
    browser: Browser, page: Page, time: VirtualTime, settings: RenderSettings
) -> PageWorkers:
    """Attend to the workers of a page that is not open yet. They end with it."""
    workers = PageWorkers(browser, page, time, settings)
    await workers.start()
    return workers


class PageWorkers:
    """The workers that a page has now, and the messages between it and them."""

    def __init__(
        self, browser: Browser, page: Page, time: VirtualTime, settings: RenderSettings
    ) -> None:
        self._browser = browser
        self._page = page
        self._time = time
        self._settings = settings
        self._workers: dict[str, PageWorker] = {}
        self._expected = Counter[str]()  # made by a script, and not attached yet
        self._made = dict[str, float | None]()  # when, by the clock of whoever made it
        self._now_ms: float | None = None
        self._is_asked = False
        self._told = set[str]()  # who may have something to do: PAGE, places, ANYBODY
        self._bell = asyncio.Event()
        self._used = list[str]()
        self._asked: PageWorker | None = None

    async def start(self) -> None:
        root, cdp = self._browser.root, self._page.cdp
        root.on("Target.attachedToTarget", self._on_attached_to_browser)
        root.on("Target.detachedFromTarget", self._on_detached)
        self._listen(cdp, is_nested=False)
        await cdp.call("Runtime.addBinding", {"name": BELL})
        await root.call("Target.setAutoAttach", auto_attach(BROWSER_KINDS))
        await cdp.call("Target.setAutoAttach", auto_attach(PAGE_KINDS))

    def close(self) -> None:
        """The page has been closed, and its workers with it; its browser lives."""
        for session_id in tuple(self._workers):
            self._on_detached({"sessionId": session_id})

    def waits(self) -> list[str]:
        """Name what is waited for."""
        expected = [f"worker {place} to begin" for place in (+self._expected)]
        return expected + ([f"its {self._asked}"] if self._asked else [])

    async def meet(self, ms: float, *, timeout_s: float) -> None:
        """A frame's time has come: what is due in the workers runs, then what waits for a frame.

        Raises:
            WorkerStalledError: one of them does not come to rest.

        """
        self._now_ms = ms
        if self._has_none:
            return
        await self._begin(timeout_s)
        for worker in self._present():
            await self._hear(worker, worker.reach(ms, is_loading=False, timeout_s=timeout_s))
        await self._exchange(timeout_s)
        for worker in self._present():
            if worker.has_frames:
                await self._hear(worker, worker.draw(timeout_s=timeout_s))
        await self._exchange(timeout_s)

    async def settle(self, *, timeout_s: float) -> None:
        """Let messages go to and fro, until none is left.

        Raises:
            WorkerStalledError: a worker does not come to rest.

        """
        if self._has_none:
            self._is_asked = False
            return
        await self._begin(timeout_s)
        await self._exchange(timeout_s)

    async def load(self, played_ms: float, *, timeout_s: float) -> None:
        """Settle while the page loads; `played_ms` have passed in a page that waits for time."""
        if self._has_none:
            return
        await self._begin(timeout_s)
        for worker in self._present():
            told = worker.reach(played_ms, is_loading=True, timeout_s=timeout_s)
            await self._hear(worker, told)
        await self._exchange(timeout_s)

    async def attend(self, asking: Coroutine[Any, Any, T], *, timeout_s: float) -> T:
        """Wait for the page, which may be waiting for its workers."""
        asked = asyncio.ensure_future(asking)
        try:
            while not asked.done():
                bell = asyncio.ensure_future(self._bell.wait())
                await asyncio.wait({asked, bell}, return_when=asyncio.FIRST_COMPLETED)
                bell.cancel()
                self._bell.clear()
                if not asked.done():
                    await self.settle(timeout_s=timeout_s)
            return asked.result()
        finally:
            asked.cancel()

    @property
    def _has_none(self) -> bool:
        return not self._workers and not self._expected

    def _present(self) -> list[PageWorker]:
        known = (
            worker for worker in self._workers.values() if worker.is_welcome and not worker.is_gone
        )
        return sorted(known, key=lambda worker: (len(worker.place), worker.place))

    async def _begin(self, timeout_s: float) -> None:
        """Wait until every worker that was made has begun."""
        loop = asyncio.get_running_loop()
        ends_s = loop.time() + timeout_s
        while any(count > 0 for count in self._expected.values()) or self._unwelcome():
            await self._time.breathe(timeout_s=timeout_s)
            if loop.time() > ends_s:
                places = [*(+self._expected), *map(str, self._unwelcome())]
                raise WorkerStalledError(
                    f"the page's worker {places[0]} did not begin within {timeout_s:g} s"
                )
            await asyncio.sleep(_POLL_S)

    def _unwelcome(self) -> list[PageWorker]:
        return [worker for worker in self._workers.values() if not worker.is_welcome]

    async def _exchange(self, timeout_s: float) -> None:
        while self._is_asked or self._told or self._used:
            await self._begin(timeout_s)
            if self._is_asked:
                self._is_asked = False
                release = f"{_MESSAGES}?.release() ?? []"
                for sent in await self._page.evaluate_everywhere(release, timeout_s=timeout_s):
                    self._told.update(sent)
            told, self._told = self._told, set()
            for worker in self._present():
                if not told.isdisjoint({worker.place, ANYBODY}):
                    await self._hear(worker, worker.calm(timeout_s=timeout_s))
            await self._note_uses(timeout_s)
            if not (told | self._told).isdisjoint({PAGE, ANYBODY}):
                self._told.discard(PAGE)
                await self._time.breathe(timeout_s=timeout_s)

    async def _hear(self, worker: PageWorker, asking: Coroutine[Any, Any, Report]) -> None:
        self._asked = worker
        report = await asking
        self._asked = None
        self._told |= {worker.maker if whom == UP else whom for whom in report.told}

    async def _note_uses(self, timeout_s: float) -> None:
        while self._used:
            note = f"{_WATCH}?.note({json.dumps(self._used.pop())})"
            await self._page.evaluate(note, timeout_s=timeout_s)

    def _listen(self, cdp: CdpSession, *, is_nested: bool) -> None:
        cdp.on("Target.attachedToTarget", lambda params: self._on_attached(params, is_nested))
        cdp.on("Target.detachedFromTarget", self._on_detached)
        cdp.on("Runtime.bindingCalled", self._on_bell)

    def _on_attached_to_browser(self, params: Params) -> None:
        if params["targetInfo"].get("browserContextId") == self._page.context_id:
            self._on_attached(params, is_nested=False)

    def _on_attached(self, params: Params, is_nested: bool) -> None:
        cdp = self._browser.connection.adopt(params["sessionId"])
        target = params["targetInfo"]
        worker = PageWorker(cdp, target, is_nested=is_nested)
        self._page.requests.hand_on(target["targetId"])
        for maker in self._workers.values():
            maker.hand_on(target["targetId"])
        self._workers[cdp.id] = worker
        self._listen(cdp, is_nested=True)
        if worker.is_announced:
            self._expected[worker.place] -= 1
            if worker.place in self._made:
                self._welcome(worker, self._made[worker.place])
        else:
            self._welcome(worker, self._now_ms)
        self._told.add(worker.place)
        self._bell.set()

    def _on_detached(self, params: Params) -> None:
        worker = self._workers.pop(params["sessionId"], None)
        if worker is not None:
            worker.leave()
            self._browser.connection.forget(worker.cdp)

    def _on_bell(self, params: Params) -> None:
        if params["name"] != BELL:
            return
        kind, place, ms = json.loads(params["payload"])
        if kind == "asked":
            self._is_asked = True
        elif kind == "made":
            self._on_made(place, ms)
        elif kind == "ended":
            self._expected[place] = min(0, self._expected[place])
        elif kind == "used":
            self._used.append(place)
        self._bell.set()

    def _on_made(self, place: str, ms: float | None) -> None:
        is_known = place.startswith(SHARED) and place in self._made
        self._made[place] = ms
        if is_known:
            return
        self._expected[place] += 1
        for worker in self._unwelcome():
            if worker.place == place:
                self._welcome(worker, ms)

    def _welcome(self, worker: PageWorker, now_ms: float | None) -> None:
        work = self._give_clock(worker, now_ms)
        self._browser.connection.run_beside(work, f"welcome {worker.place}")

    async def _give_clock(self, worker: PageWorker, now_ms: float | None) -> None:
        try:
            await worker.welcome(self._settings, now_ms)
        except RenderError as error:
            if not worker.is_gone:
                self._page.cdp.fail(error)
        worker.is_welcome = True
