"""Which strategy films a job, and what it puts into the page before the page's own scripts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from renderer.backdrop import backdrop_of
from renderer.drawing import Drawing
from renderer.gamut import ColorGamut
from renderer.liveness import PROBE_TIMEOUT_S

from . import scripts
from .begin_frame import BeginFrameCapture
from .canvas import CanvasCapture
from .framebuffer import NoFramebufferError, find_framebuffer
from .readers import FramebufferReader, ScreenshotReader

if TYPE_CHECKING:
    from renderer.page import Page
    from renderer.settings import RenderSettings

    from .base import CaptureStrategy, Stage
    from .framebuffer import Framebuffer


_CANVAS_SPACES: Final = {ColorGamut.SRGB: "srgb", ColorGamut.P3: "display-p3"}
_NO_BEGIN_FRAME: Final = "Chromium draws by itself: it has no BeginFrame, or is not to use it"


def strategies(drawing: Drawing) -> str:
    """Say for a fingerprint how pages are filmed: ways differ by a few pixels, so a job has one.

    By what way the pixels leave the browser is not said: they are the same.
    """
    return f"{drawing} canvas"


@dataclass(frozen=True, slots=True)
class Surface:
    """Where the pixels of a page are; `why` there is no framebuffer, if there is none."""

    framebuffer: Framebuffer | None
    why: str = ""
    browser_pid: int | None = None  # whose children's memory a canvas may be read from
    drawing: Drawing = Drawing.BEGIN_FRAME


async def find_surface(
    page: Page, browser_pid: int, settings: RenderSettings, *, reads_memory: bool
) -> Surface:
    """Look for the framebuffer of a page that is still empty, if it may be read and is of use.

    A browser that draws when it is told to has to do so first, with the empty page.

    Raises:
        FrameStalledError: it does not draw.

    """
    if page.drawing is Drawing.BEGIN_FRAME:
        await page.draw_now(timeout_s=PROBE_TIMEOUT_S)
    why = _obstacle(page.drawing, settings, reads_memory=reads_memory)
    if why is None:
        try:
            return Surface(await find_framebuffer(page, browser_pid, settings.picture_size_px))
        except NoFramebufferError as problem:
            why = str(problem)
    return Surface(None, why, browser_pid if reads_memory else None, page.drawing)


def _obstacle(drawing: Drawing, settings: RenderSettings, *, reads_memory: bool) -> str | None:
    """Say why the page's framebuffer is not looked for; None if it is."""
    if settings.captures_canvas:
        return ""
    if drawing is Drawing.SCREENSHOT:
        return _NO_BEGIN_FRAME
    if settings.color_gamut is not ColorGamut.SRGB:
        return "Chromium's memory holds frames in sRGB alone"
    if not reads_memory:
        return "Chromium's memory was not to be read"
    if backdrop_of(settings).is_transparent:
        return "the pictures have alpha, which Chromium's memory holds multiplied"
    return None


def choose(stage: Stage, settings: RenderSettings, surface: Surface) -> CaptureStrategy:
    if settings.captures_canvas:
        return CanvasCapture(stage, settings.canvas_selector, surface.browser_pid)
    if surface.framebuffer is not None:
        return BeginFrameCapture(stage, settings, FramebufferReader(stage, surface.framebuffer))
    name = "screenshot" if surface.drawing is Drawing.SCREENSHOT else "begin-frame-png"
    return BeginFrameCapture(stage, settings, ScreenshotReader(stage, name, surface.why))


def page_scripts(settings: RenderSettings) -> tuple[str, ...]:
    """Return the scripts to run in every document before its own."""
    if not settings.captures_canvas:
        return ()
    behind = scripts.literal(backdrop_of(settings).css)
    space = scripts.literal(_CANVAS_SPACES[settings.color_gamut])
    canvas = scripts.call("canvas", scripts.source("find"), behind, space)
    return scripts.call("keep_webgl"), canvas
