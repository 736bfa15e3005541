"""Whether a file of pictures is what was asked for. Pure."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Final

from renderer.errors import EncoderError

from .arguments import ticks_per_frame, track_timescale
from .containers import CONTAINERS
from .recipe import chunk_recipe, video_recipe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from renderer.frames import FrameRate
    from renderer.settings import RenderSettings

    from .containers import ContainerFacts
    from .probe import VideoFacts
    from .recipe import Recipe

# Where frames' times are rounded to ticks, so is the rate that is told.
_RATE_TOLERANCE: Final = Fraction(1, 1000)


def check_chunk(
    facts: VideoFacts, *, frames: int, settings: RenderSettings, size_px: tuple[int, int]
) -> None:
    """Raise an `EncoderError` that names each difference between a chunk and what was asked for."""
    _check(facts, chunk_recipe(settings), frames, settings.frame_rate, size_px)


def check_pictures(
    facts: VideoFacts, *, frames: int, settings: RenderSettings, size_px: tuple[int, int]
) -> None:
    """Raise an `EncoderError` that names each difference between a video and what was asked for."""
    _check(facts, video_recipe(settings), frames, settings.frame_rate, size_px)


def _check(
    facts: VideoFacts, recipe: Recipe, frames: int, rate: FrameRate, size_px: tuple[int, int]
) -> None:
    differences = [*_differences(facts, _expected(recipe, frames, size_px))]
    container = CONTAINERS[recipe.container]
    if container.ticks_per_second is None:
        differences += _differences(facts, _exact_times(frames, rate))
    else:
        differences += _rounded_times(facts, rate, container)
    if differences:
        raise EncoderError(f"the encoded video is not what was asked for: {'; '.join(differences)}")


def _expected(recipe: Recipe, frames: int, size_px: tuple[int, int]) -> dict[str, object]:
    width_px, height_px = size_px
    told = {"colors": recipe.colors.value} if recipe.tells_colors else {}
    return {
        "codec": recipe.stream,
        "width_px": width_px,
        "height_px": height_px,
        "pixel_format": recipe.told_format,
        "has_alpha_beside": recipe.has_alpha_beside,
        "frames": frames,
        **told,
    }


def _exact_times(frames: int, rate: FrameRate) -> dict[str, object]:
    return {
        "frame_rate": rate.fraction,
        "time_base": Fraction(1, track_timescale(rate)),
        "first_pts": 0,
        "step": ticks_per_frame(rate),
        "duration_s": rate.seconds(frames),
    }


def _rounded_times(facts: VideoFacts, rate: FrameRate, container: ContainerFacts) -> Iterator[str]:
    """Each frame stands within a tick of where it belongs, so that nothing adds up."""
    if container.has_sound and abs(facts.frame_rate / rate.fraction - 1) > _RATE_TOLERANCE:
        yield f"frame_rate is {facts.frame_rate}, not {rate}"
    for frame, ticks in enumerate(facts.times):
        tolerance_s = facts.time_base * (frame + 1 if container.holds_lengths else 1)
        if abs(ticks * facts.time_base - rate.seconds(frame)) >= tolerance_s:
            found = float(ticks * facts.time_base)
            yield f"frame {frame} is at {found:.4f} s, not {float(rate.seconds(frame)):.4f} s"
            return


def _differences(facts: VideoFacts, wanted: dict[str, object]) -> Iterator[str]:
    for name, value in wanted.items():
        if (found := getattr(facts, name)) != value:
            yield f"{name} is {found}, not {value}"
