from __future__ import annotations

from dataclasses import fields, replace

import pytest

from renderer.drawing import Screen
from renderer.errors import InvalidRequestError
from renderer.gamut import ColorGamut
from renderer.keeping import (
    ENCODING,
    Choice,
    Chore,
    KeptBrowser,
    KeptPage,
    View,
    WarmLimits,
    choose,
    is_worn,
    next_chore,
)
from renderer.settings import History, RenderSettings

SETTINGS = RenderSettings()
VIEW = View(url="http://a.example/", settings=SETTINGS, start=60, series="job")


def a_browser(number: int, page_from: int | None = None, **changes: object) -> KeptBrowser:
    page = None if page_from is None else KeptPage(key=VIEW.key, from_frame=page_from)
    given = {"screen": Screen(), "idle_since_s": 0.0, "page": page} | changes
    return KeptBrowser(id=number, **given)  # type: ignore[arg-type]


def another_page(from_frame: int = 0) -> KeptPage:
    return KeptPage(key=replace(VIEW, series="other").key, from_frame=from_frame)


def test_the_page_that_is_nearest_goes_on() -> None:
    idle = [a_browser(1, 0), a_browser(2, 40), a_browser(3, 20)]

    assert choose(VIEW, idle, room=0) == Choice(take=2, with_page=True)


def test_a_page_goes_on_from_the_very_frame_that_it_shows() -> None:
    assert choose(VIEW, [a_browser(1, 60)], room=0) == Choice(take=1, with_page=True)


def test_a_page_that_has_gone_by_is_loaded_anew() -> None:
    assert choose(VIEW, [a_browser(1, 61)], room=0) == Choice(take=1)


@pytest.mark.parametrize(
    "other",
    [
        replace(VIEW, series="another"),
        replace(VIEW, url="http://b.example/"),
        replace(VIEW, settings=replace(SETTINGS, seed=1)),
        replace(VIEW, settings=replace(SETTINGS, history=History.SEEKABLE)),
        replace(VIEW, scripts=("1",)),
        replace(VIEW, reads_memory=False),
    ],
)
def test_another_view_does_not_go_on_with_the_page(other: View) -> None:
    assert choose(other, [a_browser(1, 0)], room=0) == Choice(take=1)


def test_the_encoding_is_nothing_to_the_page() -> None:
    view = replace(VIEW, settings=replace(SETTINGS, crf=30, preset="slow", encoder_threads=1))

    assert choose(view, [a_browser(1, 0)], room=0) == Choice(take=1, with_page=True)
    assert set(ENCODING) < {field.name for field in fields(RenderSettings)}


def test_a_view_without_a_series_has_a_fresh_page() -> None:
    alone = replace(VIEW, series="")
    page = KeptPage(key=alone.key, from_frame=0)

    assert choose(alone, [a_browser(1, page=page)], room=0) == Choice(take=1)


def test_a_browser_without_a_page_comes_before_one_whose_page_may_be_wanted() -> None:
    idle = [a_browser(1, page=another_page()), a_browser(2, idle_since_s=9.0)]

    assert choose(VIEW, idle, room=1) == Choice(take=2)


def test_a_new_browser_is_started_rather_than_a_page_lost() -> None:
    idle = [a_browser(1, page=another_page())]

    assert choose(VIEW, idle, room=1) == Choice()
    assert choose(VIEW, idle, room=0) == Choice(take=1)


def test_the_page_that_nobody_has_asked_for_longest_is_lost_first() -> None:
    idle = [
        a_browser(1, page=another_page(), idle_since_s=5.0),
        a_browser(2, page=another_page(), idle_since_s=3.0),
    ]

    assert choose(VIEW, idle, room=0) == Choice(take=2)


@pytest.mark.parametrize("screen", [Screen(scale=2.0), Screen(gamut=ColorGamut.P3)])
def test_a_browser_of_another_screen_makes_way_when_there_is_no_room(screen: Screen) -> None:
    idle = [a_browser(1, screen=screen)]

    assert choose(VIEW, idle, room=1) == Choice()
    assert choose(VIEW, idle, room=0) == Choice(end=1)


def test_a_worn_browser_opens_no_more_pages_but_its_page_goes_on() -> None:
    idle = [a_browser(1, 40, is_worn=True), a_browser(2, is_worn=True, idle_since_s=1.0)]

    assert choose(VIEW, idle, room=0) == Choice(take=1, with_page=True)
    assert choose(replace(VIEW, start=0), idle, room=0) == Choice(end=1)


def test_where_nothing_is_kept_a_browser_is_started() -> None:
    assert choose(VIEW, [], room=-3) == Choice()


def test_wear_is_counted_in_frames_and_in_chunks() -> None:
    limits = WarmLimits(browser_frames=100, browser_chunks=10)

    assert not is_worn(limits, frames=99, chunks=9)
    assert is_worn(limits, frames=100, chunks=0)
    assert is_worn(limits, frames=0, chunks=10)


def test_a_page_ends_before_its_browser() -> None:
    limits = WarmLimits(page_idle_s=10, browser_idle_s=60)
    idle = [a_browser(1, 0, idle_since_s=100.0), a_browser(2, idle_since_s=45.0)]

    assert next_chore(idle, limits) == Chore(105.0, 2, ends_browser=True)
    assert next_chore(idle[:1], limits) == Chore(110.0, 1, ends_browser=False)


def test_a_worn_browser_ends_with_its_page() -> None:
    limits = WarmLimits(page_idle_s=10, browser_idle_s=60)

    assert next_chore([a_browser(1, 0, is_worn=True)], limits) == Chore(10.0, 1, ends_browser=True)


def test_there_is_nothing_to_do_where_nothing_is_kept() -> None:
    assert next_chore([], WarmLimits()) is None


def test_limits_that_cannot_be_are_named() -> None:
    with pytest.raises(InvalidRequestError, match="page_idle_s: -1 is negative"):
        WarmLimits(page_idle_s=-1)
