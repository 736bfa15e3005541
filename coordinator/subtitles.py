"""A job's subtitles: read from its bundles, drawn into its chunks or kept for its files."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from renderer.errors import InvalidRequestError, Violation
from renderer.subtitles.burning import burned
from renderer.subtitles.reading import format_of, read_script
from renderer.subtitles.streams import SubtitleStream
from renderer.subtitles.tracks import (
    STREAMS,
    SubtitleOptions,
    SubtitlesMode,
    option_problems,
    stream_problem,
)

from .output_files import FilmFile, SoundFile, container_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from renderer.bundle import BundleStore
    from renderer.composition import BundleEntry
    from renderer.settings import RenderSettings
    from renderer.subtitles.burning import BurnedSubtitles
    from renderer.subtitles.cues import Script

    from .job import JobSpec
    from .output_files import OutputFile
    from .planner import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class SubtitleFile(SubtitleOptions):
    """Subtitles of an uploaded bundle."""

    source: BundleEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class Subtitles:
    """All of a job's subtitles, and what becomes of them."""

    files: tuple[SubtitleFile, ...] = ()
    mode: SubtitlesMode = SubtitlesMode.BURN


def subtitles_violations(
    subtitles: Subtitles, files: tuple[OutputFile, ...]
) -> Iterator[Violation]:
    """What cannot be, by the names of `JobSpec`."""
    for index, file in enumerate(subtitles.files):
        for option, problem in option_problems(file):
            yield Violation(f"subtitles[{index}].{option}", problem)
        try:
            format_of(file.source.entry)
        except ValueError as error:
            yield Violation(f"subtitles[{index}]", str(error))
    has_pictures = not all(isinstance(file, SoundFile) for file in files)
    if subtitles.files and not has_pictures:
        yield Violation("subtitles", "a sound alone has none; drop them")
    elif subtitles.files and subtitles.mode is SubtitlesMode.STREAM:
        yield from _stream_violations(files)


def _stream_violations(files: tuple[OutputFile, ...]) -> Iterator[Violation]:
    films = [container_in(file) for file in files if isinstance(file, FilmFile)]
    if not films:
        yield Violation("subtitles", "a still holds no stream of them; use --subtitles-mode burn")
    elif not any(container in STREAMS for container in films):
        yield Violation("subtitles", stream_problem(films[0]) or "")


async def with_burned(plan: Plan, bundles: BundleStore) -> Plan:
    """The same chunks, into whose pictures the job's subtitles are drawn.

    Raises:
        InvalidRequestError: they cannot be read, or are too many.

    """
    spec = plan.spec
    if spec.subtitles.mode is not SubtitlesMode.BURN or not spec.subtitles.files:
        return plan
    rate = spec.settings.frame_rate
    scripts = await _scripts(spec, bundles)
    pairs = zip(scripts, spec.subtitles.files, strict=True)
    drawn = tuple(burned(script, file.offset, rate) for script, file in pairs)
    tasks = (replace(task, settings=_with(task.settings, drawn)) for task in plan.tasks)
    return replace(plan, tasks=tuple(tasks))


async def subtitle_streams(spec: JobSpec, bundles: BundleStore) -> tuple[SubtitleStream, ...]:
    """The subtitles that stand beside the pictures.

    Raises:
        InvalidRequestError: they cannot be read.

    """
    if spec.subtitles.mode is not SubtitlesMode.STREAM:
        return ()
    scripts = await _scripts(spec, bundles)
    pairs = zip(scripts, spec.subtitles.files, strict=True)
    return tuple(SubtitleStream(script=script, options=file) for script, file in pairs)


async def check_subtitles(spec: JobSpec, bundles: BundleStore) -> None:
    """Check that a job's subtitles can be read, and burned in if they are to be.

    Raises:
        InvalidRequestError: they cannot.

    """
    scripts = await _scripts(spec, bundles)
    if spec.subtitles.mode is SubtitlesMode.BURN:
        rate, files = spec.settings.frame_rate, spec.subtitles.files
        pairs = zip(scripts, files, strict=True)
        _with(spec.settings, tuple(burned(script, file.offset, rate) for script, file in pairs))


def _with(settings: RenderSettings, drawn: tuple[BurnedSubtitles, ...]) -> RenderSettings:
    return replace(settings, burned_subtitles=(*settings.burned_subtitles, *drawn))


async def _scripts(spec: JobSpec, bundles: BundleStore) -> list[Script]:
    return [
        await asyncio.to_thread(_script, file.source, bundles, f"subtitles[{index}]")
        for index, file in enumerate(spec.subtitles.files)
    ]


def _script(source: BundleEntry, bundles: BundleStore, field: str) -> Script:
    path = bundles.files(source.digest)[source.entry]
    try:
        return read_script(source.entry, path.read_bytes())
    except ValueError as error:
        raise InvalidRequestError([Violation(field, str(error))]) from error
