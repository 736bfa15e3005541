"""What a user may say about a video, and what it means: options → settings and frames. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from renderer.audio.track_text import parse_track
from renderer.encode.codec_facts import Codec, Container
from renderer.encode.containers import CONTAINERS, file_of_output
from renderer.frames import FrameRange, FrameRate
from renderer.gamut import ColorGamut
from renderer.settings import CaptureMode, ColorScheme, History, RenderSettings

from .encoding import read_bitrate_kbps, read_codec_options
from .lengths import read_frames, read_seconds
from .output_options import without_encoding
from .outputs import check_files, is_one_film, read_files
from .problems import Problems
from .queue_options import QueueOptions, Standing, read_standing
from .surroundings import read_cookies, read_epoch_ms, read_headers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime
    from enum import StrEnum
    from os import PathLike
    from pathlib import Path

    from coordinator.output_files import OutputFile
    from renderer.audio.tracks import Track
    from renderer.subtitles.tracks import SubtitleTrack

    from .output_names import OutputName

    Choice = TypeVar("Choice", bound=StrEnum)

_AS_THEY_ARE: Final = (
    "width_px", "height_px", "crf", "preset", "gop_frames", "seed", "timezone", "locale",
    "user_agent", "strict", "transparent", "background", "target_follows",
    "tune", "lossless", "bit_depth",
)  # fmt: skip
_UINT32: Final = 1 << 32


class RenderOptions(QueueOptions, total=False):
    """What a user may say about a video. What is left unsaid takes `RenderSettings`' default.

    Exactly one of `frames` and `duration` (seconds, or a text like "1m30s") is needed. `props` is
    a mapping or a JSON text; `audio` holds `Track`s, or texts like "music.mp3,offset=2s,loop";
    `loudness` is in LUFS; `headers` is a mapping or texts like "X-Name: value", `cookies` one or
    texts like "name=value;path=/"; `epoch` is a time or an ISO 8601 text. `subtitles` holds
    `SubtitleTrack`s, or texts like "film.srt,lang=en"; `metadata` is a mapping or texts like
    "album=Summer", `chapters` a file, `chapter` texts like "10s=Title"; `creation_time` is a time,
    an ISO 8601 text, or "now".
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
    subtitles: Sequence[str | SubtitleTrack]
    subtitles_mode: str
    title: str
    artist: str
    comment: str
    metadata: Sequence[str] | Mapping[str, str]
    chapters: str | PathLike[str]
    chapter: Sequence[str]
    creation_time: str | datetime
    color_gamut: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Options, understood: all of a job but its files."""

    settings: RenderSettings
    frames: FrameRange
    chunk_frames: int | None
    audio: tuple[Track, ...]
    loudness_lufs: float | None
    outputs: tuple[OutputFile, ...] = ()
    standing: Standing = field(default_factory=Standing)


def read_options(options: RenderOptions, names: Sequence[OutputName] = ()) -> Wish:
    """Understand what was said, for files of these names.

    Raises:
        InvalidRequestError: with every option that cannot be, by its name in `RenderOptions`.
        TypeError: an option that does not exist.

    """
    if unknown := options.keys() - RenderOptions.__annotations__.keys():
        raise TypeError(f"no such option: {', '.join(sorted(unknown))}")
    problems = Problems()
    _check_texts(options, problems)
    problems.raise_if_any()
    outputs: list[OutputFile] = []
    if not names:
        settings = _settings(options, problems, None)
    elif is_one_film(names):
        own = cast("RenderOptions", {**options, **names[0].options})
        settings = _settings(own, problems, names[0].path)
    else:
        settings = _shared_settings(options, problems)
        problems.raise_if_any()
        outputs = read_files(names, options, problems, _settings)
    frames = read_frames(options, settings.frame_rate, problems)
    audio = tuple(_tracks(options.get("audio", ()), problems))
    standing = read_standing(options, problems)
    problems.raise_if_any()
    wish = Wish(
        settings=settings,
        frames=frames,
        chunk_frames=options.get("chunk_frames"),
        audio=audio,
        loudness_lufs=options.get("loudness"),
        outputs=tuple(outputs),
        standing=standing,
    )
    check_files(names, wish, problems)
    problems.raise_if_any()
    return wish


def _shared_settings(options: RenderOptions, problems: Problems) -> RenderSettings:
    """What is said of all files alike. How each is encoded is its own matter."""
    shared = without_encoding(options)
    with problems.of("codec"):
        _chosen(Codec, options.get("codec", Codec.FFV1))
    return _settings({**shared, "codec": Codec.FFV1.value}, problems, None)


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
            given["stability_timeout_s"] = float(read_seconds(options["stability_timeout"]))
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
    with problems.of("color_gamut"):
        given["color_gamut"] = _chosen(ColorGamut, options.get("color_gamut", "srgb"))
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
