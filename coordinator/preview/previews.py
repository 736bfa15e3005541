"""Previews: the films of the jobs that run, as far as they are finished from their beginning."""

from __future__ import annotations

import asyncio
import logging
import shutil
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from coordinator.job import ChunkMoved, ChunkState
from coordinator.output_files import kept_settings
from executors.tasks import task_group
from renderer.errors import EncoderError

from .boxes import codec_text
from .playlist import (
    HEAD,
    SOUND_HEAD,
    Segment,
    film_playlist,
    preview_problem,
    stream_playlist,
)
from .segments import SegmentMaker
from .sound import PreviewSound

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from pathlib import Path

    from coordinator.growing import GrowingFilm
    from coordinator.job import Event, JobSpec
    from coordinator.planner import Plan

    OnEvent = Callable[[Event], None]

log = logging.getLogger(__name__)

# Whoever watches the end of a job's film may do so for a while.
MOST_KEPT: Final = 16


def problem_of(spec: JobSpec) -> str:
    """Why there will be nothing to watch of a job; "" if there will."""
    if spec.frames_total < len(spec.frames):
        return "there is no film: single frames, or sound alone"
    return preview_problem(kept_settings(spec.settings, spec.files))


class Preview:
    """One job's film, segment by segment, in a folder of its own."""

    def __init__(
        self, plan: Plan, film: GrowingFilm, maker: SegmentMaker, sound: PreviewSound
    ) -> None:
        self.folder = sound.folder
        self._film = film
        self._sound = sound
        self._has_sound = False
        self.is_over = False
        self._plan = plan
        self._maker = maker
        self._segments: list[Segment] = []
        self._is_ending = False
        self._head = b""
        self._size_px = (0, 0)
        self._ready = set[int]()
        self._more = asyncio.Event()

    @property
    def is_begun(self) -> bool:
        return bool(self._segments)

    def film(self) -> str:
        """The playlist that players begin with; once it `is_begun`."""
        settings = self._plan.spec.settings
        return film_playlist(
            self._segments,
            codec=codec_text(self._head),
            size_px=settings.picture_size_px,
            has_sound=self._has_sound,
        )

    def video(self) -> str:
        return self._playlist(self._segments, HEAD)

    def sound(self) -> str:
        """The playlist of the sound; empty, where there is none."""
        return self._playlist(self._sound.segments, SOUND_HEAD) if self._has_sound else ""

    def _playlist(self, segments: list[Segment], head: str) -> str:
        rate = self._plan.spec.settings.frame_rate
        longest_s = max(rate.seconds(len(task.frames)) for task in self._plan.tasks)
        return stream_playlist(segments, head=head, longest_s=longest_s, is_over=self.is_over)

    def hear(self, event: Event) -> None:
        """Note what becomes of a chunk. What has been shown is not taken back."""
        if isinstance(event, ChunkMoved):
            if event.state is ChunkState.RENDERED:
                self._ready.add(event.index)
                self._more.set()
            else:
                self._ready.discard(event.index)

    def end(self) -> None:
        """No chunk comes any more: what is there is all."""
        self._is_ending = True
        self._more.set()

    async def follow(self) -> None:
        """Make a segment of each chunk whose turn has come, to the last one."""
        for index in range(len(self._plan.tasks)):
            while not await self._add(index):
                if self._is_ending:
                    return
                self._more.clear()
                await self._more.wait()

    async def _add(self, index: int) -> bool:
        if index not in self._ready:
            return False
        task, name = self._plan.tasks[index], f"{index:06}.m4s"
        output = self.folder / name
        try:
            head = await self._maker.make(self._film.chunk(index), task.frames, index, output)
            if not self._head:
                await asyncio.to_thread((self.folder / HEAD).write_bytes, head)
                self._head = head
            if head != self._head:
                raise EncoderError("it has another head than the first chunk")
            await self._add_sound(index)
        except (EncoderError, OSError) as error:  # the film itself may be well
            facts = {"job_id": task.job_id, "chunk": index, "error": str(error)}
            log.warning("a chunk makes no segment of the preview", extra=facts)
            self._ready.discard(index)
            return False
        duration_s = self._plan.spec.settings.frame_rate.seconds(len(task.frames))
        size_bytes = output.stat().st_size
        self._segments.append(Segment(name=name, duration_s=duration_s, size_bytes=size_bytes))
        return True

    async def _add_sound(self, index: int) -> None:
        if index == 0:
            self._has_sound = await self._film.may_sound()
        if self._has_sound:
            await self._sound.add(index)


class Previews:
    """The previews of the jobs that run, and of those that have ended last."""

    def __init__(self, folder: Path, *, ffmpeg: Path, ffprobe: Path) -> None:
        self.address = ""  # once it is served
        self._folder = folder
        self._ffmpeg = ffmpeg
        self._ffprobe = ffprobe
        self._previews: dict[str, Preview] = {}

    def find(self, job_id: str) -> Preview | None:
        return self._previews.get(job_id)

    def url(self, job_id: str) -> str:
        return f"http://{self.address}/jobs/{job_id}/"

    @asynccontextmanager
    async def following(
        self, plan: Plan, film: GrowingFilm, on_event: OnEvent
    ) -> AsyncGenerator[OnEvent]:
        """Make a preview of a plan, by the events that the block tells to what it is given."""
        if problem_of(plan.spec):
            yield on_event
            return
        preview = await self._begin(plan, film)

        def hear(event: Event) -> None:
            preview.hear(event)
            on_event(event)

        try:
            async with task_group() as group:
                group.create_task(preview.follow(), name=f"preview-{plan.job_id}")
                yield hear
                preview.end()
        finally:
            preview.is_over = True

    async def _begin(self, plan: Plan, film: GrowingFilm) -> Preview:
        folder = self._folder / plan.job_id
        self._previews.pop(plan.job_id, None)  # of an earlier try
        ended = [job_id for job_id, each in self._previews.items() if each.is_over]
        too_many = max(0, len(ended) - MOST_KEPT + 1)
        dropped = [self._previews.pop(job_id) for job_id in ended[:too_many]]
        for old in (folder, *(each.folder for each in dropped)):
            await asyncio.to_thread(shutil.rmtree, old, ignore_errors=True)
        await asyncio.to_thread(folder.mkdir, parents=True)
        maker = SegmentMaker(
            ffmpeg=self._ffmpeg,
            ffprobe=self._ffprobe,
            rate=plan.spec.settings.frame_rate,
            first=plan.spec.frames.start,
        )
        sound = PreviewSound(plan, film, folder, self._ffmpeg)
        self._previews[plan.job_id] = Preview(plan, film, maker, sound)
        return self._previews[plan.job_id]
