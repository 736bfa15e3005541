from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from renderer.encode.png import png_size


@pytest.mark.parametrize(("mode", "size_px"), [("RGB", (3, 5)), ("RGBA", (640, 2)), ("L", (1, 1))])
def test_a_pngs_size_is_in_its_first_bytes(mode: str, size_px: tuple[int, int]) -> None:
    file = io.BytesIO()
    Image.new(mode, size_px).save(file, "PNG")

    assert png_size(file.getvalue()) == size_px
    assert png_size(memoryview(file.getvalue())[:24]) == size_px


@pytest.mark.parametrize("data", [b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0" + bytes(60)])
def test_what_is_no_png_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="PNG"):
        png_size(data)


@given(st.binary(max_size=64))
def test_no_bytes_break_the_reading(data: bytes) -> None:
    with pytest.raises(ValueError, match="PNG"):
        png_size(data)
