"""Pictures for an encoder: plain ones, and ones that carry their frame's number."""

from __future__ import annotations

from typing import Any

from PIL import Image, ImageDraw

from renderer.edges import Edges
from renderer.picture import Picture

from .frame_numbers import BITS, SQUARE_PX

WIDTH_PX, HEIGHT_PX = 400, 64


def numbered_picture(
    number: int, *, width_px: int = WIDTH_PX, height_px: int = HEIGHT_PX, mode: str = "RGB"
) -> Picture:
    """A picture with `number` as a row of squares, and a bar below it that moves each frame."""
    image = Image.new(mode, (width_px, height_px), "black")
    draw = ImageDraw.Draw(image)
    for bit in range(BITS):
        if number >> bit & 1:
            left = bit * SQUARE_PX
            draw.rectangle((left, 0, left + SQUARE_PX - 1, SQUARE_PX - 1), fill="white")
    left = number * 7 % width_px
    draw.rectangle((left, SQUARE_PX + 8, left + 30, height_px - 1), fill=(200, 40 + number % 99, 9))
    return of_image(image)


def plain_picture(
    color: tuple[int, int, int], *, width_px: int = 64, height_px: int = 64
) -> Picture:
    return of_image(Image.new("RGB", (width_px, height_px), color))


def of_image(image: Image.Image) -> Picture:
    pixels = image.convert("RGBA").tobytes("raw", "BGRA")
    return Picture(width_px=image.width, height_px=image.height, pixels=pixels)


def digests(pictures: list[Picture], frames: int) -> dict[str, Any]:
    """What a renderer tells of its pictures: those of `frames`, and the successor's, if any."""
    told = [picture.digest for picture in pictures]
    return {"frame_digests": tuple(told[:frames]), "next_frame_digest": "".join(told[frames:])}


def edges(pictures: list[Picture], frames: int) -> Edges:
    """What a renderer keeps of a chunk that paints all."""
    following = b"".join(picture.png() for picture in pictures[frames:])
    return Edges(first=pictures[0].png(), following=following)
