"""A local farm that cannot start says why and leaves nothing behind."""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from coordinator.job import JobError, JobState
from framefarm import service_process, service_start
from framefarm.client import FarmClient
from framefarm.errors import JobFailedError, ServiceNotStartedError
from framefarm.local_farm import local_farm
from framefarm.service_process import running_services
from tests.support.eventually import eventually
from tests.support.pages import tools_or_skip
from tests.support.processes import descendants
from tests.support.tasks import a_job


def family(before: set[tuple[int, str]]) -> set[int]:
    return {pid for pid, _ in descendants() - before}


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


async def test_a_worker_that_does_not_start_is_told_with_its_log(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRAMEFARM_CHROMIUM", "/nowhere/chromium")
    before = descendants()

    with pytest.raises(ServiceNotStartedError, match="/nowhere/chromium") as failed:
        async with local_farm(workers=2):
            pass

    assert "the local farm's worker 1 did not start: it ended with 1" in str(failed.value)
    assert list(temporary.iterdir()) == []
    assert descendants() == before


async def test_a_service_that_says_nothing_in_time_is_ended(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # `cat` waits for its standard input and prints no address.
    monkeypatch.setattr(service_start, "command_of", lambda _: ["cat"])
    monkeypatch.setattr(service_process, "START_LIMIT_S", 0.2)
    before = descendants()

    with pytest.raises(ServiceNotStartedError, match=r"it said nothing for 0\.2 s"):
        async with running_services({"worker 1": ["worker"]}, temporary) as (worker,):
            await worker.address()

    assert descendants() == before


async def test_a_service_that_does_not_stop_is_killed_with_all_it_started(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It ignores the end of its input and SIGTERM, and has a child in a session of its own.
    stubborn = "trap '' TERM; setsid sleep 300 & echo 127.0.0.1:1; while :; do sleep 300; done"
    monkeypatch.setattr(service_start, "command_of", lambda _: ["bash", "-c", stubborn])
    monkeypatch.setattr(service_process, "STOP_LIMIT_S", 0.2)
    monkeypatch.setattr(service_process, "TERMINATE_LIMIT_S", 0.2)
    before = descendants()

    async with running_services({"worker 1": ["worker"]}, temporary) as (worker,):
        assert await worker.address() == "127.0.0.1:1"
        await eventually(lambda: len(family(before)) == 3)
        # bash has forked, but `setsid` may not have made its session yet
        await eventually(lambda: len({os.getsid(pid) for pid in family(before)}) == 2)

    assert descendants() == before


async def test_a_fault_of_our_own_comes_with_what_the_services_logged(temporary: Path) -> None:
    tools_or_skip()
    failed = replace(a_job(JobState.FAILED), error=JobError(reason="INTERNAL", message="oh"))

    with pytest.raises(JobFailedError) as caught:
        async with local_farm(workers=1) as address, FarmClient(address) as farm:
            await farm.workers()
            raise JobFailedError(failed)

    assert "worker found" in caught.value.service_log
    assert list(temporary.iterdir()) == []
