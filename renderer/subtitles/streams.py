"""Streams: subtitles as a container holds them, on the time of the video. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from renderer.encode.codec_facts import Container

from . import ass, srt, webvtt
from .cues import Cue, SubtitleFormat
from .languages import language_code
from .timing import frames_of, told_ms
from .tracks import STREAMS, SubtitleOptions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from renderer.frames import FrameRange, FrameRate

    from .cues import Script

_MOVIES: Final = frozenset({Container.MP4, Container.MOV})
_ASS_TICK_MS: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class SubtitleStream:
    """Subtitles that stand beside the pictures, and what is said of them."""

    script: Script
    options: SubtitleOptions


def stream_text(
    stream: SubtitleStream, container: Container, frames: FrameRange, rate: FrameRate
) -> tuple[SubtitleFormat, str]:
    """The file from which ffmpeg writes a stream, with the times of a video of these frames."""
    if STREAMS[container][stream.script.format] == "ass":
        return SubtitleFormat.ASS, _moved_script(
            stream, _Window(frames, rate, tick_ms=_ASS_TICK_MS)
        )
    cues = list(_moved(stream, _Window(frames, rate)))
    if container is Container.WEBM:
        return SubtitleFormat.WEBVTT, webvtt.write(cues)
    return SubtitleFormat.SRT, srt.write(cues)


def stream_words(streams: tuple[SubtitleStream, ...], container: Container) -> list[str]:
    """What ffmpeg is told of streams that stand in this order."""
    words = list[str]()
    for index, stream in enumerate(streams):
        is_converted = container in _MOVIES
        words += [f"-c:s:{index}", "mov_text" if is_converted else "copy"]
        title = stream.options.title
        # mp4 has no titles of streams: players show the name of their handler.
        said = [f"language={language_code(stream.options.language)}"]
        said += [f"handler_name={title}" if is_converted else f"title={title}"] if title else []
        words += [word for each in said for word in (f"-metadata:s:s:{index}", each)]
    return words


class _Window:
    """The part of the film that a video shows."""

    def __init__(self, frames: FrameRange, rate: FrameRate, *, tick_ms: int = 1) -> None:
        self._frames = frames
        self._rate = rate
        self._tick_ms = tick_ms

    def times(self, cue: Cue, options: SubtitleOptions) -> tuple[int, int] | None:
        """A cue's times in the video, in milliseconds; none if it is in none of its frames."""
        shown = frames_of(cue, options.offset, self._rate)
        if not shown or shown.stop <= self._frames.start or shown.start >= self._frames.stop:
            return None
        return self._told(cue.start_ms, options), self._told(cue.end_ms, options)

    def _told(self, time_ms: int, options: SubtitleOptions) -> int:
        begins_s = self._rate.seconds(self._frames.start)
        lasts_s = self._rate.seconds(len(self._frames))
        time_s = options.offset - begins_s + time_ms / Fraction(1000)
        within_s = min(max(time_s, Fraction(0)), lasts_s)
        return told_ms(within_s, self._rate, tick_ms=self._tick_ms)


def _moved(stream: SubtitleStream, window: _Window) -> Iterator[Cue]:
    for cue in stream.script.cues:
        if times := window.times(cue, stream.options):
            yield replace(cue, start_ms=times[0], end_ms=times[1])


def _moved_script(stream: SubtitleStream, window: _Window) -> str:
    def times(event: ass.Event) -> tuple[int, int] | None:
        cue = Cue(start_ms=event.start_ms, end_ms=event.end_ms, spans=())
        return window.times(cue, stream.options)

    return ass.with_times(stream.script.text, times)
