"""What ffmpeg is told to make a chunk of pictures. Pure: the same values, the same arguments.

A chunk's bytes depend on its pictures and settings alone: every thread count is set, and nothing
of the machine, the clock or ffmpeg's version goes into the file's header (`bitexact`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .containers import CONTAINERS
from .overlay import drawn
from .recipe import Colors, chunk_recipe

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import Any

    from renderer.frames import FrameRate
    from renderer.settings import RenderSettings

    from .overlay import Overlay
    from .recipe import Recipe
    from .stamped import StampedPictures

QUIET: Final = ("-hide_banner", "-nostats", "-loglevel", "error")
BITEXACT: Final = {"fflags": "+bitexact", "flags": "+bitexact"}
# What ffmpeg's options call a matrix that its filters call otherwise.
_SPACE_OPTIONS: Final = {"gbr": "rgb"}
# The exact conversion, the same on every processor: `bitexact` keeps swscale from taking roads
# that differ by CPU.
_SCALE: Final = "bicubic+accurate_rnd+full_chroma_int+full_chroma_inp+bitexact"
# Whole seconds have at least this many ticks: some players misread very coarse time scales.
_COARSEST_TIMESCALE: Final = 1000


def track_timescale(rate: FrameRate) -> int:
    """Ticks a second of a video track at `rate`, such that a frame is a whole number of them."""
    numerator = rate.fraction.numerator
    return numerator if numerator >= _COARSEST_TIMESCALE else numerator * 1000


def ticks_per_frame(rate: FrameRate) -> int:
    ticks = track_timescale(rate) / rate.fraction
    assert ticks.denominator == 1
    return ticks.numerator


def chunk_arguments(
    ffmpeg: Path,
    pictures: StampedPictures,
    settings: RenderSettings,
    output: Path,
    overlays: Sequence[Overlay] = (),
) -> list[str]:
    """The command that reads pictures from its standard input and writes a chunk file."""
    recipe = chunk_recipe(settings)
    encoding = {"c:v": recipe.encoder, "fps_mode": "passthrough", **recipe.options}
    options = encoding | color_tags(recipe) | _container(recipe, settings.frame_rate)
    video = pictures.source(settings.encoder_threads)
    if overlays:  # what is drawn may change while the pictures repeat
        video = converted(drawn(pictures.each_frame(video), overlays, settings), recipe)
    else:
        video = pictures.each_frame(converted(video, recipe))
    stream = video.output(f"file:{output}", **options)
    # Half a picture is an error, not a frame less.
    threads = ("-filter_complex_threads", str(settings.encoder_threads))
    return compiled(stream.global_args("-xerror", *threads), ffmpeg)


def compiled(stream: Any, ffmpeg: Path) -> list[str]:
    command: list[str] = stream.global_args(*QUIET).compile(cmd=str(ffmpeg), overwrite_output=True)
    return command


def converted(video: Any, recipe: Recipe) -> Any:
    """The filters that make of BGRA what the encoder takes, and say what its colours are."""
    tags = recipe.colors.value
    if not recipe.colors.is_rgb:
        matrix = "smpte170m" if recipe.colors is Colors.JFIF else tags.space
        video = video.filter("scale", out_color_matrix=matrix, out_range=tags.range, flags=_SCALE)
    planar = video.filter("format", recipe.pixel_format)
    # ffmpeg 7 and newer take the stream's tags from its frames, not from the options below.
    return planar.filter(
        "setparams",
        range=tags.range,
        color_primaries=tags.primaries,
        color_trc=tags.transfer,
        colorspace=tags.space,
    )


def color_tags(recipe: Recipe) -> dict[str, Any]:
    """Untagged RGB becomes BT.601, and players take it for BT.709: say it in the stream, too."""
    tags = recipe.colors.value
    return {
        "pix_fmt": recipe.pixel_format,
        "colorspace": _SPACE_OPTIONS.get(tags.space, tags.space),
        "color_primaries": tags.primaries,
        "color_trc": tags.transfer,
        "color_range": tags.range,
    }


def _container(recipe: Recipe, rate: FrameRate) -> dict[str, Any]:
    facts = CONTAINERS[recipe.container]
    beside = {"metadata:s:v:0": "alpha_mode=1"} if recipe.has_alpha_beside else {}
    timescale = {} if facts.ticks_per_second else {"video_track_timescale": track_timescale(rate)}
    return {
        "format": facts.muxer,
        **timescale,
        "fflags": "+bitexact",
        "flags": "+bitexact+cgop" if "g" in recipe.options else "+bitexact",
        "map_metadata": -1,
        **beside,
    }
