"""What a user may say about a video, and what it means: options → settings and frames. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, TypedDict, TypeVar

from coordinator.spec_limits import MAX_FRAMES
from renderer.audio.track_text import parse_track
from renderer.encode.codec_facts import Codec, Container
from renderer.encode.containers import CONTAINERS, file_of_output
from renderer.frames import FrameRange, FrameRate, frames_in, parse_duration
from renderer.settings import CaptureMode, ColorScheme, History, RenderSettings

from .encoding import read_bitrate_kbps, read_codec_options
from .problems import Problems
from .surroundings import read_cookies, read_epoch_ms, read_headers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime
    from enum import StrEnum
    from pathlib import Path

    from renderer.audio.tracks import Track

    Choice = TypeVar("Choice", bound=StrEnum)

_AS_THEY_ARE: Final = (
    "width_px", "height_px", "crf", "preset", "gop_frames", "seed", "timezone", "locale",
    "user_agent", "strict", "transparent", "background", "target_follows",
    "tune", "lossless", "bit_depth",
)  # fmt: skip
_UINT32: Final = 1 << 32
_SOME_FRAMES: Final = FrameRange(0, 1)


class RenderOptions(TypedDict, total=False):
    """What a user may say about a video. What is left unsaid takes `RenderSettings`' default.

    Exactly one of `frames` and `duration` (seconds, or a text like "1m30s") is needed. `props` is
    a mapping or a JSON text; `audio` holds `Track`s, or texts like "music.mp3,offset=2s,loop";
    `loudness` is in LUFS; `headers` is a mapping or texts like "X-Name: value", `cookies` one or
    texts like "name=value;path=/"; `epoch` is a time or an ISO 8601 text.
    """

    width_px: int
    height_px: int
    fps: str | float | Fraction
    frames: int
    duration: str | float | Fraction
    start_frame: int
    mode: str
    canvas: str
    target: str
    target_follows: bool
    transparent: bool
    background: str
    codec: str
    container: str
    crf: int
    bitrate: str
    lossless: bool
    bit_depth: int
    tune: str
    codec_options: Sequence[str] | Mapping[str, str]
    preset: str
    gop_frames: int
    props: str | Mapping[str, object]
    seed: int
    audio: Sequence[str | Track]
    loudness: float
    stability_timeout: str | float | Fraction
    chunk_frames: int
    strict: bool
    history: str
    timezone: str
    locale: str
    color_scheme: str
    scale: float
    user_agent: str
    headers: Sequence[str] | Mapping[str, str]
    cookies: Sequence[str] | Mapping[str, str]
    epoch: str | datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Options, understood: all of a job but its files."""

    settings: RenderSettings
    frames: FrameRange
    chunk_frames: int | None
    audio: tuple[Track, ...]
    loudness_lufs: float | None


def read_options(options: RenderOptions, output: Path | None = None) -> Wish:
    """Understand what was said, for a file of this name.

    Raises:
        InvalidRequestError: with every option that cannot be, by its name in `RenderOptions`.
        TypeError: an option that does not exist.

    """
    if unknown := options.keys() - RenderOptions.__annotations__.keys():
        raise TypeError(f"no such option: {', '.join(sorted(unknown))}")
    problems = Problems()
    _check_texts(options, problems)
    problems.raise_if_any()
    settings = _settings(options, problems, output)
    frames = _frames(options, settings.frame_rate, problems)
    audio = tuple(_tracks(options.get("audio", ()), problems))
    problems.raise_if_any()
    return Wish(
        settings=settings,
        frames=frames,
        chunk_frames=options.get("chunk_frames"),
        audio=audio,
        loudness_lufs=options.get("loudness"),
    )


def _check_texts(options: RenderOptions, problems: Problems) -> None:
    for name, said in options.items():
        if isinstance(said, str) and not _is_text(said):
            problems.add(name, f"{said!r} is not UTF-8 text")


def _is_text(said: str) -> bool:
    try:
        said.encode()
    except UnicodeEncodeError:  # bytes of the command line that are no UTF-8 come as surrogates
        return False
    return True


def _settings(options: RenderOptions, problems: Problems, output: Path | None) -> RenderSettings:
    """Understand each option alone, then all together; what cannot be read stays a default."""
    given: dict[str, Any] = {k: said for k, said in options.items() if k in _AS_THEY_ARE}
    given["canvas_selector"] = options.get("canvas", "")
    given["target_selector"] = options.get("target", "")
    with problems.of("fps"):
        if "fps" in options:
            given["frame_rate"] = _frame_rate(str(options["fps"]))
    with problems.of("mode"):
        given["mode"] = _chosen(CaptureMode, options.get("mode", CaptureMode.AUTO))
    _read_encoding(options, given, problems, output)
    with problems.of("history"):
        given["history"] = _chosen(History, options.get("history", History.AUTO))
    with problems.of("props"):
        given["props_json"] = _props_json(options.get("props", "{}"))
    with problems.of("stability_timeout"):
        if "stability_timeout" in options:
            given["stability_timeout_s"] = float(_seconds(options["stability_timeout"]))
    _read_surroundings(options, given, problems)
    with problems.of("settings"):
        return RenderSettings(**given)
    return RenderSettings()


def _read_encoding(
    options: RenderOptions, given: dict[str, Any], problems: Problems, output: Path | None
) -> None:
    codec = container = None
    with problems.of("output"):
        if output is not None:
            container, codec = file_of_output(output)
    with problems.of("container"):
        if "container" in options:
            said = _chosen(Container, options["container"])
            if container not in {None, said}:
                raise ValueError(f"{said} is not what {output} ends in; drop one of the two")
            container = said
    with problems.of("codec"):
        if "codec" in options:
            codec = _chosen(Codec, options["codec"])
        elif codec is None and container is not None:
            codec = CONTAINERS[container].codec
    given |= {"codec": codec or Codec.H264, "container": container}
    with problems.of("bitrate"):
        if "bitrate" in options:
            given["bitrate_kbps"] = read_bitrate_kbps(options["bitrate"])
    with problems.of("codec_options"):
        given["codec_options"] = tuple(read_codec_options(options.get("codec_options", ())))


def _read_surroundings(options: RenderOptions, given: dict[str, Any], problems: Problems) -> None:
    given["device_scale_factor"] = float(options.get("scale", 1.0))
    with problems.of("color_scheme"):
        given["color_scheme"] = _chosen(ColorScheme, options.get("color_scheme", "light"))
    with problems.of("headers"):
        given["headers"] = tuple(read_headers(options.get("headers", ())))
    with problems.of("cookies"):
        given["cookies"] = tuple(read_cookies(options.get("cookies", ())))
    with problems.of("epoch"):
        if "epoch" in options:
            given["epoch_ms"] = read_epoch_ms(options["epoch"])


def _frame_rate(text: str) -> FrameRate:
    rate = FrameRate.parse(text)
    if max(rate.numerator, rate.denominator) >= _UINT32:
        raise ValueError(f"{text} has too many digits; write it as a fraction like 30000/1001")
    return rate


def _chosen(choices: type[Choice], said: str) -> Choice:
    try:
        return choices(said)
    except ValueError:
        raise ValueError(f"{said!r} is unknown; use {_listed(choices)}") from None


def _listed(choices: Iterable[StrEnum]) -> str:
    *most, last = (choice.value for choice in choices)
    return f"{', '.join(most)} or {last}" if most else last


def _props_json(props: str | Mapping[str, object]) -> str:
    if isinstance(props, str):
        return props
    try:
        return json.dumps(dict(props), ensure_ascii=False, allow_nan=False)
    except TypeError as error:
        raise ValueError(f"cannot be written as JSON: {error}") from error


def _tracks(said: Sequence[str | Track], problems: Problems) -> Iterator[Track]:
    for each in said:
        with problems.of("audio"):
            yield parse_track(each) if isinstance(each, str) else each


def _frames(options: RenderOptions, rate: FrameRate, problems: Problems) -> FrameRange:
    start = options.get("start_frame", 0)
    if not 0 <= start <= MAX_FRAMES:
        problems.add("start_frame", f"{start} is outside 0…{MAX_FRAMES}")
        start = 0
    match options:
        case {"frames": _, "duration": _}:
            problems.add(
                "frames", "the duration says how long the video is, too; drop one of the two"
            )
        case {"frames": count}:
            with problems.of("frames"):
                return _counted(start, count)
        case {"duration": duration}:
            with problems.of("duration"):
                return _counted(start, _frame_count(duration, rate))
        case _:
            problems.add("frames", "missing; give a number of frames, or a duration like 5s")
    return _SOME_FRAMES


def _counted(start: int, count: int) -> FrameRange:
    if not 1 <= count <= MAX_FRAMES:
        raise ValueError(f"{count} frames is outside 1…{MAX_FRAMES}")
    return FrameRange(start, start + count)


def _frame_count(duration: str | float | Fraction, rate: FrameRate) -> int:
    seconds = _seconds(duration)
    if seconds <= 0:
        raise ValueError(f"{duration} is not longer than nothing; give a duration like 5s")
    return frames_in(seconds, rate)


def _seconds(said: str | float | Fraction) -> Fraction:
    # By its text: 0.1 means a tenth, and not the binary fraction beside it.
    return parse_duration(said) if isinstance(said, str) else Fraction(str(said))
