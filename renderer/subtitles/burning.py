"""Burned subtitles: what libass is given, and when it thinks each frame is. Pure.

libass takes whole milliseconds, ASS files hundredths of a second, and frames stand on neither. So
cues of SRT and WebVTT are timed by frames: frame n is at n hundredths of a second, and a cue is in
just the frames that it should be. ASS files keep their times, for what moves in them goes by time;
what libass is told is then the last whole millisecond at or before the frame, and as their times
are whole ones, a cue is in the same frames.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from renderer.errors import Violation
from renderer.frames import FrameRange

from . import ass
from .cues import SubtitleFormat
from .timing import frames_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from renderer.frames import FrameRate

    from .cues import Script

# Every chunk task carries them.
MAX_BURNED_BYTES: Final = 1 << 20
FRAME_MS: Final = 10  # of a frame, where scripts count them
# ffmpeg's filter has room for so many before a chunk.
_MOST_BEFORE: Final = 3000
_LETTERS_PX: Final = 1080  # the shorter side, to which sizes of letters are said
_HEADER: Final = """\
[Script Info]
ScriptType: v4.00+
PlayResX: {width}
PlayResY: {height}
WrapStyle: 0
ScaledBorderAndShadow: yes

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, \
Bold, Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, \
Alignment, MarginL, MarginR, MarginV, Encoding
Style: Default,sans-serif,72,&H00FFFFFF,&H00FFFFFF,&H00000000,&H80000000,\
0,0,0,0,100,100,0,0,1,3,1,2,80,80,60,-1

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class BurnedSubtitles:
    """Subtitles as they are drawn.

    `script` is an ASS file's text, whose time 0 is at `offset_s` of the composition's timeline. Or,
    where it `counts_frames`, only Dialogue lines: the rest depends on the size of the pictures.
    """

    script: str
    counts_frames: bool = False
    offset_s: Fraction = Fraction(0)


def burned(script: Script, offset_s: Fraction, rate: FrameRate) -> BurnedSubtitles:
    """What is drawn of a file."""
    if script.format is SubtitleFormat.ASS:
        return BurnedSubtitles(script=script.text, offset_s=offset_s)
    return BurnedSubtitles(script="".join(_lines(script, offset_s, rate)), counts_frames=True)


def burning_violations(subtitles: Collection[BurnedSubtitles]) -> Iterator[Violation]:
    """What cannot be drawn."""
    size = sum(len(each.script.encode()) for each in subtitles)
    if size > MAX_BURNED_BYTES:
        yield Violation(
            "subtitles",
            f"{size} bytes are over the limit of {MAX_BURNED_BYTES >> 20} MiB to burn in; "
            "burn fewer of them in, or leave fonts out of the file",
        )


def whole_script(subtitles: BurnedSubtitles, size_px: tuple[int, int]) -> str:
    """The ASS file for pictures of a size."""
    if not subtitles.counts_frames:
        return subtitles.script
    width, height = (round(side * _LETTERS_PX / min(size_px)) for side in size_px)
    return _HEADER.format(width=width, height=height) + subtitles.script


def frames_before(subtitles: BurnedSubtitles, frame: int, rate: FrameRate) -> tuple[int, ...]:
    """The earlier frames that decide where the cues of `frame` stand.

    Cues that are there at the same time make room for each other, and stay where they were when
    one ends. So all of a heap have to appear in their order, however late a chunk begins.
    """
    reach = frame
    first_frames = set[int]()
    for cue in sorted(_frames(subtitles, rate), key=lambda cue: cue.stop, reverse=True):
        if cue.stop <= reach:
            break
        if cue.start < frame:
            first_frames.add(cue.start)
            reach = min(reach, cue.start)
    return tuple(sorted(first_frames)[-_MOST_BEFORE:])


def clock(subtitles: BurnedSubtitles, rate: FrameRate, *, frame: str) -> tuple[Fraction, str]:
    """A time base, and ffmpeg's expression of when a frame is.

    Half a millisecond is added: what ffmpeg makes of it is cut to whole ones.
    """
    if subtitles.counts_frames:
        return Fraction(1, 1000), f"({frame})*{FRAME_MS}+{FRAME_MS // 2}"
    # (frame / rate - offset) in milliseconds, of whole numbers up to the one division
    offset = subtitles.offset_s
    frame_ms = 1000 * rate.denominator * offset.denominator
    offset_ms = 1000 * offset.numerator * rate.numerator
    divisor = rate.numerator * offset.denominator
    whole = f"floor((({frame})*{frame_ms}-({offset_ms}))/{divisor})"
    # No cue is there before the script begins; cut times would come to be 0.
    return Fraction(1, 10_000), f"st(0,{whole});if(lt(ld(0),0),-20000,ld(0)*10+5)"


def _lines(script: Script, offset_s: Fraction, rate: FrameRate) -> Iterator[str]:
    for cue in script.cues:
        if frames := frames_of(cue, offset_s, rate):
            times = (ass.written(number * FRAME_MS) for number in (frames.start, frames.stop))
            yield f"Dialogue: 0,{','.join(times)},Default,,0,0,0,,{ass.event_text(cue)}\n"


def _frames(subtitles: BurnedSubtitles, rate: FrameRate) -> Iterator[FrameRange]:
    """The frames of each cue."""
    if not subtitles.counts_frames:
        for cue in ass.parse(subtitles.script):
            yield frames_of(cue, subtitles.offset_s, rate)
        return
    for event in ass.events("[Events]\n" + subtitles.script):
        yield FrameRange(event.start_ms // FRAME_MS, event.end_ms // FRAME_MS)
