"""Sound files: what a mix is written as when no pictures go with it. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from .codec_facts import Container
from .containers import SoundFormat
from .metadata import PLAIN_NAMES, FileMetadata, metadata_words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_CREATED: Final = "creation_time"


class SoundKind(StrEnum):
    """A kind of file that holds sound alone; its name is the file's ending."""

    WAV = "wav"
    M4A = "m4a"
    MP3 = "mp3"
    FLAC = "flac"
    OGG = "ogg"
    OPUS = "opus"


_FLAC: Final[Mapping[str, Any]] = {"c:a": "flac", "sample_fmt": "s32", "bits_per_raw_sample": 24}
# Its length is told in ticks of the movie, and these are its samples.
_EXACT_LENGTH: Final[Mapping[str, Any]] = {"movflags": "+faststart", "movie_timescale": 48_000}
# ffmpeg reads 128 samples too few of a file whose sound fits into one page.
_ONE_A_PAGE: Final[Mapping[str, Any]] = {"page_duration": 1}

# ffmpeg's muxer of each kind, and how sound is written in it. What encoders put
# before and after the sound is told to players, who do not let it be heard.
SOUND_FILES: Final[Mapping[SoundKind, tuple[str, SoundFormat]]] = {
    SoundKind.WAV: ("wav", SoundFormat(stream="pcm_s24le", options={"c:a": "pcm_s24le"})),
    SoundKind.FLAC: ("flac", SoundFormat(stream="flac", options=_FLAC)),
    SoundKind.M4A: (
        "ipod",
        SoundFormat(stream="aac", options={"c:a": "aac", "b:a": "192k", **_EXACT_LENGTH}),
    ),
    SoundKind.MP3: (
        "mp3", SoundFormat(stream="mp3", options={"c:a": "libmp3lame", "b:a": "256k"})
    ),
    SoundKind.OGG: (
        "ogg", SoundFormat(stream="vorbis", options={"c:a": "libvorbis", "q:a": 6, **_ONE_A_PAGE})
    ),
    SoundKind.OPUS: ("opus", SoundFormat(stream="opus", options={"c:a": "libopus", "b:a": "160k"})),
}  # fmt: skip


def sound_kind(path: Path) -> SoundKind | None:
    """The kind of sound file that a name asks for; None if it asks for none."""
    ending = path.suffix.lower().removeprefix(".")
    return next((kind for kind in SoundKind if kind == ending), None)


def held_metadata(metadata: FileMetadata, kind: SoundKind) -> FileMetadata:
    """What of it a sound file holds: no chapters, and of names a WAV only those that it knows."""
    tags = [(name, value) for name, value in metadata.tags if _holds(kind, name)]
    created_at = metadata.created_at if _holds(kind, _CREATED) else None
    return FileMetadata(tags=tuple(tags), created_at=created_at)


def sound_metadata_words(metadata: FileMetadata, kind: SoundKind) -> list[str]:
    """What ffmpeg is told of what a sound file holds."""
    like = Container.MP4 if kind is SoundKind.M4A else Container.MKV
    return metadata_words(held_metadata(metadata, kind), like)


def unheld_by_sounds(metadata: FileMetadata, kinds: Sequence[SoundKind]) -> list[str]:
    """What is to be said of what none of some sound files holds."""
    endings, warnings = ", ".join(dict.fromkeys(kinds)), list[str]()
    names = [*(name for name, _ in metadata.tags), *([_CREATED] if metadata.created_at else [])]
    lost = [name for name in names if not any(_holds(kind, name) for kind in kinds)]
    if lost:
        warnings.append(f"metadata: {endings} files have no place for {', '.join(lost)}")
    if metadata.chapters:
        warnings.append(f"chapters: {endings} files are given none; mp4, mov, mkv and webm are")
    return warnings


def _holds(kind: SoundKind, name: str) -> bool:
    return kind is not SoundKind.WAV or name in PLAIN_NAMES
