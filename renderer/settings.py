"""RenderSettings: all that decides pixels besides the composition itself."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NoReturn

from .backdrop import backdrop_violations
from .cookies import Cookie, cookie_violations
from .encode.choices import encoding_violations, pixel_format_of, side_steps
from .encode.codec_facts import Codec, Container
from .errors import InvalidRequestError, Violation
from .frames import FrameRate
from .gamut import ColorGamut
from .subtitles.burning import BurnedSubtitles, burning_violations
from .surroundings import scale_problem, scaled_px, surroundings_violations

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_SIDE_PX: Final = 8192
MAX_FPS: Final = 240
# An mp4 file counts a frame's ticks, and a second's, in 32 bits.
MAX_RATE_TERM: Final = 1_000_000
MAX_PROPS_BYTES: Final = 1 << 20
MAX_STABILITY_TIMEOUT_S: Final = 600.0
DEFAULT_EPOCH_MS: Final = 1_704_067_200_000  # 2024-01-01T00:00:00Z
_DEFAULT_FRAME_RATE: Final = FrameRate(30)


class CaptureMode(StrEnum):
    """Where a frame's pixels come from.

    AUTO is CANVAS when a canvas selector is given and DOM otherwise.
    """

    AUTO = "auto"
    DOM = "dom"
    CANVAS = "canvas"


class History(StrEnum):
    """Whether a frame depends on the frames before it, besides on its time.

    STATEFUL plays every frame before the first one that is filmed. SEEKABLE lets time jump over
    them. AUTO is for those who can find out; the renderer takes it for STATEFUL.
    """

    AUTO = "auto"
    STATEFUL = "stateful"
    SEEKABLE = "seekable"


class ColorScheme(StrEnum):
    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderSettings:
    """All that decides pixels besides the composition. A value that exists is valid.

    Raises:
        InvalidRequestError: with every field that cannot be.

    """

    width_px: int = 1920
    height_px: int = 1080
    frame_rate: FrameRate = _DEFAULT_FRAME_RATE
    mode: CaptureMode = CaptureMode.AUTO
    canvas_selector: str = ""
    target_selector: str = ""
    target_follows: bool = False  # the crop goes where the target goes
    transparent: bool = False  # nothing stands behind the page
    color_gamut: ColorGamut = ColorGamut.SRGB  # that the page is painted in
    background: str = ""  # or this colour does, like #1a2b3c; white unless told
    # Of these, what is left out is what the codec usually takes (`encode/codecs.py`).
    codec: Codec = Codec.H264
    container: Container | None = None
    crf: int | None = None
    bitrate_kbps: int | None = None  # of the whole video, reached by encoding it in one piece
    lossless: bool = False  # every pixel is as it was captured, and not only nearly
    bit_depth: int | None = None
    preset: str = ""
    tune: str = ""
    codec_options: tuple[tuple[str, str], ...] = ()
    gop_frames: int = 60
    burned_subtitles: tuple[BurnedSubtitles, ...] = ()
    # The encoder's output depends on its thread count: it belongs to the job, not to the machine.
    encoder_threads: int = 2
    props_json: str = "{}"
    seed: int = 0
    stability_timeout_s: float = 30.0
    strict: bool = False  # what is missing is an error, and not a warning
    history: History = History.AUTO
    # What the page finds around it; never what the machine happens to have.
    timezone: str = "UTC"
    locale: str = "en-US"
    color_scheme: ColorScheme = ColorScheme.LIGHT
    device_scale_factor: float = 1.0
    user_agent: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    cookies: tuple[Cookie, ...] = ()
    epoch_ms: int = DEFAULT_EPOCH_MS

    def __post_init__(self) -> None:
        if violations := tuple(_violations(self)):
            raise InvalidRequestError(violations)

    @property
    def picture_size_px(self) -> tuple[int, int]:
        """The viewport in pixels of the picture, which dom mode films."""
        factor = self.device_scale_factor
        return int(scaled_px(self.width_px, factor)), int(scaled_px(self.height_px, factor))

    @property
    def captures_canvas(self) -> bool:
        return self.mode is CaptureMode.CANVAS or (
            self.mode is CaptureMode.AUTO and bool(self.canvas_selector)
        )


def _violations(settings: RenderSettings) -> Iterator[Violation]:
    yield from _size_violations(settings)
    yield from _capture_violations(settings)
    yield from encoding_violations(settings)
    yield from _page_violations(settings)
    yield from surroundings_violations(settings)
    yield from cookie_violations(settings.cookies)
    yield from backdrop_violations(settings)
    yield from burning_violations(settings.burned_subtitles)


def _size_violations(settings: RenderSettings) -> Iterator[Violation]:
    for field, side in (("width_px", settings.width_px), ("height_px", settings.height_px)):
        if not 2 <= side <= MAX_SIDE_PX:
            yield Violation(field, f"{side} is outside 2…{MAX_SIDE_PX}")
        elif not settings.captures_canvas and (problem := _odd_problem(settings, field, side)):
            yield Violation(field, problem)
    yield from _scale_violations(settings)
    rate = settings.frame_rate
    if rate.fraction > MAX_FPS:
        yield Violation("frame_rate", f"{rate} is over {MAX_FPS} frames a second")
    if max(rate.numerator, rate.denominator) > MAX_RATE_TERM:
        yield Violation(
            "frame_rate",
            f"{rate} has terms over {MAX_RATE_TERM}; use a simpler fraction, like 30000/1001",
        )


def _odd_problem(settings: RenderSettings, field: str, side: int) -> str | None:
    step = side_steps(settings)[field == "height_px"]
    if side % step == 0:
        return None
    needs = f"{pixel_format_of(settings)} needs even sides"
    return f"{side} is odd, and {needs}; use {side - 1} or {side + 1}"


def _scale_violations(settings: RenderSettings) -> Iterator[Violation]:
    factor = settings.device_scale_factor
    if problem := scale_problem(factor):
        yield Violation("device_scale_factor", problem)
    elif factor != 1 and not settings.captures_canvas:
        sides = [scaled_px(side, factor) for side in (settings.width_px, settings.height_px)]
        steps = side_steps(settings)
        fits = all(side % step == 0 for side, step in zip(sides, steps, strict=True))
        if not fits or not all(2 <= side <= MAX_SIDE_PX for side in sides):
            size = "x".join(f"{float(side):g}" for side in sides)
            whole = "even" if max(steps) == 2 else "whole"  # a pair of pixels
            yield Violation(
                "device_scale_factor",
                f"{settings.width_px}x{settings.height_px} times {factor:g} is a picture of "
                f"{size} px; its sides have to be {whole}, 2…{MAX_SIDE_PX}",
            )


def _capture_violations(settings: RenderSettings) -> Iterator[Violation]:
    if settings.captures_canvas and settings.target_selector:
        yield Violation(
            "target_selector",
            f"{settings.target_selector!r} crops the page, which canvas mode does not show; "
            "drop one of the two",
        )
    if settings.target_follows and not settings.target_selector:
        yield Violation("target_follows", "there is no target to follow; name one, or drop this")
    if settings.mode is CaptureMode.DOM and settings.canvas_selector:
        yield Violation(
            "canvas_selector",
            f"{settings.canvas_selector!r} is not used in dom mode; use mode canvas or drop it",
        )


def _page_violations(settings: RenderSettings) -> Iterator[Violation]:
    if problem := _props_problem(settings.props_json):
        yield Violation("props", problem)
    if not 0 <= settings.seed < 1 << 63:
        yield Violation("seed", f"{settings.seed} is outside 0…2⁶³−1")
    if not 0 < settings.stability_timeout_s <= MAX_STABILITY_TIMEOUT_S:
        yield Violation(
            "stability_timeout",
            f"{settings.stability_timeout_s:g} s is outside 0…{MAX_STABILITY_TIMEOUT_S:g} s",
        )


def _props_problem(text: str) -> str | None:
    try:
        size_bytes = len(text.encode())
        props = json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        return f"not JSON: {error.msg} at line {error.lineno} column {error.colno}"
    except UnicodeEncodeError as error:
        return f"not UTF-8: character {error.start} has no encoding"
    except RecursionError:
        return "not usable JSON: nested too deeply"
    except ValueError as error:  # NaN, or a number of thousands of digits
        return f"not JSON that a page can read: {error}"
    if size_bytes > MAX_PROPS_BYTES:
        return f"{size_bytes} bytes is over the limit of {MAX_PROPS_BYTES}"
    if not isinstance(props, dict):
        return 'must be a JSON object, like {"title": "Hello"}'
    return None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")
