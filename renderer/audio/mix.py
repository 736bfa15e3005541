"""The mix of a job's tracks as an ffmpeg graph: sample-exact in time, level and length. Pure.

Sample 0 of the mix is the time of the first frame; the mix is as long as the frames are shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import ffmpeg as graph

from .tracks import SOUND_FORMATS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from renderer.encode.probe import SoundFacts
    from renderer.frames import FrameRange, FrameRate

    from .tracks import Track

SAMPLE_RATE: Final = 48_000
CHANNELS: Final = 2
_MONO: Final = 1


def samples_in(frames: FrameRange, rate: FrameRate) -> int:
    """How many samples of sound belong to `frames`."""
    return round(SAMPLE_RATE * rate.seconds(len(frames)))


def delay_in_samples(track: Track, facts: SoundFacts, frames: FrameRange, rate: FrameRate) -> int:
    """How long after the first frame a track begins; negative: so much of it is over by then."""
    begins_s = track.offset_s + facts.lead_s
    return round(SAMPLE_RATE * (begins_s - rate.seconds(frames.start)))


def mix(tracks: Sequence[tuple[Track, SoundFacts]], frames: FrameRange, rate: FrameRate) -> Any:
    """The sum of the tracks, 48 kHz stereo, exactly as long as the frames.

    The sum is not limited: what is louder than full scale clips, as it would on any mixing desk.
    """
    length = samples_in(frames, rate)
    voices: list[Any] = []
    for track, facts in tracks:
        delay = delay_in_samples(track, facts, frames, rate)
        voices.append(_placed(_voice(track, facts), min(delay, length)))
    return _sum(voices).filter("apad", whole_len=length).filter("atrim", end_sample=length)


def _sum(voices: Sequence[Any]) -> Any:
    if len(voices) == 1:
        return voices[0]
    # amix divides by the number of inputs unless told not to.
    return graph.filter(voices, "amix", inputs=len(voices), normalize=0, duration="longest")


def _voice(track: Track, facts: SoundFacts) -> Any:
    """A track as 48 kHz stereo, its first sample at 0, at its volume."""
    source = graph.input(
        f"file:{track.source}", format_whitelist=SOUND_FORMATS, protocol_whitelist="file"
    )
    sound = source["a:0"]
    if facts.channels == _MONO:  # ffmpeg's own up-mix takes 3 dB off
        sound = sound.filter("channelmap", map="0|0", channel_layout="stereo")
    return (
        sound.filter("aresample", SAMPLE_RATE)
        .filter("aformat", sample_fmts="fltp", channel_layouts="stereo")
        .filter("asetpts", "N/SR/TB")
        .filter("volume", f"{track.volume:.17g}")
    )


def _placed(sound: Any, delay: int) -> Any:
    if delay > 0:
        return sound.filter("adelay", delays=f"{delay}S", all=1)
    if delay < 0:
        return sound.filter("atrim", start_sample=-delay).filter("asetpts", "N/SR/TB")
    return sound
