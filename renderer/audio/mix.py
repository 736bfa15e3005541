"""The mix of a job: clips → one sound, sample-exact in time, level and length."""

from __future__ import annotations

import asyncio
import math
import re
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from threading import Event
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

import ffmpeg as graph

from renderer.encode.arguments import compiled
from renderer.encode.ffmpeg import run_ffmpeg
from renderer.encode.process import run
from renderer.errors import EncoderError

from .clips import SAMPLE_RATE, Clip, Voice, Window, heard, lanes, part_of, slices
from .lanes import Laid, LaneFiles, Stretch, write_lane, write_stretches
from .pcm import ROW_BYTES, Pcm, decode, measured, read, stretch, written

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from renderer.encode.probe import SoundFacts

# A stretcher's last samples need some that follow.
_RUN_OUT_S: Final = Fraction(1, 4)
# So many sounds at once are a fault of the page; ffmpeg opens two files for each.
MAX_LANES: Final = 256
_SHORTEST_ROUND: Final = SAMPLE_RATE // 1000
# Transparent up to full scale, to the bit. Peaks beyond are held down, 5 ms ahead.
_LIMITER: Final = {"limit": 1, "level": 0, "attack": 5, "release": 50, "latency": 1}
_LOUDNESS: Final = "lavfi.r128.I"
_SILENT_LUFS: Final = -69.0  # what ebur128 says of silence is -70


T = TypeVar("T", covariant=True)


class Write(Protocol[T]):
    """Writes files, and ends soon when it is to halt."""

    def __call__(self, *, halt: Event) -> T: ...


@dataclass(frozen=True, slots=True)
class Mixed:
    """A finished mix: plain samples. `is_silent`: its loudness could not be made what was asked."""

    pcm: Pcm
    is_silent: bool = False


class Mixer:
    """Decodes sources and mixes clips of them, in a folder of its own."""

    def __init__(self, ffmpeg: Path, folder: Path, window: Window) -> None:
        self.window = window
        self._ffmpeg = ffmpeg
        self._folder = folder
        self._decoded: dict[Path, Pcm] = {}
        self._needed_s: dict[Path, Fraction] = {}
        self._made = 0

    async def decode(self, source: Path, facts: SoundFacts, clips: Iterable[Clip]) -> Pcm:
        """Decode as much of a source as clips of it need; before they are mixed.

        Raises:
            EncoderError: it cannot be decoded.

        """
        most_s = max(clip.needed_s(self.window) for clip in clips) + _RUN_OUT_S
        if most_s > self._needed_s.get(source, 0):
            pcm = await decode(self._ffmpeg, source, facts, self._new("source"), most_s=most_s)
            self._decoded[source], self._needed_s[source] = pcm, most_s
        return self._decoded[source]

    async def mix(self, clips: Sequence[Clip], *, loudness_lufs: float | None = None) -> Mixed:
        """Add clips up at fixed gain, bring the sum to a loudness, and limit what is too loud.

        Raises:
            EncoderError: ffmpeg failed, or too many sounds are heard at once.

        """
        files = await self._lanes(self._voices(clips))
        gain_db = 0.0
        if loudness_lufs is not None and files:
            measured_lufs = await self._loudness(files)
            if measured_lufs is None:
                return Mixed(await self._finish(files, 0.0), is_silent=True)
            gain_db = loudness_lufs - measured_lufs
        return Mixed(await self._finish(files, gain_db))

    async def mix_part(self, clips: Sequence[Clip], samples: range, folder: Path) -> Pcm:
        """Mix some samples of the whole, into another folder; its loudness is as it is.

        Raises:
            EncoderError: ffmpeg failed, or too many sounds are heard at once.

        """
        start_s = self.window.start_s + Fraction(samples.start, SAMPLE_RATE)
        part = Mixer(self._ffmpeg, folder, Window(start_s=start_s, samples=len(samples)))
        part._decoded = self._decoded
        cut = [part_of(voice, samples) for voice in self._voices(clips)]
        return await part._finish(await part._lanes([voice for voice in cut if voice]), 0.0)

    def _voices(self, clips: Sequence[Clip]) -> list[Voice]:
        return [voice for clip in clips if (voice := self._heard(clip))]

    async def _lanes(self, voices: Sequence[Voice]) -> list[LaneFiles]:
        sorted_voices = lanes(voices)
        if (count := len(sorted_voices)) > MAX_LANES:
            raise EncoderError(
                f"{count} sounds are heard at once, and at most {MAX_LANES} can be mixed"
            )
        return [await self._write(lane) for lane in sorted_voices]

    def _heard(self, clip: Clip) -> Voice | None:
        return heard(clip, self._decoded[clip.source].samples, self.window)

    async def _laid(self, voice: Voice) -> Laid:
        clip, pcm = voice.clip, self._decoded[voice.clip.source]
        count = voice.stop - voice.start
        if clip.rate == 1:
            return Laid(voice.start, voice.stop, _stretches(voice, pcm, count), voice.gains)
        cut = self._new("cut")
        wanted = math.ceil(count * clip.rate + SAMPLE_RATE * _RUN_OUT_S)
        await _in_thread(partial(_write_cut, cut, _stretches(voice, pcm, wanted), wanted))
        played = await stretch(
            self._ffmpeg,
            measured(cut),
            self._new("played"),
            rate=clip.rate,
            keeps_pitch=clip.keeps_pitch,
        )
        cut.unlink()
        held = Stretch(played.path, 0, min(count, played.samples))
        rest = Stretch(None, 0, count - held.count)
        return Laid(voice.start, voice.stop, (held, rest), voice.gains)

    async def _write(self, lane: Sequence[Voice]) -> LaneFiles:
        laid = [await self._laid(voice) for voice in lane]
        path = self._new("lane")
        return await _in_thread(partial(write_lane, path, laid, self.window.samples))

    async def _loudness(self, files: Sequence[LaneFiles]) -> float | None:
        """How loud the sum is, by EBU R 128; None if it is silent."""
        sound = _sum(files).filter("ebur128", metadata=1)
        sound = sound.filter("ametadata", mode="print", key=_LOUDNESS, file="pipe:1")
        printed = await run(compiled(sound.output("-", format="null"), self._ffmpeg))
        told = re.findall(rf"{_LOUDNESS}=(\S+)", printed.decode())
        found = float(told[-1]) if told else -math.inf
        return found if found > _SILENT_LUFS else None

    async def _finish(self, files: Sequence[LaneFiles], gain_db: float) -> Pcm:
        output = self._new("mix")
        if not files:
            await _in_thread(partial(_write_cut, output, (), self.window.samples))
            return measured(output)
        sound = _sum(files)
        if gain_db:
            sound = sound.filter("volume", f"{10 ** (gain_db / 20):.17g}", precision="double")
        sound = sound.filter("alimiter", **_LIMITER)
        await run_ffmpeg(compiled(written(sound, output), self._ffmpeg), output)
        pcm = measured(output)
        if pcm.samples != self.window.samples:
            raise EncoderError(f"the mix has {pcm.samples} samples and not {self.window.samples}")
        return pcm

    def _new(self, kind: str) -> Path:
        self._made += 1
        return self._folder / f"{kind}-{self._made:05}"


def _stretches(voice: Voice, pcm: Pcm, count: int) -> tuple[Stretch, ...]:
    """What of the source's samples is played, one stretch after the other."""
    clip = voice.clip
    turn = None
    if clip.loops:
        turn = Fraction(pcm.samples) if clip.loop_s is None else SAMPLE_RATE * clip.loop_s
        turn = max(turn, Fraction(_SHORTEST_ROUND))
    parts = slices(round(SAMPLE_RATE * voice.first_s), count, pcm.samples, round_samples=turn)
    return tuple(
        Stretch(None if first is None else pcm.path, first or 0, length) for first, length in parts
    )


async def _in_thread(write: Write[T]) -> T:
    """Write files in a thread. Nothing is written any more when this ends, cancelled or not."""
    halt = Event()
    # A task of its own, that a cancel does not reach: a thread cannot be cancelled, but asked.
    writing = asyncio.create_task(asyncio.to_thread(write, halt=halt), name="write-samples")
    try:
        return await asyncio.shield(writing)
    finally:
        halt.set()
        await asyncio.wait([writing])


def _write_cut(path: Path, stretches: Sequence[Stretch], samples: int, *, halt: Event) -> None:
    with path.open("wb") as file:
        write_stretches(file, stretches, halt=halt)
        file.truncate(samples * ROW_BYTES)


def _sum(files: Sequence[LaneFiles]) -> Any:
    voices = [_lane(each) for each in files]
    if len(voices) == 1:
        return voices[0]
    # amix divides by the number of inputs unless told not to.
    return graph.filter(voices, "amix", inputs=len(voices), normalize=0, duration="longest")


def _lane(files: LaneFiles) -> Any:
    sound = read(files.samples)
    if files.gains is None:
        return sound
    gains = read(files.gains, channels=1)
    both = gains.filter("channelmap", map="0|0", channel_layout="stereo")
    return graph.filter([sound, both], "amultiply")
