"""What a job makes ↔ protobuf messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from executors.settings_wire import from_codec, from_container, to_codec, to_container
from protos.framefarm.v1 import coordinator_pb2 as pb
from protos.framefarm.v1 import render_pb2
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
    return pb.Encoding(
        codec=from_codec(encoding.codec),
        container=from_container(encoding.container),
        crf=encoding.crf,
        bitrate_kbps=encoding.bitrate_kbps,
        lossless=encoding.lossless,
        bit_depth=encoding.bit_depth,
        preset=encoding.preset,
        tune=encoding.tune,
        codec_options=[
            render_pb2.CodecOption(name=name, value=value) for name, value in encoding.codec_options
        ],
        gop_frames=encoding.gop_frames,
    )


def _to_encoding(message: pb.Encoding) -> Encoding:
    given: dict[str, Any] = {
        name: getattr(message, name)
        for name in ("crf", "bitrate_kbps", "bit_depth", "gop_frames")
        if message.HasField(name)
    }
    return Encoding(
        **given,
        codec=to_codec(message.codec),
        container=to_container(message.container),
        lossless=message.lossless,
        preset=message.preset,
        tune=message.tune,
        codec_options=tuple((each.name, each.value) for each in message.codec_options),
    )
