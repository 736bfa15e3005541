"""What users say of a file besides its pictures and sound: subtitles, metadata, chapters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from coordinator.subtitles import SubtitleFile, Subtitles
from renderer.bundle import files_manifest
from renderer.composition import BundleEntry
from renderer.encode.chapter_text import parse_chapter, parse_chapters
from renderer.encode.metadata import Chapter, FileMetadata
from renderer.subtitles.reading import read_script
from renderer.subtitles.track_text import parse_subtitles
from renderer.subtitles.tracks import SubtitlesMode, option_problems

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from renderer.bundle import BundleManifest
    from renderer.subtitles.tracks import SubtitleTrack

    from .problems import Problems
    from .request import RenderOptions

_NAMED: Final = ("title", "artist", "comment")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtraWish:
    """Extras, understood: all but the bundles of their files."""

    subtitles: tuple[SubtitleTrack, ...]
    mode: SubtitlesMode
    metadata: FileMetadata


def read_extras(options: RenderOptions, problems: Problems) -> ExtraWish:
    """Understand what is said, and read the files that are named. Blocks."""
    subtitles: list[SubtitleTrack] = []
    for said in options.get("subtitles", ()):
        with problems.of("subtitles"):
            subtitles.append(_subtitles(said))
    mode = SubtitlesMode.BURN
    with problems.of("subtitles_mode"):
        mode = _mode(options.get("subtitles_mode", mode.value))
    metadata = FileMetadata(
        tags=_tags(options, problems),
        chapters=_chapters(options, problems),
        created_at=_created_at(options, problems),
    )
    return ExtraWish(subtitles=tuple(subtitles), mode=mode, metadata=metadata)


def bundled(wish: ExtraWish) -> Iterator[tuple[SubtitleFile, Path, BundleManifest]]:
    """Each file of subtitles as a bundle of its own, and the folder that it lies in. Blocks."""
    for track in wish.subtitles:
        path = track.source.resolve()
        manifest = files_manifest(path.parent, [path])
        file = SubtitleFile(
            source=BundleEntry(manifest.digest, path.name),
            offset_s=track.offset_s,
            language=track.language,
            title=track.title,
        )
        yield file, path.parent, manifest


def subtitles_of(wish: ExtraWish, files: Sequence[SubtitleFile]) -> Subtitles:
    return Subtitles(files=tuple(files), mode=wish.mode)


def _subtitles(said: str | SubtitleTrack) -> SubtitleTrack:
    track = parse_subtitles(said) if isinstance(said, str) else said
    if wrong := [f"{option}: {problem}" for option, problem in option_problems(track)]:
        raise ValueError("; ".join(wrong))
    read_script(track.source.name, _read(track.source))
    return track


def _read(path: Path) -> bytes:
    if not path.exists():
        raise ValueError(f"{path} does not exist")
    if not path.is_file():
        raise ValueError(f"{path} is not a file")
    try:
        return path.read_bytes()
    except OSError as error:
        raise ValueError(f"cannot read {path}: {error.strerror}") from error


def _mode(said: str) -> SubtitlesMode:
    try:
        return SubtitlesMode(said)
    except ValueError:
        raise ValueError(f"{said!r:.80} is unknown; use burn or stream") from None


def _tags(options: RenderOptions, problems: Problems) -> tuple[tuple[str, str], ...]:
    said = dict[str, object](options)
    named = [(name, str(said[name])) for name in _NAMED if name in said]
    with problems.of("metadata"):
        return (*named, *_pairs(options.get("metadata", ())))
    return ()


def _pairs(said: Sequence[str] | Mapping[str, str]) -> list[tuple[str, str]]:
    if isinstance(said, Mapping):
        return [(name.lower(), str(value)) for name, value in said.items()]
    pairs = list[tuple[str, str]]()
    for text in said:
        name, equals, value = text.partition("=")
        if not equals:
            raise ValueError(f"{text!r:.80} has no value; write it like album=Summer")
        pairs.append((name.strip().lower(), value.strip()))
    return pairs


def _chapters(options: RenderOptions, problems: Problems) -> tuple[Chapter, ...]:
    chapters = list[Chapter]()
    for said in options.get("chapter", ()):
        with problems.of("chapter"):
            chapters.append(parse_chapter(said))
    if "chapters" in options:
        with problems.of("chapters"):
            chapters += _chapters_in(Path(options["chapters"]))
    return tuple(sorted(chapters, key=lambda chapter: chapter.start_s))


def _chapters_in(path: Path) -> list[Chapter]:
    try:
        return parse_chapters(_read(path).decode())
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8 text") from error
    except ValueError as error:
        if str(path) in str(error):
            raise
        raise ValueError(f"{path.name}, {error}") from error


def _created_at(options: RenderOptions, problems: Problems) -> datetime | None:
    with problems.of("creation_time"):
        said = options.get("creation_time")
        if said == "now":
            return datetime.now(UTC).replace(microsecond=0)
        if isinstance(said, str):
            said = _moment(said)
        if said is not None:
            return said.astimezone(UTC) if said.tzinfo else said.replace(tzinfo=UTC)
    return None


def _moment(said: str) -> datetime:
    try:
        return datetime.fromisoformat(said)
    except ValueError:
        raise ValueError(
            f"{said!r:.80} is no ISO 8601 time; write it like 2024-01-01T12:00:00Z, or now"
        ) from None
