"""Playlists of a preview: HTTP live streaming (RFC 8216). Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from renderer.encode.choices import look_of
from renderer.encode.codec_facts import Codec, Look

if TYPE_CHECKING:
    from collections.abc import Sequence

    from renderer.settings import RenderSettings

HEAD: Final = "head.mp4"
VIDEO: Final = "video.m3u8"
SOUND_HEAD: Final = "sound-head.mp4"
SOUND: Final = "sound.m3u8"
_SOUND_CODEC: Final = "mp4a.40.2"
_SOUND_BITS: Final = 200_000  # a second, at most
# What a fragmented mp4 holds and browsers decode, with the bit depths for which that is so.
_PLAYED: Final = {
    Codec.H264: {8}, Codec.H265: {8, 10}, Codec.VP9: {8, 10}, Codec.AV1: {8, 10},
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A chunk of the film, as it is served."""

    name: str
    duration_s: Fraction
    size_bytes: int


def preview_problem(kept: RenderSettings) -> str:
    """Why chunks that are encoded like this cannot be watched; "" if they can."""
    codec = kept.codec
    if codec not in _PLAYED:
        able = ", ".join(_PLAYED)
        return f"chunks of {codec} are none that browsers play; {able} are"
    if look_of(kept) is Look.ALPHA:
        return "browsers do not play a film with alpha in pieces"
    if kept.lossless:
        return "chunks are kept without loss, and browsers do not play that"
    if kept.bitrate_kbps is not None:
        return "a video with a bitrate is encoded when all its frames are there"
    if kept.bit_depth not in {None, *_PLAYED[codec]}:
        return f"browsers do not play {codec} of {kept.bit_depth} bits"
    return ""


def stream_playlist(
    segments: Sequence[Segment], *, head: str, longest_s: Fraction, is_over: bool
) -> str:
    """The list of what is finished of a stream; it only grows, and ends when the job has.

    `longest_s` is what the longest segment of all will last. It must not change.
    """
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        f"#EXT-X-TARGETDURATION:{max(1, math.ceil(longest_s))}",
        "#EXT-X-PLAYLIST-TYPE:EVENT",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        f'#EXT-X-MAP:URI="{head}"',
    ]
    for segment in segments:
        lines += [f"#EXTINF:{decimal(segment.duration_s)},", segment.name]
    return "\n".join([*lines, *(["#EXT-X-ENDLIST"] if is_over else []), ""])


def film_playlist(
    segments: Sequence[Segment], *, codec: str, size_px: tuple[int, int], has_sound: bool
) -> str:
    """The list that players begin with: what they need to play the others."""
    bits = math.ceil(max(8 * each.size_bytes / each.duration_s for each in segments))
    width_px, height_px = size_px
    lines, more = ["#EXTM3U", "#EXT-X-VERSION:7"], ""
    if has_sound:
        how = 'GROUP-ID="sound",NAME="Sound",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2"'
        lines.append(f'#EXT-X-MEDIA:TYPE=AUDIO,{how},URI="{SOUND}"')
        bits, codec, more = bits + _SOUND_BITS, f"{codec},{_SOUND_CODEC}", ',AUDIO="sound"'
    facts = f'BANDWIDTH={bits},CODECS="{codec}",RESOLUTION={width_px}x{height_px}{more}'
    return "\n".join([*lines, f"#EXT-X-STREAM-INF:{facts}", VIDEO, ""])


def decimal(seconds: Fraction) -> str:
    """To the microsecond; what can be told exactly is."""
    return f"{round(seconds * 1_000_000) / 1_000_000:.6f}"
