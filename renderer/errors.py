"""What can go wrong while a page becomes a chunk file.

RenderError
├── InvalidRequestError   the request is at fault; says which fields, and the remedy
├── BundleMissingError    the composition's bundle is not in this machine's store
├── CompositionError      the page is at fault: no other try will do better
├── BrowserLostError      Chromium crashed or was killed
├── FrameStalledError     no frame for the watchdog's limit: a hang
│   └── DrawingSilentError    … though the page answers: Chromium's drawing hangs
├── CaptureDoubtError     what was read may not be what Chromium draws: film it another way
├── EncoderError          ffmpeg failed, or wrote something else than it was asked to
└── MissingToolError      this machine has no usable Chromium or ffmpeg
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class RenderError(Exception):
    """A chunk could not be rendered."""


@dataclass(frozen=True, slots=True)
class Violation:
    """One field of a request that cannot be, and what to do about it."""

    field: str
    problem: str

    def __str__(self) -> str:
        return f"{self.field}: {self.problem}"


class InvalidRequestError(RenderError, ValueError):
    """The request cannot be: `violations` names each field, its value and the remedy."""

    def __init__(self, violations: Iterable[Violation]) -> None:
        self.violations = tuple(violations)
        super().__init__("; ".join(str(violation) for violation in self.violations))


class BundleMissingError(RenderError):
    """The composition's bundle is not in this machine's store: send it, then ask again."""

    def __init__(self, digest: str) -> None:
        super().__init__(f"bundle {digest[:12]} is not in the store here; upload it first")
        self.digest = digest


class Fault(StrEnum):
    """What is wrong with a composition; the `ErrorInfo.reason` on the wire."""

    PAGE_NOT_FOUND = "PAGE_NOT_FOUND"
    PAGE_UNREACHABLE = "PAGE_UNREACHABLE"
    PAGE_ERROR = "PAGE_ERROR"
    PAGE_NOT_STABLE = "PAGE_NOT_STABLE"
    CANVAS_NOT_FOUND = "CANVAS_NOT_FOUND"
    CANVAS_UNREADABLE = "CANVAS_UNREADABLE"
    TARGET_NOT_FOUND = "TARGET_NOT_FOUND"
    PICTURE_SIZE = "PICTURE_SIZE"
    MISSING_RESOURCE = "MISSING_RESOURCE"


class CompositionError(RenderError):
    """The page is at fault: no other worker will do better.

    `detail` holds what belongs to it and is long (the page's stack, what was awaited).
    """

    def __init__(self, fault: Fault, message: str, *, detail: str = "") -> None:
        super().__init__(message)
        self.fault = fault
        self.detail = detail


class BrowserLostError(RenderError):
    """Chromium crashed or was killed."""


class FrameStalledError(RenderError):
    """Chromium gave no frame within the watchdog's limit."""


class DrawingSilentError(FrameStalledError):
    """Chromium draws nothing of a page that answers: its drawing hangs, not the page."""

    def __init__(self, timeout_s: float) -> None:
        super().__init__(
            f"Chromium drew no frame within {timeout_s:g} s, though the page answers; where that "
            "comes again, set FRAMEFARM_CAPTURE=screenshot on every worker"
        )


class CaptureDoubtError(RenderError):
    """What was read of Chromium's memory may not be what it draws: film it another way."""


class EncoderError(RenderError):
    """ffmpeg failed, or wrote something else than it was asked to."""


class MissingToolError(RenderError):
    """This machine has no usable Chromium or ffmpeg; the message says how to get it."""
