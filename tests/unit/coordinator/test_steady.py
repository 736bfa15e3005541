from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from coordinator.job import JobState
from coordinator.steady import SteadyTime
from tests.support.job_desk import open_desk
from tests.support.tasks import a_spec

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


async def test_moments_keep_their_distance_when_the_clock_is_set() -> None:
    loop = asyncio.get_running_loop()
    clock, began_s = NOON, loop.time()
    steady = SteadyTime(lambda: clock)
    before = steady.of(NOON + HOUR)

    clock = NOON + 3 * HOUR
    after = steady.of(NOON + 4 * HOUR)

    took = timedelta(seconds=loop.time() - began_s)
    assert NOON <= steady.now() <= NOON + took
    assert timedelta() <= after - before <= took
    assert 3600 <= steady.loop_s(before) - began_s <= 3600 + took.total_seconds()


async def test_whoever_sets_the_clock_changes_no_jobs_time(tmp_path: Path) -> None:
    set_by, long_limit = timedelta(), replace(a_spec(), time_limit_s=60.0)

    async with open_desk(tmp_path, utc_now=lambda: datetime.now(UTC) + set_by) as desk:
        long = await desk.jobs.create(long_limit)
        short = await desk.jobs.create(replace(a_spec(), time_limit_s=0.3))
        set_by = timedelta(hours=1)
        new = await desk.jobs.create(long_limit)
        set_by = timedelta(hours=-1)
        ended = await desk.until(short.id, JobState.FAILED)

        assert ended.error is not None
        assert ended.error.reason == "DEADLINE_EXCEEDED"
        assert {desk.states(job.id)[-1] for job in (long, new)} == {JobState.RENDERING}
