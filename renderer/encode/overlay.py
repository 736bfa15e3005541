"""Overlay: subtitles are drawn into a chunk's pictures, each at its own time of the film. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import ffmpeg as graph

from renderer.subtitles.burning import clock

from .choices import look_of
from .codec_facts import Look

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from renderer.frames import FrameRate
    from renderer.settings import RenderSettings
    from renderer.subtitles.burning import BurnedSubtitles


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlay:
    """What is drawn into a chunk that begins with `first_frame`, from the file `script`.

    The frames `before` are drawn as well, and thrown away: they decide where cues stand.
    """

    subtitles: BurnedSubtitles
    script: Path
    first_frame: int
    before: tuple[int, ...] = ()


def drawn(video: Any, overlays: Iterable[Overlay], settings: RenderSettings) -> Any:
    """The pictures with all that is drawn into them."""
    for overlay in overlays:
        if look_of(settings) is Look.ALPHA:
            video = _laid_over(video, overlay, settings.frame_rate)
        else:
            video = _in_time(video, overlay, settings.frame_rate)
    return video


def _laid_over(video: Any, overlay: Overlay, rate: FrameRate) -> Any:
    """Letters on pictures that may be open behind them.

    What libass' filter makes of alpha is wrong where a colour is half open itself. So it draws on
    black and on white: the more the two differ, the less is there. What is drawn on black is its
    colour times its alpha, and divided by that it is laid over the pictures, which stay as they
    were where no letter is.
    """
    pictures = video.filter_multi_output("split", 3)
    on_black, on_white = (
        _in_time(_plain(pictures[index], level), overlay, rate)
        for index, level in ((1, 0), (2, 255))
    )
    drawn_on_black = on_black.filter_multi_output("split")
    differing = graph.filter([on_white, drawn_on_black[0]], "blend", all_mode="difference")
    alpha = differing.filter("extractplanes", "g").filter("lut", y="255-val")
    colors = drawn_on_black[1].filter("format", "gbrap")
    letters = graph.filter([colors, alpha], "alphamerge").filter("unpremultiply", inplace=1)
    return _counted(pictures[0], rate).overlay(letters, format="rgb", alpha="straight")


def _plain(video: Any, level: int) -> Any:
    return video.filter("format", "gbrp").filter("lutrgb", r=level, g=level, b=level)


def _in_time(video: Any, overlay: Overlay, rate: FrameRate) -> Any:
    """Draw each picture at the time that it has for libass, then number them again."""
    base, time = clock(overlay.subtitles, rate, frame=_frame_number(overlay))
    count = len(overlay.before)
    if count:
        video = video.filter("tpad", start=count)
    video = video.filter("settb", base).filter("setpts", time)
    video = video.filter("ass", str(overlay.script))
    if count:
        video = video.filter("select", f"gte(n,{count})")
    return _counted(video, rate)


def _counted(video: Any, rate: FrameRate) -> Any:
    base = f"{rate.denominator}/{rate.numerator}"
    return video.filter("settb", base).filter("setpts", "N")


def _frame_number(overlay: Overlay) -> str:
    """The composition's frame that is picture N of the filter."""
    count = len(overlay.before)
    own = f"N-{count}+{overlay.first_frame}"
    return f"if(lt(N,{count}),{_chosen(overlay.before, 0)},{own})" if count else own


def _chosen(frames: tuple[int, ...], first: int) -> str:
    """The one for N of `frames`, by halves: ffmpeg takes no long sum."""
    if len(frames) == 1:
        return str(frames[0])
    half = len(frames) // 2
    left, right = _chosen(frames[:half], first), _chosen(frames[half:], first + half)
    return f"if(lt(N,{first + half}),{left},{right})"
