"""Pages go on from chunk to chunk where several slots render a job, and its file is the same."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from coordinator.job import Event, JobSpec, PageLogged
from coordinator.orchestrator import RenderOrchestrator
from executors.local import open_local_executor
from executors.plugins import ExecutorContext
from renderer.frames import FrameRange
from renderer.settings import History
from tests.support.pages import Crew, add_files, page_settings

pytestmark = pytest.mark.asyncio(loop_scope="module")

CHUNKS, EACH = 12, 4
PAGE = """<!doctype html><body><h1></h1><script>
console.log("opened");
framefarm.onFrame((frame) => {
  document.querySelector("h1").textContent = frame;
  console.log(`frame ${frame}`);
});
</script>"""


@dataclass
class Heard:
    """What the page said in each chunk."""

    events: list[Event] = field(default_factory=list)

    @property
    def lines(self) -> list[tuple[int, str]]:
        logged = [event for event in self.events if isinstance(event, PageLogged)]
        return [(line.chunk_index, line.text) for line in logged]

    @property
    def loads(self) -> int:
        return sum(text == "opened" for _, text in self.lines)

    @property
    def frames(self) -> list[tuple[int, int]]:
        """The frames that ran, by chunk."""
        ran = [(index, text.split()) for index, text in self.lines]
        return [(index, int(words[1])) for index, words in ran if words[0] == "frame"]

    @property
    def anew(self) -> set[int]:
        """The chunks whose first frame ran in them: where a page goes on it ran before."""
        return {index for index, frame in self.frames if frame <= index * EACH}


async def rendered(crew: Crew, path: Path, *, slots: int) -> Heard:
    heard = Heard()
    spec = JobSpec(
        composition=add_files(crew.store, {"index.html": PAGE}),
        settings=page_settings(history=History.SEEKABLE),
        frames=FrameRange(0, CHUNKS * EACH),
        chunk_frames=EACH,
    )
    context = ExecutorContext(bundles=crew.store, environment=os.environ, slots=slots)
    async with open_local_executor(context) as executor:
        orchestrator = RenderOrchestrator(crew.store, executor)
        plan = orchestrator.plan(spec, job_id=f"job-{slots}")
        await orchestrator.render(plan, path, on_event=heard.events.append)
    return heard


async def test_two_slots_leave_each_other_chunks_that_follow(crew: Crew, tmp_path: Path) -> None:
    alone = await rendered(crew, tmp_path / "alone.mp4", slots=1)

    both = await rendered(crew, tmp_path / "both.mp4", slots=2)

    assert (alone.loads, len(alone.anew), len(alone.frames)) == (1, 1, CHUNKS * EACH)
    # In turns, 11 or 12 chunks would begin anew. In simulations in which chunks take anything from
    # a tenth to ten times the usual time, 7 were the most, and 5 pages.
    assert len(both.anew) <= 8
    assert both.loads <= 6
    # Frame 0, the three frames before the chunk and its first, which the chunk before it ran, too.
    assert len(both.frames) <= CHUNKS * EACH + 5 * len(both.anew)
    assert (tmp_path / "both.mp4").read_bytes() == (tmp_path / "alone.mp4").read_bytes()
