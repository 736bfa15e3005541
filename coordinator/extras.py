"""Extras: what a finished file has besides pictures and sound: subtitles, chapters, tags."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import ffmpeg as graph

from renderer.encode.choices import container_of
from renderer.encode.metadata import (
    METADATA_HOLDERS,
    FileMetadata,
    chapter_list,
    holds_metadata,
    metadata_words,
    shifted,
    told_tags,
)
from renderer.encode.sound_files import unheld_by_sounds
from renderer.errors import EncoderError
from renderer.subtitles.languages import language_code
from renderer.subtitles.streams import SubtitleStream, stream_text, stream_words
from renderer.subtitles.tracks import STREAMS

from .output_files import FilmFile, SoundFile, container_in, ending_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from renderer.encode.probe import VideoFacts

    from .assembly import Assembly, Workbench
    from .job import JobSpec

_DEMUXERS = {"srt": "srt", "vtt": "webvtt", "ass": "ass"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Extras:
    """Streams of subtitles, in their order, and what the file says of itself."""

    subtitles: tuple[SubtitleStream, ...] = ()
    metadata: FileMetadata = field(default_factory=FileMetadata)


def unheld(spec: JobSpec) -> list[str]:
    """What is to be said of metadata that no file of a job has a place for."""
    films = {container_in(file) for file in spec.files if isinstance(file, FilmFile)}
    if not spec.metadata or any(holds_metadata(container) for container in films):
        return []
    if kinds := [file.kind for file in spec.files if isinstance(file, SoundFile)]:
        return unheld_by_sounds(spec.metadata, kinds)
    endings = ", ".join(dict.fromkeys(ending_of(file, spec.settings) for file in spec.files))
    return [f"metadata: {endings} files hold none; {', '.join(METADATA_HOLDERS)} files do"]


async def subtitle_inputs(assembly: Assembly, bench: Workbench) -> list[Any]:
    """The streams of subtitles, whose files are written for it."""
    container = container_of(assembly.settings)
    if container not in STREAMS:
        return []
    inputs = list[Any]()
    for index, stream in enumerate(assembly.extras.subtitles):
        kind, text = stream_text(stream, container, assembly.frames, assembly.frame_rate)
        path = bench.folder / f"subtitles-{index}"
        await asyncio.to_thread(path.write_text, text, encoding="utf-8", newline="\n")
        inputs.append(graph.input(f"file:{path}", format=_DEMUXERS[kind])["s:0"])
    return inputs


async def with_extras(command: list[str], assembly: Assembly, bench: Workbench) -> list[str]:
    """The command that writes a file, and all that ffmpeg is told of its extras.

    Options of a name that comes more than once are words of our own, behind the last input.
    """
    container, extras = container_of(assembly.settings), assembly.extras
    inputs = [index for index, word in enumerate(command) if word == "-i"]
    words = list[str]()
    if chapters := _chapters(assembly):
        path = bench.folder / "chapters"
        text = chapter_list(chapters)
        await asyncio.to_thread(path.write_text, text, encoding="utf-8", newline="\n")
        words += ["-f", "ffmetadata", "-i", f"file:{path}", "-map_chapters", str(len(inputs))]
    words += metadata_words(extras.metadata, container)
    if container in STREAMS:
        words += stream_words(extras.subtitles, container)
    behind = inputs[-1] + 2
    return [*command[:behind], *words, *command[behind:]]


def check_extras(facts: VideoFacts, assembly: Assembly) -> None:
    """Raise an `EncoderError` that says what a file lacks."""
    if differences := list(_differences(facts, assembly)):
        raise EncoderError(f"the file is not what was asked for: {'; '.join(differences)}")


def _chapters(assembly: Assembly) -> list[tuple[int, int, str]]:
    if not holds_metadata(container_of(assembly.settings)):
        return []
    chapters = assembly.extras.metadata.chapters
    return shifted(chapters, assembly.frames, assembly.frame_rate)


def _differences(facts: VideoFacts, assembly: Assembly) -> Iterator[str]:
    container, extras = container_of(assembly.settings), assembly.extras
    wanted = [
        (STREAMS[container][stream.script.format], language_code(stream.options.language))
        for stream in extras.subtitles
        if container in STREAMS
    ]
    found = [(stream.codec, stream.language) for stream in facts.subtitles]
    if found != wanted:
        yield f"its subtitles are {found}, not {wanted}"
    titles = [title for _, _, title in _chapters(assembly)]
    if [chapter.title for chapter in facts.chapters] != titles:
        yield f"it has {len(facts.chapters)} chapters, not the {len(titles)} that were given"
    if not holds_metadata(container):
        return
    for name, value in told_tags(extras.metadata):
        if (told := facts.tags.get(name)) != value:
            yield f"its {name} is {told!r}, not {value!r}"
