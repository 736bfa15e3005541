"""What there is to know of a codec, and the names of codecs and containers."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_NONE: Final[Mapping[str, str]] = MappingProxyType({})
_NO_OPTIONS: Final[Mapping[str, Span | Words]] = MappingProxyType({})


class Codec(StrEnum):
    H264 = "h264"
    H265 = "h265"
    VP8 = "vp8"
    VP9 = "vp9"
    AV1 = "av1"
    PRORES = "prores"
    PRORES_4444 = "prores4444"
    DNXHR = "dnxhr"
    FFV1 = "ffv1"
    GIF = "gif"
    APNG = "apng"
    WEBP = "webp"
    PNG = "png"
    JPEG = "jpeg"


class Container(StrEnum):
    """A kind of file. ZIP holds pictures, one a frame; PNG and JPG are one picture."""

    MP4 = "mp4"
    MOV = "mov"
    WEBM = "webm"
    MKV = "mkv"
    GIF = "gif"
    APNG = "apng"
    WEBP = "webp"
    PNG = "png"
    JPG = "jpg"
    ZIP = "zip"


class Look(StrEnum):
    """What pictures are made of in the file."""

    OPAQUE = "opaque"
    ALPHA = "alpha"
    LOSSLESS = "lossless"


@dataclass(frozen=True, slots=True)
class Span:
    """Whole numbers from `least` to `most`, both good."""

    least: int
    most: int

    def __str__(self) -> str:
        return f"{self.least}…{self.most}"

    def holds(self, text: str) -> bool:
        return text.isascii() and text.isdecimal() and self.least <= int(text) <= self.most


@dataclass(frozen=True, slots=True)
class Words:
    words: tuple[str, ...]

    def __str__(self) -> str:
        return ", ".join(self.words)

    def holds(self, text: str) -> bool:
        return text in self.words


@dataclass(frozen=True, slots=True, kw_only=True)
class CodecFacts:
    """What there is to know of a codec.

    `stream` is ffprobe's name for it. `formats` are pixel formats by look and bit depth; the first
    depth is the default one. `chunk` is the container of chunks; without one, chunks are kept
    without loss, and the file is encoded in one piece at the end. `crf` is the range of its
    quality, `default_crf` the one taken. `params` names the one option of ffmpeg through which the
    encoder itself is spoken to. `tells_gamut` says whether its files tell of what gamut they are.
    """

    encoder: str
    stream: str
    containers: tuple[Container, ...]
    chunk: Container | None
    formats: Mapping[Look, Mapping[int, str]]
    fixed: Mapping[str, str] = field(default_factory=lambda: _NONE)
    lossless_encoder: str = ""
    lossless: Mapping[str, str] = field(default_factory=lambda: _NONE)
    crf: Span | None = None
    default_crf: int = 0
    crf_name: str = "crf"
    preset_name: str = "preset"
    presets: tuple[str, ...] = ()
    default_preset: str = ""
    tunes: tuple[str, ...] = ()
    passes: int = 0  # over the whole video, to reach a bitrate; 0: it cannot be asked for
    has_gop: bool = False
    params: str = ""
    options: Mapping[str, Span | Words] = field(default_factory=lambda: _NO_OPTIONS)
    least_size_px: tuple[int, int] = (2, 2)
    tells_gamut: bool = True

    @property
    def has_alpha(self) -> bool:
        return Look.ALPHA in self.formats

    @property
    def has_lossless(self) -> bool:
        return Look.LOSSLESS in self.formats
