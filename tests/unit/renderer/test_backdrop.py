from __future__ import annotations

import pytest

from renderer.backdrop import NOTHING, WHITE, Backdrop, backdrop_of
from renderer.settings import RenderSettings


@pytest.mark.parametrize("color", ["#1a2b3c", "#1A2B3C"])
def test_a_colour_stands_behind_the_page(color: str) -> None:
    backdrop = backdrop_of(RenderSettings(background=color))

    assert backdrop == Backdrop(red=0x1A, green=0x2B, blue=0x3C)
    assert backdrop.css == "#1a2b3c"
    assert backdrop.bgra == b"\x3c\x2b\x1a\xff"


def test_a_short_colour_means_the_long_one() -> None:
    assert backdrop_of(RenderSettings(background="#f08")).css == "#ff0088"


def test_white_stands_behind_a_page_unless_told() -> None:
    assert backdrop_of(RenderSettings()) == WHITE


def test_a_transparent_page_with_a_colour_behind_it_is_opaque() -> None:
    both = RenderSettings(transparent=True, background="#000")

    assert backdrop_of(both) == Backdrop(red=0, green=0, blue=0)
    assert not backdrop_of(both).is_transparent
    assert NOTHING.bgra == bytes(4)
