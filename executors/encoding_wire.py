"""How pictures are encoded ↔ the fields that say so, which several messages have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from protos.framefarm.v1 import render_pb2
from renderer.encode.codec_facts import Codec, Container
from renderer.errors import InvalidRequestError, Violation

if TYPE_CHECKING:
    from protos.framefarm.v1 import coordinator_pb2

T = TypeVar("T")

_CODECS = {
    Codec.H264: render_pb2.CODEC_H264,
    Codec.H265: render_pb2.CODEC_H265,
    Codec.VP8: render_pb2.CODEC_VP8,
    Codec.VP9: render_pb2.CODEC_VP9,
    Codec.AV1: render_pb2.CODEC_AV1,
    Codec.PRORES: render_pb2.CODEC_PRORES,
    Codec.PRORES_4444: render_pb2.CODEC_PRORES_4444,
    Codec.DNXHR: render_pb2.CODEC_DNXHR,
    Codec.FFV1: render_pb2.CODEC_FFV1,
    Codec.GIF: render_pb2.CODEC_GIF,
    Codec.APNG: render_pb2.CODEC_APNG,
    Codec.WEBP: render_pb2.CODEC_WEBP,
    Codec.PNG: render_pb2.CODEC_PNG,
    Codec.JPEG: render_pb2.CODEC_JPEG,
}
_CODEC_OF = {number: codec for codec, number in _CODECS.items()} | {
    render_pb2.CODEC_UNSPECIFIED: Codec.H264
}
_CONTAINERS = {
    None: render_pb2.CONTAINER_UNSPECIFIED,
    Container.MP4: render_pb2.CONTAINER_MP4,
    Container.MOV: render_pb2.CONTAINER_MOV,
    Container.WEBM: render_pb2.CONTAINER_WEBM,
    Container.MKV: render_pb2.CONTAINER_MKV,
    Container.GIF: render_pb2.CONTAINER_GIF,
    Container.APNG: render_pb2.CONTAINER_APNG,
    Container.WEBP: render_pb2.CONTAINER_WEBP,
    Container.PNG: render_pb2.CONTAINER_PNG,
    Container.JPG: render_pb2.CONTAINER_JPG,
    Container.ZIP: render_pb2.CONTAINER_ZIP,
}
_CONTAINER_OF = {number: container for container, number in _CONTAINERS.items()}

# What is left out on the wire has the value that is usual.
_NUMBERS: Final = ("crf", "bitrate_kbps", "bit_depth", "gop_frames")


class Encoded(Protocol):
    """Whatever says how it is encoded: settings, or one of a job's files."""

    @property
    def codec(self) -> Codec: ...
    @property
    def container(self) -> Container | None: ...
    @property
    def crf(self) -> int | None: ...
    @property
    def bitrate_kbps(self) -> int | None: ...
    @property
    def lossless(self) -> bool: ...
    @property
    def bit_depth(self) -> int | None: ...
    @property
    def preset(self) -> str: ...
    @property
    def tune(self) -> str: ...
    @property
    def codec_options(self) -> tuple[tuple[str, str], ...]: ...
    @property
    def gop_frames(self) -> int: ...


def from_encoding(encoded: Encoded) -> dict[str, Any]:
    """Return the fields of a message."""
    return {
        "codec": _CODECS[encoded.codec],
        "container": _CONTAINERS[encoded.container],
        "lossless": encoded.lossless,
        "preset": encoded.preset,
        "tune": encoded.tune,
        "codec_options": [
            render_pb2.CodecOption(name=name, value=value) for name, value in encoded.codec_options
        ],
        **{name: getattr(encoded, name) for name in _NUMBERS},
    }


def to_encoding(message: render_pb2.RenderSettings | coordinator_pb2.Encoding) -> dict[str, Any]:
    """Return the fields of a value.

    Raises:
        InvalidRequestError: one of them has a value that this version does not know.

    """
    return {
        "codec": known(_CODEC_OF, message.codec, "codec"),
        "container": known(_CONTAINER_OF, message.container, "container"),
        "lossless": message.lossless,
        "preset": message.preset,
        "tune": message.tune,
        "codec_options": tuple((each.name, each.value) for each in message.codec_options),
        **{name: getattr(message, name) for name in _NUMBERS if message.HasField(name)},
    }


def known(table: dict[Any, T], number: int, field: str) -> T:
    """Look up what a number on the wire means.

    Raises:
        InvalidRequestError: a later version's, perhaps.

    """
    if number not in table:
        raise InvalidRequestError([Violation(field, f"this version does not know value {number}")])
    return table[number]
