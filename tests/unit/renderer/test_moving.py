"""What moves by itself, by its bytes; and what a page's requests tell of it."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest

from renderer.cdp import CdpError
from renderer.moving import MovingPictures, drawing_moves, moves

PNG = b"\x89PNG\r\n\x1a\n....IHDR............"
WEBP = b"RIFF....WEBP"
AVIF = b"\0\0\0\x20ftyp"


@pytest.mark.parametrize(
    ("picture", "is_moving"),
    [
        (b"GIF89a....", True),
        (b"GIF87a....", True),
        (PNG + b"....acTL....IDAT", True),
        (PNG + b"....IDAT....acTL", False),
        (WEBP + b"VP8X....\x02...", True),
        (WEBP + b"VP8X....\x10...", False),
        (WEBP + b"VP8X", False),
        (WEBP + b"VP8L....\x02...", False),
        (AVIF + b"avis....avifavismsf1", True),
        (AVIF + b"avif....avifmif1avis", True),
        (AVIF + b"avif....avifmif1miaf", False),
        (b"<html>", False),
        (b"", False),
    ],
)
def test_a_picture_that_may_move_is_known_by_its_bytes(picture: bytes, is_moving: bool) -> None:
    assert moves(picture) == is_moving


class Network:
    """A target whose Network events the test makes."""

    def __init__(self, body: bytes | CdpError) -> None:
        self.asked = 0
        self._body = body
        self._handlers: dict[str, Callable[[dict[str, Any]], None]] = {}

    def on(self, event: str, handler: Callable[[dict[str, Any]], None]) -> None:
        self._handlers[event] = handler

    async def call(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        assert (method, params) == ("Network.getResponseBody", {"requestId": "7"})
        self.asked += 1
        if isinstance(self._body, CdpError):
            raise self._body
        return {"body": base64.b64encode(self._body).decode(), "base64Encoded": True}

    def answer(self, mime: str, kind: str = "Image") -> None:
        response = {"mimeType": mime, "url": "http://a.example/x"}
        params = {"requestId": "7", "type": kind, "response": response}
        self._handlers["Network.responseReceived"](params)

    def finish(self, how: str = "Finished") -> None:
        self._handlers[f"Network.loading{how}"]({"requestId": "7"})


async def test_a_picture_is_looked_at_once_and_only_when_it_is_there() -> None:
    network = Network(b"\x89PNG....IDAT")
    pictures = MovingPictures(network)  # type: ignore[arg-type] # what it asks of a session

    network.answer("image/png")
    assert not await pictures.have_come()
    network.finish()
    assert network.asked == 0

    assert not await pictures.have_come()
    assert not await pictures.have_come()
    assert network.asked == 1


@pytest.mark.parametrize(
    ("mime", "kind", "is_looked_at"),
    [
        ("image/gif", "Image", True),
        ("application/octet-stream", "Image", True),
        ("image/webp", "Document", True),  # a frame that is a picture
        ("image/jpeg", "Image", False),
        ("image/svg+xml", "Image", False),
        ("image/gif", "Fetch", False),
        ("text/html", "Document", False),
    ],
)
async def test_only_what_may_move_is_looked_at(mime: str, kind: str, is_looked_at: bool) -> None:
    network = Network(b"GIF89a")
    pictures = MovingPictures(network)  # type: ignore[arg-type] # what it asks of a session

    network.answer(mime, kind)
    network.finish()

    assert await pictures.have_come() == is_looked_at


async def test_a_picture_that_chromium_no_longer_has_may_move() -> None:
    network = Network(CdpError("No data found for resource with given identifier"))
    pictures = MovingPictures(network)  # type: ignore[arg-type] # what it asks of a session

    network.answer("image/png")
    network.finish()

    assert await pictures.have_come()


async def test_a_picture_that_does_not_come_does_not_move() -> None:
    network = Network(b"GIF89a")
    pictures = MovingPictures(network)  # type: ignore[arg-type] # what it asks of a session

    network.answer("image/gif")
    network.finish("Failed")
    network.finish()

    assert not await pictures.have_come()


@pytest.mark.parametrize(
    ("drawing", "is_moving"),
    [
        (b"<svg><animate attributeName='x'/></svg>", True),
        (b"<svg><set attributeName='x'/></svg>", True),
        (b"<svg><style>@keyframes a { to { opacity: 0 } }</style></svg>", True),
        (b"<svg><animatedThing/><settings/></svg>", False),
        (b"", False),
    ],
)
def test_a_drawing_that_may_move_is_known_by_its_elements(drawing: bytes, is_moving: bool) -> None:
    assert drawing_moves(drawing) is is_moving
