"""How people name what is to be made: `a.webm,crf=30`, `poster.png@3s`, `sound.wav`."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from renderer.encode.containers import file_of_output, is_numbered
from renderer.encode.sound_files import sound_kind
from renderer.frames import parse_duration

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from renderer.frames import FrameRate

_OPTION: Final = re.compile(r"(?P<key>[A-Za-z_-]+)=(?P<value>.*)", re.DOTALL)
_MOMENT: Final = re.compile(r"(?P<path>.+\.[A-Za-z0-9]+)@(?P<moment>[0-9][0-9.a-z]*)", re.DOTALL)
_LOSSLESS: Final = "lossless"
_TEXTS: Final = ("codec", "bitrate", "preset", "tune")
_NUMBERS: Final = {"crf": "crf", "bit_depth": "bit_depth", "gop": "gop_frames"}
_CODEC_OPTION: Final = "codec_option"
_KNOWN: Final = (*_TEXTS, *_NUMBERS, _LOSSLESS, _CODEC_OPTION)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputName:
    """A file that is wanted. `moment` names one frame of the film, like `3s` or `90f`.

    `options` are those of `RenderOptions` that it has for itself.
    """

    path: Path
    moment: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """How the farm's file of it ends.

        Raises:
            ValueError: no file ends so.

        """
        return sound_kind(self.path) or file_of_output(self.path)[0].value

    @property
    def is_film(self) -> bool:
        return not self.moment and sound_kind(self.path) is None

    def frame(self, rate: FrameRate) -> int:
        """Which frame is shown at its moment, counted as the composition does.

        Raises:
            ValueError: it is no moment.

        """
        if re.fullmatch(r"[0-9]{1,9}f", self.moment):
            return int(self.moment[:-1])
        return int(parse_duration(self.moment) * rate.fraction)

    def __str__(self) -> str:
        return f"{self.path}@{self.moment}" if self.moment else str(self.path)


def output_names(said: Iterable[str | os.PathLike[str]]) -> tuple[OutputName, ...]:
    """Read the names of all that is wanted. What is no text is a path, and no more than that.

    Raises:
        ValueError: an option is unknown, or a value cannot be.

    """
    return tuple(
        parse_output(each) if isinstance(each, str) else OutputName(path=Path(each))
        for each in said
    )


def parse_output(text: str) -> OutputName:
    """Read `FILE@3s,crf=30,lossless`. Commas in the file's name are fine.

    Raises:
        ValueError: an option is unknown, or a value cannot be.

    """
    name, options = _split(text)
    if not name:
        raise ValueError(f"{text!r} names no file; write FILE,crf=30")
    moment = _MOMENT.fullmatch(name)
    if moment is None:
        return OutputName(path=Path(name), options=options)
    return OutputName(path=Path(moment["path"]), moment=moment["moment"], options=options)


def _split(text: str) -> tuple[str, dict[str, Any]]:
    """Take `key=value` parts, and `lossless`, off the end for as long as there are any."""
    options: dict[str, Any] = {}
    while (cut := text.rpartition(","))[1]:
        found = _OPTION.fullmatch(cut[2])
        if found is None and cut[2] != _LOSSLESS:
            break
        key = found["key"].replace("-", "_") if found else _LOSSLESS
        if key not in _KNOWN or (found and key == _LOSSLESS):
            raise ValueError(f"{cut[2]!r} is no option of a file; known are {', '.join(_KNOWN)}")
        _put(options, key, found["value"] if found else "")
        text = cut[0]
    return text, options


def _put(options: dict[str, Any], key: str, value: str) -> None:
    if key == _CODEC_OPTION:
        options["codec_options"] = [value, *options.get("codec_options", [])]
        return
    name = _NUMBERS.get(key, key)
    if name in options:
        raise ValueError(f"{key} is given twice; drop one")
    if key in _NUMBERS:
        if not re.fullmatch(r"[0-9]{1,9}", value):
            raise ValueError(f"{key}={value!r:.80} is no whole number")
        options[name] = int(value)
    else:
        options[name] = value if key in _TEXTS else True


def is_pattern(name: OutputName) -> bool:
    """Whether it is many files, a picture a frame."""
    return name.is_film and is_numbered(name.path)
