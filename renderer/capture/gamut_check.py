"""Whether a browser that is to paint in a wide gamut does so, seen on an empty page."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from renderer.errors import MissingToolError
from renderer.picture import from_png

if TYPE_CHECKING:
    from renderer.page import Page

_TIMEOUT_S: Final = 10.0
# Display P3's red, which sRGB does not have: there it would be 234, 51, 35.
_SHOW: Final = "document.documentElement.style.background = 'color(display-p3 1 0 0)'"
_BGRA: Final = bytes((0, 0, 255, 255))
_PICTURES: Final = 3  # a new page has no surface at first


async def check_gamut(page: Page) -> None:
    """Look at a colour that only Display P3 has. The page shows it afterwards.

    Raises:
        MissingToolError: Chromium paints another one.

    """
    await page.cdp.call("Runtime.evaluate", {"expression": _SHOW}, timeout_s=_TIMEOUT_S)
    shown = b""
    for _ in range(_PICTURES):
        file = await page.picture_now(timeout_s=_TIMEOUT_S)
        if file is not None:
            shown = bytes((await asyncio.to_thread(from_png, file)).pixels[: len(_BGRA)])
        if shown == _BGRA:
            return
    raise MissingToolError(
        "this Chromium does not paint in Display P3, which takes its own SwiftShader "
        f"(it shows {tuple(shown)} for {tuple(_BGRA)}, as BGRA); render with --color-gamut srgb"
    )
