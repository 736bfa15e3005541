"""What ffmpeg is told of a finished file besides its pictures: sound, time scales, header."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from renderer.audio.clips import CHANNELS, SAMPLE_RATE
from renderer.audio.pcm import read
from renderer.encode.arguments import BITEXACT, color_tags, track_timescale
from renderer.encode.choices import container_of
from renderer.encode.codec_facts import Container
from renderer.encode.containers import CONTAINERS, sound_format
from renderer.encode.recipe import video_recipe

if TYPE_CHECKING:
    from renderer.encode.containers import SoundFormat
    from renderer.frames import FrameRate

    from .assembly import Assembly

_LARGEST_TIMESCALE: Final = (1 << 31) - 1
_EDIT_LISTS: Final = frozenset({Container.MP4, Container.MOV})


def sounds(assembly: Assembly) -> list[Any]:
    """The streams that are heard."""
    if assembly.sound is None:
        return []
    sound, late = read(assembly.sound), _format(assembly).late_samples
    return [sound.filter("asetpts", f"PTS+{late}") if late else sound]


def _format(assembly: Assembly) -> SoundFormat:
    container = container_of(assembly.settings)
    found = sound_format(assembly.settings.codec, container)
    assert found is not None, f"{container} holds no sound"
    return found


def file_options(assembly: Assembly) -> dict[str, Any]:
    """What is said of the file, whoever encodes its pictures."""
    settings = assembly.settings
    container = container_of(settings)
    facts, recipe = CONTAINERS[container], video_recipe(settings)
    options = {"format": facts.muxer, **facts.options, **BITEXACT}
    # Not of chapters: their titles are some.
    options |= {"map_metadata:g": -1, "map_metadata:s": -1}
    options |= color_tags(recipe)
    if recipe.has_alpha_beside:
        options["metadata:s:v:0"] = "alpha_mode=1"
    if assembly.sound is not None:
        options |= {**_format(assembly).options, "ar": SAMPLE_RATE, "ac": CHANNELS}
    if container in _EDIT_LISTS:
        has_sound = assembly.sound is not None
        options["video_track_timescale"] = track_timescale(settings.frame_rate)
        options["movie_timescale"] = movie_timescale(settings.frame_rate, has_sound=has_sound)
    else:
        options["r"] = str(settings.frame_rate)  # else it is guessed from rounded times
    return options


def movie_timescale(rate: FrameRate, *, has_sound: bool) -> int:
    """Ticks a second of the file's edit lists, which say exactly how long each track is shown."""
    ticks = track_timescale(rate)
    both = math.lcm(ticks, SAMPLE_RATE)
    return both if has_sound and both <= _LARGEST_TIMESCALE else ticks
