"""Pictures that move by themselves: whether a page has got a GIF, an animated PNG, WebP or AVIF."""

from __future__ import annotations

import base64
import re
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from .cdp import CdpError

if TYPE_CHECKING:
    from .cdp import CdpSession

    Params = dict[str, Any]

# How soon Chromium is to expect the next frame, where one is drawn again. An animated picture that
# begins in a frame goes on late by this, less the same of the frame that shows it. Being a little
# less than there, it makes good that a frame that is drawn again is a little late itself.
AGAIN_INTERVAL_MS: Final = 0.9

_DRAWING: Final = "image/svg+xml"
_STILL: Final = frozenset({"image/bmp", "image/jpeg", _DRAWING, "image/x-icon"})
_READ: Final = frozenset({"Fetch", "XHR"})  # by scripts: what they show is asked for once more

_WEBP_FLAGS: Final = slice(20, 21)
_WEBP_ANIMATION: Final = 0x02
_AVIF_BRANDS: Final = slice(8, 64)


_ANIMATION: Final = re.compile(rb"<(animate|animateMotion|animateTransform|set)[\s>/]|@keyframes\b")


def moves(picture: bytes) -> bool:
    """Whether a file of this content may move by itself. A GIF always may."""
    if picture.startswith(b"\x89PNG"):
        return b"acTL" in picture.partition(b"IDAT")[0]
    if picture.startswith(b"RIFF"):
        flags = int.from_bytes(picture[_WEBP_FLAGS]) if picture[8:16] == b"WEBPVP8X" else 0
        return bool(flags & _WEBP_ANIMATION)
    if picture[4:8] == b"ftyp":
        return b"avis" in picture[_AVIF_BRANDS]
    return picture.startswith(b"GIF8")


def drawing_moves(drawing: bytes) -> bool:
    """Whether an SVG file may move by itself, if it runs no scripts."""
    return _ANIMATION.search(drawing) is not None


class MovingPictures:
    """Hears what pictures a page gets, and looks at their bytes when it is asked."""

    def __init__(self, cdp: CdpSession) -> None:
        self._cdp = cdp
        self._coming: set[str] = set()
        self._unseen = deque[str]()
        self._have_come = False
        self._drawings: dict[str, str] = {}  # URLs by request
        cdp.on("Network.responseReceived", self._on_answered)
        cdp.on("Network.loadingFinished", self._on_come)
        cdp.on("Network.loadingFailed", self._on_failed)

    async def have_come(self) -> bool:
        """Whether one has come that may move, shown or not."""
        while self._unseen and not self._have_come:
            self._have_come = await self._moves(self._unseen.popleft())
        return self._have_come

    async def moving_drawings(self) -> tuple[str, ...]:
        """The URLs of SVG files that have come as images since it was asked, and move."""
        drawings, self._drawings = self._drawings, {}
        found = [url for request, url in drawings.items() if await self._drawing_moves(request)]
        return tuple(dict.fromkeys(found))

    async def _drawing_moves(self, request_id: str) -> bool:
        try:
            return drawing_moves(await self._body(request_id))
        except CdpError:
            return False  # nobody knows

    async def _moves(self, request_id: str) -> bool:
        try:
            return moves(await self._body(request_id))
        except CdpError:
            return True  # Chromium keeps it no longer, or it is very large: nobody knows

    async def _body(self, request_id: str) -> bytes:
        reply = await self._cdp.call("Network.getResponseBody", {"requestId": request_id})
        text: str = reply["body"]
        return base64.b64decode(text) if reply["base64Encoded"] else text.encode()

    def _on_answered(self, params: Params) -> None:
        kind, mime = params["type"], params["response"]["mimeType"]
        is_picture = kind == "Image" or (mime.startswith("image/") and kind not in _READ)
        if is_picture and mime == _DRAWING and kind == "Image":
            self._drawings[params["requestId"]] = params["response"]["url"]
        if is_picture and mime not in _STILL and not self._have_come:
            self._coming.add(params["requestId"])

    def _on_come(self, params: Params) -> None:
        if params["requestId"] in self._coming:
            self._coming.remove(params["requestId"])
            self._unseen.append(params["requestId"])

    def _on_failed(self, params: Params) -> None:
        self._coming.discard(params["requestId"])
