"""Subtitles and metadata ↔ protobuf messages."""

from __future__ import annotations

from datetime import UTC

from google.protobuf.timestamp_pb2 import Timestamp

from executors import wire
from executors.durations import from_seconds, to_seconds
from protos.framefarm.v1 import coordinator_pb2 as pb
from renderer.encode.metadata import Chapter, FileMetadata
from renderer.errors import InvalidRequestError, Violation
from renderer.subtitles.tracks import SubtitlesMode

from .subtitles import SubtitleFile, Subtitles

_MODES = {
    SubtitlesMode.BURN: pb.SUBTITLES_MODE_BURN,
    SubtitlesMode.STREAM: pb.SUBTITLES_MODE_STREAM,
}
_MODE_OF: dict[int, SubtitlesMode] = {
    pb.SUBTITLES_MODE_UNSPECIFIED: SubtitlesMode.BURN,
    **{number: mode for mode, number in _MODES.items()},
}


def from_subtitles(subtitles: Subtitles) -> pb.Subtitles | None:
    if not subtitles.files:
        return None
    files = (_from_file(file) for file in subtitles.files)
    return pb.Subtitles(mode=_MODES[subtitles.mode], files=files)


def to_subtitles(message: pb.Subtitles) -> Subtitles:
    if message.mode not in _MODE_OF:
        problem = f"this version does not know value {message.mode}"
        raise InvalidRequestError([Violation("subtitles_mode", problem)])
    return Subtitles(
        files=tuple(_to_file(file) for file in message.files), mode=_MODE_OF[message.mode]
    )


def from_metadata(metadata: FileMetadata) -> pb.FileMetadata | None:
    if not metadata:
        return None
    created = None
    if metadata.created_at is not None:
        created = Timestamp()
        created.FromDatetime(metadata.created_at)
    return pb.FileMetadata(
        tags=[pb.MetadataTag(name=name, value=value) for name, value in metadata.tags],
        chapters=[
            pb.Chapter(start=from_seconds(chapter.start_s), title=chapter.title)
            for chapter in metadata.chapters
        ],
        creation_time=created,
    )


def to_metadata(message: pb.FileMetadata) -> FileMetadata:
    is_told = message.HasField("creation_time")
    return FileMetadata(
        tags=tuple((tag.name, tag.value) for tag in message.tags),
        chapters=tuple(
            Chapter(to_seconds(chapter.start), chapter.title) for chapter in message.chapters
        ),
        created_at=message.creation_time.ToDatetime(UTC) if is_told else None,
    )


def _from_file(file: SubtitleFile) -> pb.SubtitleFile:
    return pb.SubtitleFile(
        source=wire.from_entry(file.source),
        offset=from_seconds(file.offset),
        language=file.language,
        title=file.title,
    )


def _to_file(message: pb.SubtitleFile) -> SubtitleFile:
    return SubtitleFile(
        source=wire.to_entry(message.source),
        offset_s=to_seconds(message.offset),
        language=message.language,
        title=message.title,
    )
