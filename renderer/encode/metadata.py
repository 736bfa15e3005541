"""Metadata: what a file says of itself, like its title, its chapters, its date. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from renderer.errors import Violation

from .codec_facts import Container

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from renderer.frames import FrameRange, FrameRate

MAX_TAGS: Final = 100
MAX_VALUE_BYTES: Final = 64 << 10
MAX_CHAPTERS: Final = 10_000
MAX_CHAPTER_TITLE: Final = 1000
_NAME: Final = re.compile(r"[a-z0-9_.-]{1,64}", re.ASCII)
# What containers say of the file's making.
_OURS: Final = frozenset(
    {"encoder", "duration", "major_brand", "minor_version", "compatible_brands", "language",
     "handler_name", "vendor_id", "alpha_mode", "timecode"}
)  # fmt: skip
_MOVIES: Final = frozenset({Container.MP4, Container.MOV})
METADATA_HOLDERS: Final = (Container.MP4, Container.MOV, Container.MKV, Container.WEBM)
# Those that mp4 and mov have a place of their own for, which every player looks at; beside any
# other name, all stand in a list that fewer do.
PLAIN_NAMES: Final = frozenset(
    {"title", "artist", "album", "comment", "date", "genre", "copyright"}
)
_SPECIAL: Final = re.compile(r"([=;#\\\n])")


@dataclass(frozen=True, slots=True)
class Chapter:
    """A part of the film, from `start_s` of the composition's timeline to the next one's start."""

    start_s: Fraction
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FileMetadata:
    """What a file says of itself. Names are in lower case, chapters in their order.

    Without `created_at` it does not say when it was made, and the same job gives the same bytes.
    """

    tags: tuple[tuple[str, str], ...] = ()
    chapters: tuple[Chapter, ...] = ()
    created_at: datetime | None = None

    def __bool__(self) -> bool:
        return bool(self.tags or self.chapters or self.created_at)


def holds_metadata(container: Container) -> bool:
    return container in METADATA_HOLDERS


def metadata_violations(metadata: FileMetadata) -> Iterator[Violation]:
    """What cannot be."""
    names = [name for name, _ in metadata.tags]
    if len(names) > MAX_TAGS:
        yield Violation("metadata", f"{len(names)} names are over the limit of {MAX_TAGS}")
    for name in {name for name in names if names.count(name) > 1}:
        yield Violation("metadata", f"{name!r} is given twice; drop one of the two")
    for name, value in metadata.tags:
        yield from _tag_violations(name, value)
    yield from _chapter_violations(metadata.chapters)


def shifted(
    chapters: tuple[Chapter, ...], frames: FrameRange, rate: FrameRate
) -> list[tuple[int, int, str]]:
    """Start, end and title of the chapters of a video, in milliseconds of its own time."""
    begins_s, ends_s = rate.seconds(frames.start), rate.seconds(frames.stop)
    starts = [chapter.start_s for chapter in chapters]
    told: list[tuple[int, int, str]] = []
    for chapter, (start_s, next_s) in zip(chapters, pairwise([*starts, ends_s]), strict=True):
        start_ms = round(1000 * (max(start_s, begins_s) - begins_s))
        end_ms = round(1000 * (min(next_s, ends_s) - begins_s))
        if start_ms < end_ms:
            told.append((start_ms, end_ms, chapter.title))
    return told


def chapter_list(chapters: list[tuple[int, int, str]]) -> str:
    """A file of ffmpeg's own kind, with chapters in milliseconds."""
    return ";FFMETADATA1\n" + "".join(
        f"[CHAPTER]\nTIMEBASE=1/1000\nSTART={start_ms}\nEND={end_ms}\ntitle={_escaped(title)}\n"
        for start_ms, end_ms, title in chapters
    )


def metadata_words(metadata: FileMetadata, container: Container) -> list[str]:
    """What ffmpeg is told of it, but for the chapters, which are a file."""
    if not holds_metadata(container):
        return []
    words = [word for pair in told_tags(metadata) for word in ("-metadata", "=".join(pair))]
    if container in _MOVIES and {name for name, _ in metadata.tags} - PLAIN_NAMES:
        words += ["-movflags", "+faststart+use_metadata_tags"]
    return words


def told_tags(metadata: FileMetadata) -> list[tuple[str, str]]:
    """All that a file says of itself but its chapters, as ffprobe reads it."""
    if metadata.created_at is None:
        return list(metadata.tags)
    return [*metadata.tags, ("creation_time", told_time(metadata.created_at))]


def told_time(created_at: datetime) -> str:
    """As files tell it: in UTC, to the second, which is all that mp4 keeps."""
    return created_at.strftime("%Y-%m-%dT%H:%M:%S.000000Z")


def _escaped(title: str) -> str:
    return _SPECIAL.sub(r"\\\1", title)


def _tag_violations(name: str, value: str) -> Iterator[Violation]:
    if name == "creation_time":
        yield Violation("metadata", "creation_time has an option of its own: --creation-time")
    elif name in _OURS:
        yield Violation("metadata", f"{name!r} is what the file says itself; choose another name")
    elif not _NAME.fullmatch(name):
        yield Violation(
            "metadata",
            f"{name!r:.80} is no name; write up to 64 small letters, digits, and _ . -",
        )
    if not value or "\0" in value or len(value.encode()) > MAX_VALUE_BYTES:
        yield Violation("metadata", f"{name} has to be a text of up to {MAX_VALUE_BYTES >> 10} KiB")


def _chapter_violations(chapters: tuple[Chapter, ...]) -> Iterator[Violation]:
    if len(chapters) > MAX_CHAPTERS:
        yield Violation("chapters", f"{len(chapters)} are over the limit of {MAX_CHAPTERS}")
    for chapter in chapters:
        if chapter.start_s < 0:
            start = f"{float(chapter.start_s):g} s"
            yield Violation("chapters", f"{chapter.title!r:.80} begins at {start}, before 0")
        is_text = chapter.title.isprintable() and not chapter.title.endswith("\\")
        if not chapter.title or len(chapter.title) > MAX_CHAPTER_TITLE or not is_text:
            yield Violation(
                "chapters",
                f"{chapter.title!r:.80} is no title; write one line of 1…{MAX_CHAPTER_TITLE} "
                "letters, without a backslash at its end",
            )
    for left, right in pairwise(chapters):
        if left.start_s >= right.start_s:
            yield Violation(
                "chapters",
                f"{right.title!r:.80} does not begin after {left.title!r:.80}; "
                "give each a time of its own",
            )
