"""Feed: one picture is written to the encoder while the next one is painted."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from renderer.picture import Picture

    from .ffmpeg import Encoder


@asynccontextmanager
async def feeding(encoder: Encoder) -> AsyncGenerator[Feed]:
    """A feed of the encoder. When the block ends, no write is under way any more."""
    feed = Feed(encoder)
    try:
        yield feed
        await feed.settle()
    finally:
        await feed.stop()


class Feed:
    """Hands pictures to the encoder, one behind the caller."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._writing: asyncio.Task[None] | None = None

    async def put(self, picture: Picture) -> None:
        """Begin to write a picture, once the one before is written. Leave its pixels as they are.

        Raises:
            EncoderError: the one before could not be written.

        """
        await self.settle()
        self._writing = asyncio.create_task(self._encoder.write(picture), name="encoder-feed")

    async def settle(self) -> None:
        """Wait until all is written."""
        if self._writing is not None:
            await self._writing
            self._writing = None

    async def stop(self) -> None:
        if self._writing is not None:
            self._writing.cancel()
            await asyncio.wait([self._writing])
