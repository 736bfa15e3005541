"""What ffmpeg is told to make a chunk of pictures. Pure: the same values, the same arguments.

A chunk's bytes depend on its pictures and settings alone: every thread count is set, and nothing
of the machine, the clock or ffmpeg's version goes into the file's header (`bitexact`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import ffmpeg as graph

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from renderer.frames import FrameRate
    from renderer.settings import RenderSettings

    from .pictures import PictureStream

PIXEL_FORMAT: Final = "yuv420p"
QUIET: Final = ("-hide_banner", "-nostats", "-loglevel", "error")
BITEXACT: Final = {"fflags": "+bitexact", "flags": "+bitexact"}
# Untagged RGB becomes BT.601, and players take it for BT.709: say it in the stream, too.
COLOR_TAGS: Final = {
    "colorspace": "bt709",
    "color_primaries": "bt709",
    "color_trc": "bt709",
    "color_range": "tv",
}
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
    ffmpeg: Path, pictures: PictureStream, settings: RenderSettings, output: Path
) -> list[str]:
    """The command that reads pixels from its standard input and writes a chunk file."""
    source = graph.input(
        "pipe:0",
        format="rawvideo",
        pix_fmt="bgra",
        video_size=(pictures.width_px, pictures.height_px),
        framerate=str(settings.frame_rate),
        r=str(settings.frame_rate),  # else ffmpeg guesses a rounder one
        threads=settings.encoder_threads,
    )
    video = _converted(source.video)
    stream = video.output(f"file:{output}", **_encoding(settings), **_container(settings))
    # Half a picture is an error, not a frame less.
    threads = ("-filter_complex_threads", str(settings.encoder_threads))
    return compiled(stream.global_args("-xerror", *threads), ffmpeg)


def compiled(stream: Any, ffmpeg: Path) -> list[str]:
    command: list[str] = stream.global_args(*QUIET).compile(cmd=str(ffmpeg), overwrite_output=True)
    return command


def _converted(video: Any) -> Any:
    scaled = video.filter("scale", out_color_matrix="bt709", out_range="tv", flags=_SCALE)
    planar = scaled.filter("format", PIXEL_FORMAT)
    # ffmpeg 7 and newer take the stream's tags from its frames, not from the options below.
    return planar.filter(
        "setparams", range="tv", color_primaries="bt709", color_trc="bt709", colorspace="bt709"
    )


def _encoding(settings: RenderSettings) -> dict[str, Any]:
    return {
        "c:v": "libx264",
        "pix_fmt": PIXEL_FORMAT,
        "preset": settings.preset,
        "crf": settings.crf,
        "g": settings.gop_frames,
        "threads": settings.encoder_threads,
        "fps_mode": "passthrough",
        **COLOR_TAGS,
    }


def _container(settings: RenderSettings) -> dict[str, Any]:
    return {
        "format": "mp4",
        "video_track_timescale": track_timescale(settings.frame_rate),
        "fflags": "+bitexact",
        "flags": "+bitexact+cgop",
        "map_metadata": -1,
    }
