"""What stands behind a page where it paints nothing: a colour, or nothing at all."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from .errors import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .cdp import CdpSession
    from .settings import RenderSettings

_COLOR: Final = re.compile(r"#([0-9a-f]{3}|[0-9a-f]{6})", re.IGNORECASE)
_OPAQUE: Final = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Backdrop:
    """A colour, 0…255 each; alpha is 255, or 0 where pictures are transparent."""

    red: int = _OPAQUE
    green: int = _OPAQUE
    blue: int = _OPAQUE
    alpha: int = _OPAQUE

    @property
    def is_transparent(self) -> bool:
        return not self.alpha

    @property
    def css(self) -> str:
        return "" if self.is_transparent else f"#{self.red:02x}{self.green:02x}{self.blue:02x}"

    @property
    def bgra(self) -> bytes:
        return bytes((self.blue, self.green, self.red, self.alpha))


WHITE: Final = Backdrop()
NOTHING: Final = Backdrop(red=0, green=0, blue=0, alpha=0)


def backdrop_of(settings: RenderSettings) -> Backdrop:
    """A colour that is asked for stands behind a transparent page, too: the video is opaque."""
    if not settings.background:
        return NOTHING if settings.transparent else WHITE
    digits = settings.background.removeprefix("#")
    if len(digits) == 3:
        digits = "".join(digit * 2 for digit in digits)
    red, green, blue = bytes.fromhex(digits)
    return Backdrop(red=red, green=green, blue=blue)


def backdrop_violations(settings: RenderSettings) -> Iterator[Violation]:
    color = settings.background
    if color and not _COLOR.fullmatch(color):
        yield Violation("background", f"{color!r:.80} is no colour; write it like #fff or #1a2b3c")


async def put_behind(cdp: CdpSession, backdrop: Backdrop) -> None:
    """Let Chromium paint a page in front of something else than white."""
    if backdrop == WHITE:
        return
    color = {
        "r": backdrop.red,
        "g": backdrop.green,
        "b": backdrop.blue,
        "a": backdrop.alpha / _OPAQUE,
    }
    await cdp.call("Emulation.setDefaultBackgroundColorOverride", {"color": color})
