from __future__ import annotations

import io

import pytest
from PIL import Image

from renderer.picture import Picture, PictureError, from_png

PIXELS = bytes([1, 2, 3, 255, 40, 50, 60, 128])


def test_a_picture_survives_its_png_file() -> None:
    picture = Picture(width_px=2, height_px=1, pixels=PIXELS)

    assert from_png(picture.png()) == picture


def test_pixels_are_blue_green_red_and_alpha() -> None:
    file = Picture(width_px=2, height_px=1, pixels=PIXELS).png()

    with Image.open(io.BytesIO(file)) as image:
        assert [image.getpixel((x, 0)) for x in (0, 1)] == [(3, 2, 1, 255), (60, 50, 40, 128)]


def test_a_png_without_alpha_is_opaque() -> None:
    file = io.BytesIO()
    Image.new("RGB", (1, 1), (9, 8, 7)).save(file, "PNG")

    assert from_png(file.getvalue()).pixels == bytes([7, 8, 9, 255])


def test_only_the_same_pixels_have_the_same_digest() -> None:
    picture = Picture(width_px=2, height_px=1, pixels=PIXELS)
    other = Picture(width_px=2, height_px=1, pixels=bytes([0, *PIXELS[1:]]))

    assert picture.digest == Picture(width_px=2, height_px=1, pixels=bytearray(PIXELS)).digest
    assert picture.digest != other.digest
    assert len(bytes.fromhex(picture.digest)) == 16


def test_pixels_of_another_size_are_refused() -> None:
    with pytest.raises(PictureError, match="3x1 px has 12 bytes, not 8"):
        Picture(width_px=3, height_px=1, pixels=PIXELS)


@pytest.mark.parametrize("file", [b"", b"\xff\xd8\xff\xe0" * 9, b"\x89PNG\r\n\x1a\n" + b"x" * 50])
def test_bytes_that_are_no_picture_are_refused(file: bytes) -> None:
    with pytest.raises(PictureError, match="cannot be decoded"):
        from_png(file)


def test_a_damaged_png_is_an_error_and_not_a_black_picture() -> None:
    file = Picture(width_px=64, height_px=64, pixels=bytes(range(256)) * 64).png()

    with pytest.raises(PictureError, match="cannot be decoded"):
        from_png(file[: len(file) // 2])
