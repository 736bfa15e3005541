"""A coordinator that is started before the command line is read, and what is left of it."""

from __future__ import annotations

import asyncio
import signal
import tempfile
from pathlib import Path

import pytest

from framefarm.client import FarmClient
from framefarm.head_start import head_start
from framefarm.local_farm import local_farm
from tests.support.command_line import framefarm, framefarm_command, living_in
from tests.support.eventually import eventually
from tests.support.pages import PAGES, tools_or_skip

COUNTER = str(PAGES / "counter.html")


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this process and all it starts have their temporary files."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


async def test_a_farm_takes_what_was_started_ahead_of_it(temporary: Path) -> None:
    tools_or_skip()
    ahead = head_start(renders=True)

    async with local_farm(ahead=ahead) as address, FarmClient(address) as farm:
        workers = await farm.workers()
        ours = [each for each in living_in(temporary) if "framefarm.local_coordinator" in each]

    assert [each.split()[0] for each in ours] == [str(ahead.process.pid)]
    assert [worker.slots for worker in workers] == [1]
    assert ahead.process.returncode == 0
    assert living_in(temporary) == []
    assert list(temporary.iterdir()) == []


async def test_what_nobody_used_goes_with_its_folder_and_may_be_dropped_twice(
    temporary: Path,
) -> None:
    ahead = head_start(renders=True)

    ahead.drop()
    ahead.drop()

    assert ahead.process.returncode == -signal.SIGKILL
    assert list(temporary.iterdir()) == []


async def test_a_coordinator_whose_starter_dies_before_it_says_anything_leaves_nothing(
    temporary: Path,
) -> None:
    ahead = head_start(renders=True)
    assert ahead.process.stdin is not None
    assert ahead.process.stdout is not None

    ahead.process.stdin.close()

    assert await asyncio.to_thread(ahead.process.wait, 60) == 0
    ahead.process.stdout.close()
    assert list(temporary.iterdir()) == []


async def test_a_request_that_is_wrong_leaves_nothing_of_what_was_started_for_it(
    tmp_path: Path, temporary: Path
) -> None:
    ended = await framefarm(
        *["render", COUNTER, "-o", str(tmp_path / "out.mp4"), "--fps", "no"], temporary=temporary
    )

    assert ended.code == 2
    assert "--fps" in ended.err
    assert living_in(temporary) == []
    assert list(temporary.iterdir()) == []


async def test_ctrl_c_before_anything_has_begun_leaves_nothing(
    tmp_path: Path, temporary: Path
) -> None:
    arguments = ("render", COUNTER, "-o", str(tmp_path / "out.mp4"), "--frames", "9")
    async with framefarm_command(
        *arguments, temporary=temporary, PYTHONPROFILEIMPORTTIME="1"
    ) as command:
        await command.said(" typer.main")  # and the rest is still to be imported
        command.signal(signal.SIGINT)
        ended = await command.ended()

    assert ended.code in (-signal.SIGINT, 130)
    await eventually(lambda: living_in(temporary) == [], within_s=60)
    assert list(temporary.iterdir()) == []
