"""What a render says on its way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FramesDone:
    """So many frames of the chunk have been captured; never less than before."""

    done: int


@dataclass(frozen=True, slots=True)
class Filmed:
    """The encoder has all frames of the chunk: the page is free for another film."""


@dataclass(frozen=True, slots=True)
class PageLog:
    """A line of the page's console."""

    level: str
    text: str


RenderEvent = FramesDone | Filmed | PageLog
OnRenderEvent = Callable[[RenderEvent], None]
