"""What a job makes, by the names that files would have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from coordinator.output_files import Encoding, FilmFile, OutputFile, SoundFile, StillFile
from renderer.encode.codec_facts import Codec
from renderer.encode.containers import file_of_output
from renderer.encode.sound_files import SoundKind

# Encoders at their quickest: what is tested is not how well they compress.
_QUICK = {
    Codec.H264: "ultrafast", Codec.H265: "ultrafast", Codec.VP8: "5", Codec.VP9: "5",
    Codec.AV1: "12",
}  # fmt: skip


def film(name: str, **more: Any) -> FilmFile:
    return FilmFile(encoding=_encoding(name, **more))


def still(name: str, frame: int) -> StillFile:
    return StillFile(encoding=_encoding(name), frame=frame)


def sound(kind: str) -> SoundFile:
    return SoundFile(kind=SoundKind(kind))


def _encoding(name: str, **more: Any) -> Encoding:
    container, codec = file_of_output(Path(name))
    given: dict[str, Any] = {
        "codec": codec,
        "preset": _QUICK.get(more.get("codec", codec), ""),
    } | more
    return Encoding(container=container, **given)


def name_of(file: OutputFile) -> str:
    return file.kind if isinstance(file, SoundFile) else str(file.encoding.container)
