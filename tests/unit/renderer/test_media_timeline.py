"""Which picture of a source belongs to a time, in exact fractions."""

from __future__ import annotations

from fractions import Fraction

import pytest

from renderer.media.timeline import Picture, Shelf, source_time_s, tolerance_s


def picture(start: Fraction | int, stop: Fraction | int | None, size: int = 10) -> Picture:
    stop_s = None if stop is None else Fraction(stop)
    return Picture(Fraction(start), stop_s, bytes(size))


@pytest.mark.parametrize(
    ("at_us", "loops", "time_s"),
    [
        (0, True, Fraction(0)),
        (233_333, True, Fraction(233_333, 1_000_000)),
        (233_334, True, Fraction(233_334, 1_000_000) - Fraction(7, 30)),
        (700_000, True, Fraction(0)),  # three rounds, to the last bit
        (700_000, False, Fraction(7, 10)),
        (70_000_000_000, True, Fraction(0)),  # 300,000 rounds: nothing adds up
        (-5, True, Fraction(0)),
    ],
)
def test_a_loop_takes_whole_rounds_off(at_us: int, loops: bool, time_s: Fraction) -> None:
    assert source_time_s(at_us, Fraction(7, 30), loops=loops) == time_s


def test_what_has_no_length_cannot_loop() -> None:
    assert source_time_s(5, Fraction(0), loops=True) == Fraction(5, 1_000_000)


@pytest.mark.parametrize("rate", [24, 25, Fraction(30000, 1001), 30, 50, 60])
@pytest.mark.parametrize("tick", [Fraction(1, 1000), Fraction(1, 15360), Fraction(1, 90000)])
def test_each_picture_is_shown_at_its_time_whatever_its_container_rounds(
    rate: Fraction, tick: Fraction
) -> None:
    tolerance = tolerance_s(tick)
    told = [round(n / Fraction(rate) / tick) * tick - tolerance for n in range(200)]

    for n in range(199):
        # One µs later: what the page sends is rounded up to whole ones.
        for time_s in (n / Fraction(rate), n / Fraction(rate) + Fraction(1, 1_000_000)):
            assert picture(told[n], told[n + 1]).covers(time_s)


def test_a_tick_of_a_whole_frame_is_not_rounded() -> None:
    early = Fraction(1, 24) - Fraction(1, 60)

    assert not picture(Fraction(1, 24) - tolerance_s(Fraction(1, 24)), None).covers(early)


def test_a_picture_lasts_until_the_next_and_the_last_for_ever() -> None:
    assert picture(1, 2).covers(Fraction(1))
    assert not picture(1, 2).covers(Fraction(2))
    assert picture(1, None).covers(Fraction(10**9))


def test_the_shelf_finds_the_picture_that_is_shown_at_a_time() -> None:
    shelf = Shelf(1000)
    first, third = picture(0, 1), picture(2, 3)
    shelf.put("a", third)
    shelf.put("a", first)

    assert shelf.find("a", Fraction(1, 2)) is first
    assert shelf.find("a", Fraction(5, 2)) is third
    assert shelf.find("a", Fraction(3, 2)) is None  # never decoded
    assert shelf.find("a", Fraction(3)) is None
    assert shelf.find("b", Fraction(0)) is None


def test_a_full_shelf_drops_what_was_not_asked_for_longest() -> None:
    shelf = Shelf(25)
    shelf.put("a", picture(0, 1))
    shelf.put("a", picture(1, 2))
    assert shelf.find("a", Fraction(0))

    shelf.put("b", picture(0, 1))

    assert shelf.find("a", Fraction(0))
    assert shelf.find("a", Fraction(1)) is None
    assert shelf.find("b", Fraction(0))


def test_a_picture_larger_than_the_shelf_is_still_kept_until_the_next() -> None:
    shelf = Shelf(5)

    shelf.put("a", picture(0, 1))

    assert shelf.find("a", Fraction(0))


def test_a_source_is_forgotten_whole() -> None:
    shelf = Shelf(25)
    shelf.put("a", picture(0, 1))
    shelf.put("a", picture(1, 2))

    shelf.forget("a")
    shelf.put("b", picture(0, 1))
    shelf.put("b", picture(1, 2))

    assert shelf.find("a", Fraction(0)) is None
    assert shelf.find("b", Fraction(0))
    assert shelf.find("b", Fraction(1))
