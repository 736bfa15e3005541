from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renderer.capture.begin_frame import Box, Viewport, crop_of
from renderer.encode.pictures import Crop, PictureStream

VIEWPORT = Viewport(640, 360)


@pytest.mark.parametrize(
    ("box", "crop"),
    [
        (Box(10, 20, 110, 70), (10, 20, 100, 50)),
        (Box(10.4, 20.5, 109.2, 69.1), (10, 20, 100, 50)),
        (Box(10, 20, 111, 71), (10, 20, 102, 52)),  # odd: one more to the right and below
        (Box(539, 309, 640, 360), (538, 308, 102, 52)),  # no room there: to the left and above
        (Box(0, 0, 640, 360), (0, 0, 640, 360)),
        (Box(-0.004, 0, 640.003, 360), (0, 0, 640, 360)),  # layout's 1/64 px
        (Box(5.2, 5.2, 5.3, 5.3), (5, 5, 2, 2)),
    ],
)
def test_a_box_becomes_whole_pixels_of_even_sides(box: Box, crop: tuple[int, ...]) -> None:
    x_px, y_px, width_px, height_px = crop

    assert crop_of(box, VIEWPORT) == Crop(
        x_px=x_px, y_px=y_px, width_px=width_px, height_px=height_px
    )


@pytest.mark.parametrize(
    ("box", "problem"),
    [
        (Box(10, 10, 10, 50), "empty"),
        (Box(0, 0, 0, 0), "empty"),
        (Box(600, 10, 700, 50), "640x360"),
        (Box(-5, 10, 50, 50), "move it inside"),
        (Box(10, 400, 50, 500), "400…500"),
    ],
)
def test_a_box_that_is_empty_or_outside_is_refused(box: Box, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        crop_of(box, VIEWPORT)


edges = st.floats(0, 600).filter(lambda edge: edge == 0 or edge > 1e-3)


@given(edges, st.floats(0.1, 300), st.floats(0, 300), st.floats(0.1, 200))
def test_every_crop_holds_its_box_and_can_be_encoded(
    left: float, width: float, top: float, height: float
) -> None:
    box = Box(left, top, min(left + width, 640), min(top + height, 360))

    crop = crop_of(box, VIEWPORT)

    assert PictureStream(width_px=640, height_px=360, crop=crop).crop == crop
    assert crop.x_px <= box.left + 1 / 32
    assert crop.x_px + crop.width_px >= box.right - 1 / 32
    assert crop.width_px <= box.right - box.left + 4
