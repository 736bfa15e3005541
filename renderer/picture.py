"""Picture: the pixels of one frame, as they leave the browser and enter the encoder."""

from __future__ import annotations

import io
from dataclasses import dataclass, field, replace
from typing import Final

import xxhash

from .errors import RenderError

BYTES_PER_PIXEL: Final = 4
DIGEST_BYTES: Final = 16

Pixels = bytes | bytearray


class PictureError(RenderError):
    """What the browser gave is no picture, or none of this size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """Rows from the top, of 4 bytes a pixel: blue, green, red and (straight) alpha.

    The pixels may stand in a buffer that is used again: a strategy says for how long they are good.
    `is_repeat` says that nothing has changed since the picture before.
    """

    width_px: int
    height_px: int
    pixels: Pixels = field(repr=False)
    is_repeat: bool = field(default=False, compare=False)

    def __post_init__(self) -> None:
        wanted = self.width_px * self.height_px * BYTES_PER_PIXEL
        if len(self.pixels) != wanted:
            raise PictureError(
                f"a picture of {self.width_px}x{self.height_px} px has {wanted} bytes, "
                f"not {len(self.pixels)}"
            )

    @property
    def size_px(self) -> tuple[int, int]:
        return self.width_px, self.height_px

    @property
    def digest(self) -> str:
        """XXH3 (128 bits, hex) of the pixels: two pictures with the same one are the same."""
        return xxhash.xxh3_128_hexdigest(self.pixels)

    def kept(self) -> Picture:
        """The same in memory of its own."""
        return replace(self, pixels=bytes(self.pixels))

    def png(self) -> bytes:
        """Return the picture as a PNG file."""
        from PIL import Image  # here: most renders never see such a file

        image = Image.frombuffer("RGBA", self.size_px, self.pixels, "raw", "BGRA", 0, 1)
        file = io.BytesIO()
        image.save(file, "PNG", compress_level=1)
        return file.getvalue()


def from_png(file: bytes) -> Picture:
    """Decode a PNG file; one without alpha is opaque.

    Raises:
        PictureError: it is none, or damaged.

    """
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(file), formats=["PNG"]) as image:
            pixels = image.convert("RGBA").tobytes("raw", "BGRA")
            return Picture(width_px=image.width, height_px=image.height, pixels=pixels)
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise PictureError(f"Chromium's picture cannot be decoded: {error}") from error
