from __future__ import annotations

from pathlib import Path

import pytest

from renderer.errors import InvalidRequestError
from worker.cgroup import Limits, slots_for
from worker.settings import WorkerSettings

GIB = 1 << 30


@pytest.mark.parametrize(
    ("cpus", "memory_gib", "slots"),
    [(4, 16, 4), (4, 3, 3), (1.5, 8, 1), (0.5, 0.5, 1), (64, 64, 64)],
)
def test_a_worker_has_a_slot_for_each_cpu_that_has_its_memory(
    cpus: float, memory_gib: float, slots: int
) -> None:
    assert slots_for(Limits(cpus=cpus, memory_bytes=int(memory_gib * GIB))) == slots


def test_the_browsers_of_all_slots_share_the_workers_memory() -> None:
    settings = WorkerSettings(data_dir=Path(), browser_memory=0.5, page_idle_s=7)

    kept = settings.warm_limits(2, Limits(cpus=2, memory_bytes=4 * GIB))

    assert (kept.browsers, kept.browser_bytes, kept.page_idle_s) == (2, GIB, 7)


def test_settings_that_cannot_be_are_all_named() -> None:
    with pytest.raises(InvalidRequestError) as caught:
        WorkerSettings(
            data_dir=Path(),
            slots=0,
            frame_timeout_s=0,
            detach_s=0,
            browser_memory=1.5,
            bundle_bytes=0,
            scratch_bytes=-1,
        )

    fields = [violation.field for violation in caught.value.violations]
    assert fields == [
        "slots",
        "frame_timeout",
        "detach",
        "browser_memory",
        "bundle_cache",
        "scratch",
    ]
