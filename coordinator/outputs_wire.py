"""What a job makes ↔ protobuf messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from executors.encoding_wire import from_encoding, to_encoding
from protos.framefarm.v1 import coordinator_pb2 as pb
from renderer.encode.sound_files import SoundKind
from renderer.errors import InvalidRequestError, Violation

from .output_files import Encoding, FilmFile, SoundFile, StillFile

if TYPE_CHECKING:
    from .output_files import OutputFile

_KINDS = {
    SoundKind.WAV: pb.SOUND_KIND_WAV,
    SoundKind.M4A: pb.SOUND_KIND_M4A,
    SoundKind.MP3: pb.SOUND_KIND_MP3,
    SoundKind.FLAC: pb.SOUND_KIND_FLAC,
    SoundKind.OGG: pb.SOUND_KIND_OGG,
    SoundKind.OPUS: pb.SOUND_KIND_OPUS,
}
_KIND_OF: dict[int, SoundKind] = {number: kind for kind, number in _KINDS.items()}


def from_output_file(file: OutputFile) -> pb.OutputFile:
    match file:
        case FilmFile(encoding=encoding):
            return pb.OutputFile(film=_from_encoding(encoding))
        case StillFile(encoding=encoding, frame=frame):
            return pb.OutputFile(still=pb.Still(encoding=_from_encoding(encoding), frame=frame))
        case SoundFile(kind=kind):
            return pb.OutputFile(sound=_KINDS[kind])


def to_output_file(message: pb.OutputFile) -> OutputFile:
    """Read what a job makes.

    Raises:
        InvalidRequestError: this version does not know it.

    """
    match message.WhichOneof("kind"):
        case "film":
            return FilmFile(encoding=_to_encoding(message.film))
        case "still":
            encoding = _to_encoding(message.still.encoding)
            return StillFile(encoding=encoding, frame=message.still.frame)
        case "sound" if message.sound in _KIND_OF:
            return SoundFile(kind=_KIND_OF[message.sound])
        case _:
            problem = "a file of a kind that this version does not know"
            raise InvalidRequestError([Violation("outputs", problem)])


def _from_encoding(encoding: Encoding) -> pb.Encoding:
    return pb.Encoding(**from_encoding(encoding))


def _to_encoding(message: pb.Encoding) -> Encoding:
    return Encoding(**to_encoding(message))
