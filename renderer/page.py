"""A target of our own in a browser: scripts run in it, frames drawn in it, its faults heard."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from .begin_frames import FRAME_INTERVAL_MS, BeginFrames
from .capture.gamut_check import check_gamut
from .cdp import CdpError
from .drawing import Drawing, Drawn, target_window
from .errors import BrowserLostError, CompositionError, Fault
from .events import PageLog
from .gamut import ColorGamut
from .missing import Missing
from .moving import MovingPictures
from .requests import Requests
from .screenshots import Screenshots
from .surroundings import surround, surroundings_script

if TYPE_CHECKING:
    from .browser import Browser
    from .cdp import CdpSession
    from .drawing import Frames
    from .events import OnRenderEvent
    from .settings import RenderSettings

    Params = dict[str, Any]

__all__ = ["FRAME_INTERVAL_MS", "Drawn", "Page", "open_page", "page_error"]

_OUR_OWN_DOING: Final = "GPU stall due to ReadPixels"  # said of WebGL pages when we read them
_ICON: Final = "/favicon.ico"  # a full Chromium looks for one, and no page asks for it
_DOMAINS: Final = ("Page", "Runtime", "Log", "Network", "Inspector")


async def open_page(browser: Browser, settings: RenderSettings, on_event: OnRenderEvent) -> Page:
    """Open an empty page in a browser context of its own: the only page that its browser has.

    It ends by `close`, or with its browser.
    """
    context = await browser.root.call("Target.createBrowserContext")
    context_id = context["browserContextId"]
    target = await browser.root.call(
        "Target.createTarget",
        {
            "url": "about:blank",
            "browserContextId": context_id,
            **target_window(browser.drawing, settings.picture_size_px),
        },
    )
    cdp = await browser.connection.attach(target["targetId"])
    page = Page(browser, cdp, on_event, is_strict=settings.strict)
    page.context_id = context_id
    await page.start()
    if browser.drawing is Drawing.SCREENSHOT:
        await page.draw_by_screenshots(settings)
    elif settings.device_scale_factor != 1:
        await _scale(page.cdp, settings)
    await surround(page.cdp, settings)
    await page.preload(surroundings_script())
    if settings.color_gamut is not ColorGamut.SRGB:
        await check_gamut(page)
    return page


async def _scale(cdp: CdpSession, settings: RenderSettings) -> None:
    """Give the page its size in CSS pixels: its surface has that of the picture."""
    metrics = {
        "width": settings.width_px,
        "height": settings.height_px,
        "deviceScaleFactor": settings.device_scale_factor,
        "mobile": False,
    }
    await cdp.call("Emulation.setDeviceMetricsOverride", metrics)


_MOVES_BY_ITSELF: Final = (
    "it moves, which as an image is not exact; show it by <object>, <embed> or <iframe>"
)


class Page:
    """One page and what it does. A fault of the page fails every call that waits for it."""

    def __init__(
        self, browser: Browser, cdp: CdpSession, on_event: OnRenderEvent, *, is_strict: bool
    ) -> None:
        self.cdp = cdp
        self.requests = Requests(cdp)
        self.missing = Missing(cdp, is_strict=is_strict)
        self.moving = MovingPictures(cdp)
        self._browser = browser
        self._frames: Frames = BeginFrames(cdp, browser.frame_lock)
        self._on_event = on_event
        self._contexts: dict[int, str] = {}
        self._main_context = ""
        self.context_id = ""  # of the browser context, which holds nothing else
        self.main_frame = ""
        self._is_pinned = False

    @property
    def drawing(self) -> Drawing:
        return self._browser.drawing

    async def start(self) -> None:
        self._listen()
        for domain in _DOMAINS:
            await self.cdp.call(f"{domain}.enable")
        tree = await self.cdp.call("Page.getFrameTree")
        self.main_frame = self.missing.main_frame = tree["frameTree"]["frame"]["id"]

    async def draw_by_screenshots(self, settings: RenderSettings) -> None:
        """Draw as a browser can that knows no BeginFrame. To be called on an empty page."""
        self._frames = screenshots = Screenshots(self)
        await screenshots.start(settings)

    async def close(self, *, timeout_s: float) -> None:
        """End the page and all that it kept in the browser.

        Raises:
            RenderError: the browser does not do so.

        """
        context = {"browserContextId": self.context_id}
        await self._browser.root.call("Target.disposeBrowserContext", context, timeout_s=timeout_s)
        self._browser.connection.forget_targets()

    async def preload(self, script: str) -> None:
        """Run a script in every document from now on, before the document's own."""
        await self.cdp.call("Page.addScriptToEvaluateOnNewDocument", {"source": script})

    def pin(self) -> None:
        """From now on the page is being filmed: leaving it is a fault."""
        self._is_pinned = True

    async def evaluate(self, expression: str, *, timeout_s: float) -> Any:
        """Run a script in the main frame and return its value, awaited if it is a promise.

        Raises:
            CompositionError: the script threw.

        """
        return await self._evaluate(self._main_context, expression, timeout_s)

    async def look_at_drawings(self, *, timeout_s: float) -> None:
        """Warn of SVG files that move where Chromium moves them by a clock of its own."""
        for url in await self.moving.moving_drawings():
            self.missing.inexact(url, _MOVES_BY_ITSELF)
            await self.evaluate("0", timeout_s=timeout_s)  # which fails, in a strict render

    async def evaluate_everywhere(self, expression: str, *, timeout_s: float) -> list[Any]:
        """Run a script in every frame that can be reached, the main frame first."""
        values: list[Any] = []
        for context in sorted(self._contexts.values(), key=lambda one: one != self._main_context):
            try:
                values.append(await self._evaluate(context, expression, timeout_s))
            except CdpError:
                if context in self._contexts.values():
                    raise  # else its document was left meanwhile
        return values

    async def play(self, ticks_ms: float, interval_ms: float, *, timeout_s: float) -> Drawn:
        """Play a frame without painting it: scripts, styles and layout, but no pixels."""
        return await self._frames.play(ticks_ms, interval_ms, timeout_s=timeout_s)

    async def draw(self, ticks_ms: float, interval_ms: float, *, timeout_s: float) -> Drawn:
        """Paint a frame without reading its pixels."""
        return await self._frames.draw(ticks_ms, interval_ms, timeout_s=timeout_s)

    async def draw_picture(self, ticks_ms: float, interval_ms: float, *, timeout_s: float) -> Drawn:
        """Paint a frame and return it as a PNG file, if there is a picture yet."""
        return await self._frames.draw_picture(ticks_ms, interval_ms, timeout_s=timeout_s)

    async def picture_now(self, *, timeout_s: float) -> bytes | None:
        """Paint one of the browser's own time, and return it as a PNG file, if there is one yet."""
        return await self._frames.picture_now(timeout_s=timeout_s)

    async def draw_now(self, *, timeout_s: float) -> Drawn:
        """Paint a frame of the browser's own time: only as long as that is not ours."""
        return await BeginFrames(self.cdp, self._browser.frame_lock).draw_now(timeout_s=timeout_s)

    async def _evaluate(self, context: str, expression: str, timeout_s: float) -> Any:
        reply = await self.cdp.call(
            "Runtime.evaluate",
            {
                "expression": expression,
                "uniqueContextId": context,
                "awaitPromise": True,
                "returnByValue": True,
            },
            timeout_s=timeout_s,
        )
        if details := reply.get("exceptionDetails"):
            raise page_error(details)
        return reply["result"].get("value")

    def _listen(self) -> None:
        cdp = self.cdp
        cdp.on("Runtime.exceptionThrown", self._on_exception)
        cdp.on("Runtime.consoleAPICalled", self._on_console)
        cdp.on("Runtime.executionContextCreated", self._on_context)
        cdp.on("Runtime.executionContextDestroyed", self._on_context_gone)
        cdp.on("Runtime.executionContextsCleared", lambda _: self._contexts.clear())
        cdp.on("Log.entryAdded", self._on_log)
        cdp.on("Page.frameNavigated", self._on_navigated)
        cdp.on("Inspector.targetCrashed", self._on_crash)

    def _on_exception(self, params: Params) -> None:
        self.cdp.fail(page_error(params["exceptionDetails"]))

    def _on_crash(self, _: Params) -> None:
        self.cdp.fail(BrowserLostError("the page's Chromium process crashed"))

    def _on_context(self, params: Params) -> None:
        context: Params = params["context"]
        if context.get("auxData", {}).get("isDefault"):
            self._contexts[context["id"]] = context["uniqueId"]
            if context["auxData"].get("frameId") == self.main_frame:
                self._main_context = context["uniqueId"]

    def _on_context_gone(self, params: Params) -> None:
        self._contexts.pop(params["executionContextId"], None)

    def _on_console(self, params: Params) -> None:
        text = " ".join(_text_of(argument) for argument in params["args"])
        self._on_event(PageLog(params["type"], text))

    def _on_log(self, params: Params) -> None:
        entry: Params = params["entry"]
        if _OUR_OWN_DOING in entry["text"] or entry.get("url", "").endswith(_ICON):
            return
        url = f" ({entry['url']})" if entry.get("url") else ""
        self._on_event(PageLog(entry["level"], f"{entry['text']}{url}"))

    def _on_navigated(self, params: Params) -> None:
        frame: Params = params["frame"]
        if self._is_pinned and "parentId" not in frame:
            self.cdp.fail(
                CompositionError(
                    Fault.PAGE_ERROR,
                    f"the page left for {frame['url']} while it was rendered; "
                    "a composition stays on its page",
                )
            )


def page_error(details: Params) -> CompositionError:
    """Tell a script's exception in its own words; the stack is the detail."""
    thrown: Params = details.get("exception", {})
    text = thrown.get("description") or _text_of(thrown)
    message = text.partition("\n    at ")[0].strip() or str(details.get("text", "error"))
    where = f"{details.get('url', '')}:{details.get('lineNumber', 0) + 1}"
    stack = text if "\n    at " in text else f"{text}\n    at {where}"
    return CompositionError(Fault.PAGE_ERROR, message, detail=stack)


def _text_of(value: Params) -> str:
    if "value" in value:
        given = value["value"]
        return given if isinstance(given, str) else json.dumps(given)
    return str(value.get("unserializableValue") or value.get("description") or value.get("type"))
