"""A job on real processes, which are killed and frozen, and whose clocks are set, meanwhile.

scripts/chaos does much more.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.pages import tools_or_skip
from tests.support.postgres import PostgresServer
from tests.support.s3_server import new_bucket

from .checker import lives
from .plans import COORDINATOR, Blow, Deed
from .trial import Size, Story, by_frames, trial

SIZE = Size(frames=240, chunk_frames=12, workers=2)
# By frames that are done, so that as much is done to a slow farm as to a quick one. After the last
# of them enough is left to do: it must not be over before somebody looks.
BLOWS = (
    Blow(at=20, target=0, deed=Deed.KILL),
    Blow(at=35, target=1, deed=Deed.SET_CLOCK, lasts_s=0.2),
    Blow(at=50, target=COORDINATOR, deed=Deed.KILL),
    Blow(at=80, target=1, deed=Deed.KILL),
    Blow(at=105, target=COORDINATOR, deed=Deed.KILL),
    # A zombie: when it wakes up, its chunk is another's, or its attempt is taken up again.
    Blow(at=130, target=0, deed=Deed.FREEZE, lasts_s=4.0),
    Blow(at=150, target=COORDINATOR, deed=Deed.FREEZE, lasts_s=1.0),
    # By more than the job's time limit.
    Blow(at=165, target=COORDINATOR, deed=Deed.SET_CLOCK, lasts_s=0.5),
)

FEW_BLOWS = (
    Blow(at=20, target=0, deed=Deed.KILL),
    Blow(at=40, target=COORDINATOR, deed=Deed.KILL),  # comes back as the one that stands by
)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Story:
    tools_or_skip()
    story = asyncio.run(trial(tmp_path_factory.mktemp("undisturbed"), replace(SIZE, workers=1)))
    assert story.faults == []
    return story


async def test_nothing_that_is_done_to_a_farm_shows_in_the_file(
    undisturbed: Story, tmp_path: Path
) -> None:
    story = await trial(tmp_path, replace(SIZE, is_clocked=True), BLOWS, by_frames)

    assert story.faults == []
    assert story.sha256 == undisturbed.sha256
    assert story.blows == list(BLOWS)


async def test_a_standby_goes_on_with_what_a_killed_coordinator_left_in_shared_stores(
    undisturbed: Story, tmp_path: Path, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = ("--store", postgres.new_store(), "--artifacts", new_bucket(monkeypatch))

    story = await trial(tmp_path, replace(SIZE, shared=shared), FEW_BLOWS, by_frames)

    assert story.faults == []
    assert story.sha256 == undisturbed.sha256
    assert story.blows == list(FEW_BLOWS)
    assert lives(story.events) == 2
