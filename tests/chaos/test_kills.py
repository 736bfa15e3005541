"""A job on real processes, which are killed and frozen meanwhile. scripts/chaos does much more."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tests.support.pages import tools_or_skip

from .plans import COORDINATOR, Blow, Deed
from .trial import Size, by_frames, trial

SIZE = Size(frames=240, chunk_frames=12, workers=2)
# By frames that are done, so that as much is done to a slow farm as to a quick one.
BLOWS = (
    Blow(at=20, target=0, deed=Deed.KILL),
    Blow(at=50, target=COORDINATOR, deed=Deed.KILL),
    Blow(at=90, target=1, deed=Deed.KILL),
    Blow(at=120, target=COORDINATOR, deed=Deed.KILL),
    # A zombie: when it wakes up, its chunk is another's, or its attempt is taken up again.
    Blow(at=150, target=0, deed=Deed.FREEZE, lasts_s=4.0),
    Blow(at=180, target=COORDINATOR, deed=Deed.FREEZE, lasts_s=1.0),
)


async def test_nothing_that_is_done_to_a_farm_shows_in_the_file(tmp_path: Path) -> None:
    tools_or_skip()
    undisturbed = await trial(tmp_path / "undisturbed", replace(SIZE, workers=1))

    story = await trial(tmp_path / "disturbed", SIZE, BLOWS, by_frames)

    assert story.faults == undisturbed.faults == []
    assert story.sha256 == undisturbed.sha256
    assert story.blows == list(BLOWS)
