"""Displays: how a job's events are shown while it runs. All of them write to standard error."""

from __future__ import annotations

import json
import sys
import time
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from coordinator.job import ChunkMoved, ChunkState, HistoryFound, JobHeld, PageLogged, StateChanged
from framefarm.event_fields import event_fields

from .console import ERR, Verbosity, say
from .progress import JobProgress, speed_text, time_left_text

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from coordinator.job import Job, JobEvent
    from framefarm.rendering import RenderWatcher

_PLAIN_INTERVAL_S: Final = 2.0
_REFRESHES_A_SECOND: Final = 8


class ProgressMode(StrEnum):
    AUTO = "auto"
    PLAIN = "plain"
    JSON = "json"
    NONE = "none"


@contextmanager
def open_display(mode: ProgressMode, verbosity: Verbosity) -> Generator[RenderWatcher]:
    """Show a job's progress in the way that was asked for; AUTO is live on a terminal."""
    verbose = verbosity is Verbosity.VERBOSE
    if verbosity is Verbosity.QUIET:
        yield SilentDisplay()
    elif mode is ProgressMode.JSON:
        yield JsonDisplay()
    elif mode is ProgressMode.NONE:
        yield Story(verbose=verbose)
    elif mode is ProgressMode.AUTO and ERR.is_terminal:
        with Live(console=ERR, refresh_per_second=_REFRESHES_A_SECOND, transient=True) as live:
            yield LiveDisplay(live, Story(verbose=verbose))
    else:
        yield PlainDisplay(Story(verbose=verbose), clock=time.monotonic)


class SilentDisplay:
    def created(self, job: Job) -> None:
        pass

    def told(self, event: JobEvent) -> None:
        pass

    def said(self, message: str) -> None:
        pass


class JsonDisplay:
    """One JSON object a line: each event, and each thing that is said."""

    def created(self, job: Job) -> None:
        self._write({"event": "job_created", "job_id": job.id})

    def told(self, event: JobEvent) -> None:
        self._write(event_fields(event))

    def said(self, message: str) -> None:
        self._write({"event": "said", "message": message})

    def _write(self, fields: dict[str, object]) -> None:
        sys.stderr.write(json.dumps(fields, ensure_ascii=False) + "\n")
        sys.stderr.flush()


class Story:
    """What is told in words beside any progress: the page's console and retries, when verbose."""

    def __init__(self, *, verbose: bool) -> None:
        self._verbose = verbose

    def created(self, job: Job) -> None:
        if self._verbose:
            say(f"job {job.id}: {len(job.spec.frames)} frames of {job.spec.composition}")

    def told(self, event: JobEvent) -> None:
        match event.event:
            case PageLogged(chunk_index=index, level=level, text=text) if self._verbose:
                say(f"page, chunk {index}, {level}: {text}")
            case HistoryFound(history, reason) if self._verbose:
                say(f"the page is {history}{reason and ': '}{reason}")
            case ChunkMoved(state=ChunkState.REQUEUED) as moved:
                say(
                    f"chunk {moved.index} is rendered again: {moved.worker} lost it, {moved.reason}"
                )
            case JobHeld(message=message):
                say(f"the job waits: {message}")
            case ChunkMoved() as moved if self._verbose:
                say(f"chunk {moved.index} {moved.frames} is {moved.state} by {moved.worker}")
            case _:
                pass

    def said(self, message: str) -> None:
        say(message)


class PlainDisplay:
    """A line now and then, for logs and pipes."""

    def __init__(self, story: Story, *, clock: Callable[[], float]) -> None:
        self._story = story
        self._clock = clock
        self._next_s = clock()
        self._progress: JobProgress | None = None

    def created(self, job: Job) -> None:
        self._story.created(job)
        self._progress = JobProgress(job.spec)

    def told(self, event: JobEvent) -> None:
        assert self._progress is not None
        self._story.told(event)
        self._progress.take(event)
        if isinstance(event.event, StateChanged) or self._clock() >= self._next_s:
            self._next_s = self._clock() + _PLAIN_INTERVAL_S
            say(_line(self._progress))

    def said(self, message: str) -> None:
        self._story.said(message)


class LiveDisplay:
    """A bar, the speed, the time left and the chunks, drawn over themselves."""

    def __init__(self, live: Live, story: Story) -> None:
        self._live = live
        self._story = story
        self._progress: JobProgress | None = None

    def created(self, job: Job) -> None:
        self._story.created(job)
        self._progress = JobProgress(job.spec)

    def told(self, event: JobEvent) -> None:
        assert self._progress is not None
        self._story.told(event)
        self._progress.take(event)
        self._live.update(_picture(self._progress))

    def said(self, message: str) -> None:
        self._story.said(message)


def _picture(progress: JobProgress) -> Table:
    picture = Table.grid()
    bar = ProgressBar(total=progress.frames_total, completed=progress.frames_done, width=50)
    picture.add_row(bar)
    for line in (_facts(progress), progress.chunks):
        picture.add_row(Text(line, no_wrap=True))
    return picture


def _line(progress: JobProgress) -> str:
    return f"{_facts(progress)} · {progress.chunks}"


def _facts(progress: JobProgress) -> str:
    done = f"{progress.frames_done}/{progress.frames_total} frames"
    return f"{progress.state:10} {done} · {speed_text(progress)} · {time_left_text(progress)}"
