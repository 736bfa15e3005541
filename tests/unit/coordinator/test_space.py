"""When a disk is too full for work to begin."""

from __future__ import annotations

from coordinator.space import Space

SPACE = Space(floor_bytes=100)


def test_work_begins_while_there_is_more_than_the_floor() -> None:
    assert not SPACE.seen(100).is_short
    assert SPACE.seen(99).is_short


def test_work_goes_on_when_twice_the_floor_is_free() -> None:
    short = SPACE.seen(99)

    assert short.seen(199).is_short
    assert not short.seen(200).is_short


def test_what_went_up_and_down_above_the_floor_was_never_short() -> None:
    assert not SPACE.seen(500).seen(100).seen(150).is_short


def test_a_disk_that_ran_out_needs_more_room_than_it_had_then() -> None:
    full = SPACE.ran_out(1_000)  # so much is free again, and was not enough

    assert full.seen(1_000).is_short
    assert full.seen(1_099).is_short
    assert not full.seen(1_100).is_short


def test_a_disk_that_ran_out_near_the_floor_needs_twice_the_floor() -> None:
    assert SPACE.ran_out(10).wanted_bytes == 200


def test_a_disk_that_runs_out_again_wants_no_less_than_before() -> None:
    assert SPACE.ran_out(1_000).ran_out(10).wanted_bytes == 1_100


def test_without_a_floor_a_disk_that_ran_out_is_short_until_something_is_freed() -> None:
    full = Space(floor_bytes=0).ran_out(0)

    assert full.is_short
    assert full.seen(0).is_short
    assert not full.seen(1).is_short
