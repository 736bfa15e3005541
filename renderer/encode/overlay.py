"""Overlay: subtitles are drawn into a chunk's pictures, each at its own time of the film. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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
            video = _in_time(video, overlay, settings.frame_rate, alpha=0)
    return video


def _laid_over(video: Any, overlay: Overlay, rate: FrameRate) -> Any:
    """Letters on pictures that may be open behind them.

    libass' filter blends alpha as if colours were multiplied by it. So it draws on nothing, the
    colours are divided by what it makes of alpha, and that is laid over the pictures: where no
    letter is, they stay as they were.
    """
    pictures = video.filter_multi_output("split")
    nothing = pictures[1].filter("lutrgb", r=0, g=0, b=0, a=0)
    letters = _in_time(nothing, overlay, rate, alpha=1)
    letters = letters.filter("format", "gbrap").filter("unpremultiply", inplace=1)
    timed = _counted(pictures[0], rate)
    return timed.overlay(_counted(letters, rate), format="rgb", alpha="straight")


def _in_time(video: Any, overlay: Overlay, rate: FrameRate, *, alpha: int) -> Any:
    """Draw each picture at the time that it has for libass, then number them again."""
    base, time = clock(overlay.subtitles, rate, frame=_frame_number(overlay))
    count = len(overlay.before)
    if count:
        video = video.filter("tpad", start=count)
    video = video.filter("settb", base).filter("setpts", time)
    video = video.filter("ass", str(overlay.script), alpha=alpha)
    if count:
        video = video.filter("select", f"gte(n,{count})")
    return _counted(video, rate)


def _counted(video: Any, rate: FrameRate) -> Any:
    base = f"{rate.denominator}/{rate.numerator}"
    return video.filter("settb", base).filter("setpts", "N")


def _frame_number(overlay: Overlay) -> str:
    """The composition's frame that is picture N of the filter."""
    count = len(overlay.before)
    earlier = "".join(
        f"eq(N,{index})*{frame}+" for index, frame in enumerate(overlay.before) if frame
    )
    return f"{earlier}gte(N,{count})*(N-{count}+{overlay.first_frame})"
