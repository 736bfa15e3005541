"""Which strategy films a job, and what it puts into the page before the page's own scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from . import scripts
from .begin_frame import BeginFrameCapture
from .canvas import CanvasCapture

if TYPE_CHECKING:
    from renderer.settings import RenderSettings

    from .base import CaptureStrategy, Stage

# What a fingerprint says of them: strategies differ by a few pixels, so a job has one.
STRATEGIES: Final = "begin-frame-png canvas-png"


def choose(stage: Stage, settings: RenderSettings) -> CaptureStrategy:
    if settings.captures_canvas:
        return CanvasCapture(stage, settings.canvas_selector)
    return BeginFrameCapture(stage, settings)


def page_scripts(settings: RenderSettings) -> tuple[str, ...]:
    """Return the scripts to run in every document before its own."""
    return (scripts.call("keep_webgl"),) if settings.captures_canvas else ()
