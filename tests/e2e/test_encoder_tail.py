"""A page is free when its chunk is filmed, however long the chunk's encoder takes from there."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import psutil
import pytest

from executors.base import ChunkTask
from executors.local import LocalExecutor
from renderer.errors import EncoderError
from renderer.events import Filmed, FramesDone
from renderer.frames import FrameRange
from renderer.keeping import COLD, WarmLimits
from renderer.renderer import RenderedChunk
from tests.support.eventually import eventually
from tests.support.frame_numbers import decode_frame_numbers
from tests.support.pages import Crew, add_page, open_crew, page_settings, tools_or_skip
from tests.support.processes import browsers, descendants

WARM = WarmLimits(browsers=1)


@dataclass
class Reel:
    """A chunk that is rendered, and what was said of it."""

    frames: FrameRange
    output: Path
    events: list[object] = field(default_factory=list)
    rendering: asyncio.Task[RenderedChunk] | None = None

    @property
    def task(self) -> asyncio.Task[RenderedChunk]:
        assert self.rendering is not None
        return self.rendering

    @property
    def is_filmed(self) -> bool:
        return Filmed() in self.events

    async def filmed(self) -> None:
        await eventually(lambda: self.is_filmed or self.task.done(), within_s=20)
        assert self.is_filmed
        assert not self.task.done()


@dataclass
class Set:
    """A crew whose encoders end when the gate is open: ffmpeg is done long before."""

    crew: Crew
    gate: Path

    def begin(self, start: int, stop: int) -> Reel:
        reel = Reel(FrameRange(start, stop), self.crew.folder / f"{start}.mp4")
        reel.rendering = asyncio.create_task(
            self.crew.renderer.render(
                add_page(self.crew.store, "state.html"),
                reel.frames,
                settings=page_settings(),
                output=reel.output,
                on_event=reel.events.append,
                has_successor=True,
                series="job",
            )
        )
        return reel

    def encoders(self) -> list[psutil.Process]:
        """The processes that wait for the gate."""
        children = psutil.Process().children()
        return [each for each in children if str(self.gate) in " ".join(each.cmdline())]


@asynccontextmanager
async def a_set(folder: Path, limits: WarmLimits = WARM) -> AsyncGenerator[Set]:
    tools, gate, slow = tools_or_skip(), folder / "gate", folder / "ffmpeg"
    gate.touch()
    slow.write_text(
        "#!/bin/sh\n"
        f"GATE={shlex.quote(str(gate))}\n"
        f'{shlex.quote(str(tools.ffmpeg))} "$@" || exit\n'
        """exec /bin/sh -c 'until [ -e "$0" ]; do sleep 0.02; done' "$GATE"\n"""
    )
    slow.chmod(0o755)
    async with open_crew(folder, tools=replace(tools, ffmpeg=slow), limits=limits) as crew:
        gate.unlink()
        yield Set(crew, gate)


async def test_the_next_chunk_is_filmed_in_the_page_while_the_last_ones_encoder_goes_on(
    tmp_path: Path,
) -> None:
    async with a_set(tmp_path) as scene:
        first = scene.begin(0, 3)
        await first.filmed()
        (browser,) = browsers()
        assert [page.from_frame for page in scene.crew.renderer.warm_pages] == [3]

        second = scene.begin(3, 6)
        await second.filmed()

        assert not first.task.done()
        assert not first.output.exists()
        assert [each.pid for each in browsers()] == [browser.pid]
        await eventually(lambda: len(scene.encoders()) == 2)
        scene.gate.touch()
        chunks = [await first.task, await second.task]

    assert chunks[0].next_frame_digest == chunks[1].frame_digests[0]
    assert decode_frame_numbers(first.output) == [0, 1, 2]
    assert decode_frame_numbers(second.output) == [3, 4, 5]
    assert first.events[-2:] == [FramesDone(3), Filmed()]


async def test_a_chunk_that_is_cancelled_while_it_is_encoded_leaves_its_page_and_nothing_else(
    tmp_path: Path,
) -> None:
    async with a_set(tmp_path) as scene:
        first = scene.begin(0, 3)
        await first.filmed()
        second = scene.begin(3, 6)
        await second.filmed()
        (browser,) = browsers()

        first.task.cancel()
        await asyncio.wait([first.task])

        assert first.task.cancelled()
        await eventually(lambda: len(scene.encoders()) == 1)  # the second one's
        assert not [each for each in scene.crew.folder.iterdir() if "0.mp4" in each.name]
        scene.gate.touch()
        assert (await second.task).frames == 3
        assert browser.is_running()
        assert [path.name for path in scene.crew.folder.iterdir()] == ["3.mp4"]


async def test_an_encoder_that_is_killed_when_all_is_filmed_fails_its_chunk_alone(
    tmp_path: Path,
) -> None:
    async with a_set(tmp_path) as scene:
        first = scene.begin(0, 3)
        await first.filmed()
        await eventually(lambda: len(scene.encoders()) == 1)
        (encoder,) = scene.encoders()
        second = scene.begin(3, 6)
        await second.filmed()

        encoder.kill()

        with pytest.raises(EncoderError, match="SIGKILL"):
            await first.task
        assert not first.output.exists()
        scene.gate.touch()
        await second.task
        again = scene.begin(0, 3)
        assert (await again.task).frames == 3


async def test_a_browser_that_is_not_kept_has_ended_when_its_chunk_is_filmed(
    tmp_path: Path,
) -> None:
    before = descendants()
    async with a_set(tmp_path, COLD) as scene:
        reel = scene.begin(0, 3)
        await reel.filmed()

        assert browsers() == []
        scene.gate.touch()
        assert (await reel.task).frames == 3

    assert descendants() == before


async def test_the_one_slot_of_an_executor_films_on_and_has_no_more_than_two_chunks(
    tmp_path: Path,
) -> None:
    async with a_set(tmp_path) as scene:
        executor = LocalExecutor(scene.crew.renderer)
        page, told = add_page(scene.crew.store, "state.html"), dict[int, list[object]]()

        def begin(index: int) -> asyncio.Task[object]:
            task = ChunkTask(
                job_id="job",
                index=index,
                composition=page,
                frames=FrameRange(3 * index, 3 * index + 3),
                settings=page_settings(),
                has_successor=True,
            )
            told[index] = []
            output = scene.crew.folder / f"{index}.mp4"
            return asyncio.create_task(
                executor.render(task, output, on_progress=told[index].append)
            )

        tasks = [begin(index) for index in range(3)]
        await eventually(lambda: Filmed() in told[1], within_s=20)

        assert Filmed() in told[0]
        assert told[2] == []
        scene.gate.touch()
        await asyncio.gather(*tasks)

    assert Filmed() in told[2]
