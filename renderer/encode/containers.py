"""Containers: how each is written, by which ending it is known, how sound goes into it. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from .codec_facts import Codec, Container
from .codecs import CODECS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# A name with one of these is many: pictures, numbered by their frames.
_NUMBER: Final = re.compile(r"%(0[1-9])?d")


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundFormat:
    """How sound is written, and what ffprobe calls it then."""

    stream: str
    options: Mapping[str, Any]
    late_samples: int = 0  # by which it is handed over later, so that it is heard at its time


_AAC: Final = SoundFormat(stream="aac", options={"c:a": "aac", "b:a": "192k"})
# Readers take Opus' priming off the times of its packets in Matroska, and ffmpeg's muxer has not
# put it on: sound would be heard as much too early.
_OPUS: Final = SoundFormat(
    stream="opus", options={"c:a": "libopus", "b:a": "160k"}, late_samples=312
)
_PCM: Final = SoundFormat(stream="pcm_s24le", options={"c:a": "pcm_s24le"})
_FLAC: Final = SoundFormat(
    stream="flac", options={"c:a": "flac", "sample_fmt": "s32", "bits_per_raw_sample": 24}
)
_STUDIO: Final = frozenset({Codec.PRORES, Codec.PRORES_4444, Codec.DNXHR, Codec.FFV1})


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerFacts:
    """`muxer` is ffmpeg's. Without `ticks_per_second`, a frame can be a whole number of ticks.

    Where the file holds lengths and not times, what ffprobe rounds adds up.
    """

    muxer: str
    endings: tuple[str, ...]
    codec: Codec  # what it holds unless another one is asked for
    ticks_per_second: int | None = None
    holds_lengths: bool = False
    has_sound: bool = False
    options: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


_MOOV_FIRST: Final = {"movflags": "+faststart"}

CONTAINERS: Final[Mapping[Container, ContainerFacts]] = {
    Container.MP4: ContainerFacts(
        muxer="mp4", endings=(".mp4",), codec=Codec.H264, has_sound=True, options=_MOOV_FIRST
    ),
    Container.MOV: ContainerFacts(
        muxer="mov", endings=(".mov",), codec=Codec.H264, has_sound=True, options=_MOOV_FIRST
    ),
    Container.WEBM: ContainerFacts(
        muxer="webm", endings=(".webm",), codec=Codec.VP9, ticks_per_second=1000, has_sound=True
    ),
    Container.MKV: ContainerFacts(
        muxer="matroska", endings=(".mkv",), codec=Codec.H264, ticks_per_second=1000, has_sound=True
    ),
    Container.GIF: ContainerFacts(
        muxer="gif", endings=(".gif",), codec=Codec.GIF, ticks_per_second=100, options={"loop": 0}
    ),
    Container.APNG: ContainerFacts(
        muxer="apng",
        endings=(".apng",),
        codec=Codec.APNG,
        ticks_per_second=100_000,
        holds_lengths=True,
        options={"plays": 0},
    ),
    Container.WEBP: ContainerFacts(
        muxer="webp", endings=(".webp",), codec=Codec.WEBP, options={"loop": 0}
    ),
    Container.PNG: ContainerFacts(muxer="image2", endings=(".png",), codec=Codec.PNG),
    Container.JPG: ContainerFacts(muxer="image2", endings=(".jpg", ".jpeg"), codec=Codec.JPEG),
    Container.ZIP: ContainerFacts(muxer="image2", endings=(".zip",), codec=Codec.PNG),
}

# The pictures of a ZIP, by their ending.
PICTURE_CODECS: Final = {
    ".png": Codec.PNG, ".jpg": Codec.JPEG, ".jpeg": Codec.JPEG, ".webp": Codec.WEBP,
}  # fmt: skip
SINGLE_PICTURES: Final = frozenset({Container.PNG, Container.JPG})


def sound_format(codec: Codec, container: Container) -> SoundFormat | None:
    """How sound is written beside pictures of `codec`; None if there is no place for it."""
    if not CONTAINERS[container].has_sound:
        return None
    if container is Container.WEBM or (container is Container.MKV and codec not in _STUDIO):
        return _OPUS
    if container is Container.MKV:
        return _FLAC
    return _PCM if codec in _STUDIO else _AAC


def is_numbered(path: Path) -> bool:
    """Whether the name is a pattern like `%05d.png`, for a file a frame."""
    return bool(_NUMBER.search(path.name))


def file_of_output(path: Path) -> tuple[Container, Codec]:
    """The container that a file's name asks for, and the codec that goes into it by itself.

    Raises:
        ValueError: no container ends so.

    """
    ending = path.suffix.lower()
    if is_numbered(path):
        if ending not in PICTURE_CODECS:
            known = ", ".join(PICTURE_CODECS)
            raise ValueError(f"{path} is to be a file a frame; pictures end in {known}")
        return Container.ZIP, PICTURE_CODECS[ending]
    for container, facts in CONTAINERS.items():
        if ending in facts.endings:
            return container, facts.codec
    said = f"ends in {ending}" if ending else "has no ending"
    raise ValueError(f"{path} {said}; videos end in {', '.join(all_endings())}")


def all_endings() -> list[str]:
    return [ending for facts in CONTAINERS.values() for ending in facts.endings]


def holders(container: Container) -> list[Codec]:
    """The codecs that a container holds."""
    return [codec for codec, facts in CODECS.items() if container in facts.containers]
