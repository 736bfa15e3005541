"""`framefarm benchmark`: what is timed, and how it is told. The clocks are ours."""

from __future__ import annotations

import subprocess
import sys

import pytest

from framefarm.benchmark import Benchmarked, Lap, Pace, SlotsPace, family_cpu_s
from framefarm.cli.benchmark import _fields, _tell
from renderer.errors import InvalidRequestError
from renderer.events import FramesDone, PageLog
from renderer.renderer import RenderedChunk
from renderer.timings import SlowFrame, Stage, Timings


class Clocks:
    """A wall clock, and a clock of CPU time that goes half as fast."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def cpu_s(self) -> float:
        return self.now_s / 2


def a_lap(clocks: Clocks, *, slots: int, frames: int) -> Lap:
    return Lap(slots, frames, clock=lambda: clocks.now_s, cpu_clock=clocks.cpu_s)


def a_pace(frames_per_second: float, cpu_ms_per_frame: float = 50.0) -> Pace:
    return Pace(frames=9, frames_per_second=frames_per_second, cpu_ms_per_frame=cpu_ms_per_frame)


def a_chunk(timings: Timings) -> RenderedChunk:
    return RenderedChunk(
        frames=10,
        width_px=2,
        height_px=2,
        size_bytes=1,
        sha256="",
        seconds=1.0,
        timings=timings,
    )


def measured(timings: Timings) -> Benchmarked:
    chunk = a_chunk(timings)
    return Benchmarked(
        frames=10,
        rows=(
            SlotsPace(slots=1, pace=a_pace(20, cpu_ms_per_frame=50), chunks=(chunk,)),
            SlotsPace(slots=2, pace=a_pace(36), chunks=(chunk, chunk)),
            SlotsPace(slots=3, pace=a_pace(35), chunks=(chunk, chunk, chunk)),
        ),
        floor=a_pace(25, cpu_ms_per_frame=45),
    )


def test_a_pace_is_that_of_the_frames_after_the_first() -> None:
    clocks = Clocks()
    lap = a_lap(clocks, slots=1, frames=5)
    clocks.now_s += 30  # opening the page

    for done in range(1, 6):
        lap.hear(0, FramesDone(done))
        clocks.now_s += 0.25
    clocks.now_s += 30  # the encoder's last frames

    assert lap.pace() == Pace(frames=4, frames_per_second=4.0, cpu_ms_per_frame=125.0)


def test_only_the_time_counts_in_which_every_slot_is_at_work() -> None:
    clocks = Clocks()
    lap = a_lap(clocks, slots=2, frames=4)

    lap.hear(0, FramesDone(1))  # the first slot has started, the second has not
    clocks.now_s += 5
    lap.hear(0, FramesDone(2))
    lap.hear(1, FramesDone(1))
    clocks.now_s += 1
    lap.hear(0, FramesDone(3))
    lap.hear(1, FramesDone(2))
    clocks.now_s += 1
    lap.hear(0, FramesDone(4))  # the first slot has ended
    clocks.now_s += 9
    lap.hear(1, FramesDone(4))

    assert lap.pace() == Pace(frames=3, frames_per_second=1.5, cpu_ms_per_frame=2000 / 2 / 3)


def test_what_the_page_says_is_no_frame() -> None:
    clocks = Clocks()
    lap = a_lap(clocks, slots=1, frames=2)

    lap.hear(0, FramesDone(1))
    lap.hear(0, PageLog("log", "hello"))
    clocks.now_s += 1
    lap.hear(0, FramesDone(2))

    assert lap.pace().frames == 1


def test_slots_that_never_worked_at_once_have_no_pace() -> None:
    lap = a_lap(Clocks(), slots=2, frames=2)

    lap.hear(0, FramesDone(1))
    lap.hear(0, FramesDone(2))
    lap.hear(1, FramesDone(1))

    with pytest.raises(InvalidRequestError, match="2 are too few to see 2 slots at work at once"):
        lap.pace()


def test_the_floor_is_compared_by_pace_and_by_cpu_time() -> None:
    result = measured(Timings())

    assert (result.of_floor, result.cpu_of_floor, result.best_slots) == (0.8, 0.9, 2)


def test_a_slow_frame_is_told_with_its_reason(capsys: pytest.CaptureFixture[str]) -> None:
    slow = SlowFrame(frame=7, seconds=0.2613, stage=Stage.READ)
    timings = Timings(
        strategy="begin-frame-png",
        why="memory cannot be read",
        paint_s=0.3,
        repeated_frames=4,
        slowest=(slow,),
    )

    _tell(measured(timings))

    told = capsys.readouterr().out
    assert "frame 7 took 261 ms, mostly reading the pixels" in told
    assert "4 of 10 frames repeat the one before (40%)" in told
    assert "strategy: begin-frame-png, because memory cannot be read" in told
    assert "one slot reaches 0.80 of it, by CPU time 0.90" in told
    assert "most frames a second with 2 slots" in told
    assert "30.0" in told  # ms of painting in a frame


def test_json_holds_every_slots_timings() -> None:
    fields = _fields(measured(Timings(strategy="begin-frame-memory", paint_s=1.5)))

    assert fields["best_slots"] == 2
    rows = fields["slots"]
    assert isinstance(rows, list)
    assert [len(row["timings"]) for row in rows] == [1, 2, 3]
    assert rows[0]["timings"][0]["paint_s"] == 1.5


def test_cpu_time_of_what_has_ended_counts() -> None:
    works = "import time\nwhile time.process_time() < 0.3: pass"
    before_s = family_cpu_s()

    subprocess.run([sys.executable, "-c", works], check=True)

    assert family_cpu_s() - before_s > 0.25
