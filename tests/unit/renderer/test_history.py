from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renderer.approach import APPROACH_FRAMES
from renderer.frames import FrameRange
from renderer.history import PLAYED_FRAMES, Between, Difference, ProbeResult, Use, route
from renderer.settings import History

CLEAN = ProbeResult(frames=(0, 20), jumps=(20,))


@given(st.integers(0, 100_000), st.integers(1, 100_000))
def test_a_route_goes_forward_to_the_last_frame_and_is_short(start: int, count: int) -> None:
    frames = FrameRange(start, start + count)

    way = route(frames)

    assert way.played <= PLAYED_FRAMES
    assert set(way.jumps) < set(way.pictures)
    assert way.pictures[0] == 0
    assert way.pictures[-1] == frames.stop - 1 or frames.stop - 1 - way.played <= APPROACH_FRAMES
    stops = [way.played, *way.visits]
    assert all(b - a > APPROACH_FRAMES for a, b in pairwise(stops))
    assert len(way.jumps) <= 4


def test_nothing_against_it_is_seekable() -> None:
    assert CLEAN.history is History.SEEKABLE
    assert ProbeResult(frames=(0,), jumps=()).history is History.STATEFUL


@pytest.mark.parametrize("between", Between)
def test_any_difference_is_stateful(between: Between) -> None:
    found = ProbeResult(
        frames=(0, 20), jumps=(20,), differences=(Difference(frame=20, between=between),)
    )

    assert found.history is History.STATEFUL
    assert "frame 20" in found.objection


def test_what_is_only_of_interest_when_sessions_differ_is_no_objection() -> None:
    request = Use(api="request", detail="http://a.example/b")
    found = ProbeResult(frames=(0, 20), jumps=(20,), uses=(request,))

    assert found.history is History.SEEKABLE
    assert found.suspects == ()
