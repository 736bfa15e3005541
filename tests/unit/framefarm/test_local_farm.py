"""How many workers a local farm has."""

from __future__ import annotations

import pytest

from coordinator.job import JobSpec
from framefarm import local_farm
from framefarm.local_farm import slot_count
from renderer.composition import PageUrl
from renderer.frames import FrameRange
from renderer.settings import RenderSettings
from worker.cgroup import Limits


def spec(frames: int, chunk_frames: int | None = None) -> JobSpec:
    return JobSpec(
        composition=PageUrl("http://example.test/"),
        settings=RenderSettings(),
        frames=FrameRange(0, frames),
        chunk_frames=chunk_frames,
    )


@pytest.mark.parametrize(("cpus", "count"), [(0.5, 1), (1.0, 1), (2.9, 2), (4.0, 4), (64.0, 4)])
def test_by_default_it_is_one_a_core_up_to_four(
    cpus: float, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_farm, "limits", lambda: Limits(cpus=cpus, memory_bytes=1 << 30))

    assert slot_count(None, spec(10_000)) == count


@pytest.mark.parametrize(("cpus", "count"), [(1.0, 1), (2.0, 1), (3.0, 2), (8.0, 4), (64.0, 4)])
def test_a_short_video_has_a_slot_for_two_cores(
    cpus: float, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_farm, "limits", lambda: Limits(cpus=cpus, memory_bytes=1 << 30))

    assert slot_count(None, spec(300, 10)) == count


@pytest.mark.parametrize(
    ("wanted", "job", "count"),
    [
        (3, spec(90, 30), 3),
        (8, spec(90, 30), 3),
        (8, spec(91, 30), 4),
        (8, spec(1), 1),
        (2, spec(10_000), 2),
    ],
)
def test_no_worker_is_started_that_would_have_no_chunk(
    wanted: int, job: JobSpec, count: int
) -> None:
    assert slot_count(wanted, job) == count
