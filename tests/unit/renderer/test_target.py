from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renderer.capture.target import Box, Crop, Viewport, crop_of, cut_out, moved
from renderer.encode.pictures import PictureStream
from renderer.picture import Picture
from renderer.settings import RenderSettings

VIEWPORT = Viewport(640, 360)
BLANK = Picture(width_px=640, height_px=360, pixels=bytes(640 * 360 * 4))


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

    PictureStream(width_px=crop.width_px, height_px=crop.height_px).check(RenderSettings())
    assert cut_out(BLANK, crop, b"fill").size_px == (crop.width_px, crop.height_px)
    assert min(crop.x_px, crop.y_px) >= 0
    assert crop.x_px + crop.width_px <= 640
    assert crop.y_px + crop.height_px <= 360
    assert crop.x_px <= box.left + 1 / 32
    assert crop.x_px + crop.width_px >= box.right - 1 / 32
    assert crop.width_px <= box.right - box.left + 4


@pytest.mark.parametrize(
    ("box", "crop"),
    [
        (Box(-30, 10, 71, 60), (-30, 10, 102, 50)),
        (Box(600, 300, 700, 400), (600, 300, 100, 100)),
        (Box(-300, -200, -199, -100), (-300, -200, 102, 100)),
        (Box(539, 309, 640, 360), (538, 308, 102, 52)),  # inside, it is as if it stayed
    ],
)
def test_what_is_followed_may_begin_outside(box: Box, crop: tuple[int, ...]) -> None:
    x_px, y_px, width_px, height_px = crop

    assert crop_of(box, VIEWPORT, may_leave=True) == Crop(
        x_px=x_px, y_px=y_px, width_px=width_px, height_px=height_px
    )


@pytest.mark.parametrize(
    ("now", "place"),
    [
        (Box(10.4, 20, 60.4, 50), (10, 20)),
        (Box(10.9, 20, 60.9, 50), (11, 20)),  # by the half a pixel that it has moved: up
        (Box(10.8, 20, 60.8, 50), (10, 20)),
        (Box(9.9, 19.4, 59.9, 49.4), (10, 19)),
        (Box(-89.6, 2020, -39.6, 2050), (-90, 2020)),
        (Box(0.4, 10, 70.4, 60), (10, 20)),  # it has grown, and its middle is where it was
        (Box(35.4, 35, 35.4, 35), (10, 20)),  # and shrunk to nothing
    ],
)
def test_a_crop_moves_by_whole_pixels_with_the_middle_of_its_element(
    now: Box, place: tuple[int, int]
) -> None:
    first = Box(10.4, 20, 60.4, 50)
    crop = Crop(x_px=10, y_px=20, width_px=52, height_px=30)

    assert moved(crop, first, now) == Crop(x_px=place[0], y_px=place[1], width_px=52, height_px=30)


NUMBERED = Picture(width_px=4, height_px=3, pixels=bytes(n for n in range(12) for _ in range(4)))


@pytest.mark.parametrize(
    ("place", "shown"),
    [
        ((0, 0, 4, 3), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]),
        ((1, 1, 2, 2), [5, 6, 9, 10]),
        ((-1, 0, 2, 2), [99, 0, 99, 4]),
        ((3, 2, 2, 2), [11, 99, 99, 99]),
        ((-1, -1, 6, 5), [*[99] * 7, 0, 1, 2, 3, 99, 99, 4, 5, 6, 7, 99, 99, 8, 9, 10, 11]),
        ((4, 0, 2, 2), []),
        ((0, -9, 2, 2), []),
        ((-2, 3, 2, 2), []),
    ],
)
def test_a_part_of_a_picture_is_cut_out_and_what_is_outside_is_filled(
    place: tuple[int, int, int, int], shown: list[int]
) -> None:
    x_px, y_px, width_px, height_px = place
    crop = Crop(x_px=x_px, y_px=y_px, width_px=width_px, height_px=height_px)

    cut = cut_out(NUMBERED, crop, bytes([99] * 4))

    whole = shown + [99] * (width_px * height_px - len(shown))
    assert bytes(cut.pixels) == bytes(n for n in whole for _ in range(4))
