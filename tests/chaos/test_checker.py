"""What the checker of chaos finds, in logs that cannot be; and that plans follow their seeds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import islice

import pytest

from coordinator.job import ChunkMoved, ChunkState, Event, JobEvent, JobState, ProgressMade
from coordinator.job import StateChanged as State
from renderer.frames import FrameRange

from .checker import begun, faults, lives
from .modes import MODES
from .plans import COORDINATOR, Deed, plan

AT = datetime(2026, 1, 1, tzinfo=UTC)
QUEUED, ASSEMBLING = State(JobState.QUEUED), State(JobState.ASSEMBLING)
RUNNING, DONE = State(JobState.RENDERING), State(JobState.SUCCEEDED)


def chunk(index: int, state: ChunkState) -> ChunkMoved:
    frames = FrameRange(index * 5, index * 5 + 5)
    return ChunkMoved(index=index, state=state, frames=frames, worker="w", attempt=1)


def first(index: int) -> ChunkMoved:
    return chunk(index, ChunkState.RENDERING)


def ready(index: int) -> ChunkMoved:
    return chunk(index, ChunkState.RENDERED)


HALF, WHOLE = ProgressMade(5, 10), ProgressMade(10, 10)
GOOD: list[Event] = [
    *(QUEUED, RUNNING, first(0), first(1), HALF, ready(0)),
    *(QUEUED, RUNNING, HALF, ready(0), first(1), WHOLE, ready(1)),
    *(ASSEMBLING, DONE),
]


def found(events: Sequence[Event], *, since: int = 1) -> list[str]:
    rows = [
        JobEvent(sequence=number, at=AT, event=event)
        for number, event in enumerate(events, start=since)
    ]
    return faults(rows, chunks=2, frames=10)


def test_the_log_of_a_job_that_two_coordinators_had_may_look_like_this() -> None:
    rows = [JobEvent(sequence=number, at=AT, event=each) for number, each in enumerate(GOOD, 1)]

    assert found(GOOD) == []
    assert lives(rows) == 2
    assert begun(rows) == 3


def test_a_gap_in_the_log_is_found() -> None:
    assert found(GOOD, since=2) == ["event 1 has the sequence number 2"]


@pytest.mark.parametrize(
    ("at", "event", "said"),
    [
        (-2, ready(1), "accepts chunk 1 a second time"),
        (-2, first(0), "renders chunk 0 again, which was finished"),
        (-2, chunk(0, ChunkState.REQUEUED), "drops finished chunk 0"),
        (-2, HALF, "falls from 10 to 5 frames"),
        (len(GOOD), WHOLE, "comes after the job has succeeded"),
    ],
)
def test_what_cannot_happen_is_found(at: int, event: Event, said: str) -> None:
    assert said in str(found([*GOOD[:at], event, *GOOD[at:]]))


@pytest.mark.parametrize(
    ("left_out", "said"),
    [
        (DONE, "the last state is assembling"),
        (ready(1), "chunks [1] were never accepted"),
        (WHOLE, "it ends at 5 of 10 frames"),
    ],
)
def test_what_is_missing_is_found(left_out: Event, said: str) -> None:
    assert said in str(found([event for event in GOOD if event != left_out]))


def test_a_seed_always_gives_the_same_plan_and_another_seed_another() -> None:
    habits = MODES["kill"].habits((0, 1, 2))

    plans = [list(islice(plan(habits, seed=seed), 40)) for seed in (1, 1, 2)]

    assert plans[0] == plans[1] != plans[2]
    assert plans[0] == sorted(plans[0])
    assert {blow.target for blow in plans[0]} == {COORDINATOR, 0, 1, 2}
    assert {blow.deed for blow in plans[0]} == {Deed.KILL}
