"""The sound of a preview: AAC in segments, of which each goes on where the one before ended.

A packet of AAC is 1,024 samples, and overlaps with its neighbours. So a segment ends with the last
packet that what is known of the sound decides, and the next one's encoder begins some packets
earlier than what is taken of it.
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from renderer.audio.clips import CHANNELS, SAMPLE_RATE
from renderer.audio.pcm import ROW_BYTES, read
from renderer.encode.arguments import BITEXACT, compiled
from renderer.encode.ffmpeg import run_ffmpeg
from renderer.errors import EncoderError

from .boxes import boxed, sound_fragment
from .playlist import SOUND_HEAD, Segment
from .segments import head_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from coordinator.growing import GrowingFilm
    from coordinator.planner import Plan

log = logging.getLogger(__name__)

PACKET: Final = 1024
# A packet overlaps with the next one, and its encoder looks further ahead for what begins suddenly:
# the end of the samples, too. With one packet less, seams click.
_UNDECIDED: Final = 2
_PRIMING: Final = 1  # packets that ffmpeg's encoder begins with
_WARM_UP: Final = 8  # packets: 0.17 s, in which limiter and encoder forget how they began
_AAC: Final = {"c:a": "aac", "b:a": "192k", "ar": SAMPLE_RATE, "ac": CHANNELS}
_IN_PIECES: Final = "+empty_moov+default_base_moof+skip_trailer"


def packets_known(samples: int, *, is_all: bool) -> int:
    """How many packets are decided by so many samples from the beginning on."""
    return -(-samples // PACKET) if is_all else max(0, samples // PACKET - _UNDECIDED)


@dataclass(frozen=True, slots=True)
class _Take:
    """Packets [first, stop) of the film, made of samples from `warm` packets before them on."""

    first: int
    stop: int
    warm: int


class PreviewSound:
    """The segments of a film's sound, in a folder."""

    def __init__(self, plan: Plan, film: GrowingFilm, folder: Path, ffmpeg: Path) -> None:
        self._plan = plan
        self._film = film
        self.folder = folder
        self._ffmpeg = ffmpeg
        self._packets = 0
        self.segments: list[Segment] = []

    async def add(self, index: int) -> None:
        """Make a segment of what is heard up to the end of a chunk, in order.

        Raises:
            EncoderError: not even silence can be encoded.

        """
        task, tasks = self._plan.tasks[index], self._plan.tasks
        seconds = task.settings.frame_rate.seconds(task.frames.stop - tasks[0].frames.start)
        known = round(SAMPLE_RATE * seconds)
        stop = packets_known(known, is_all=index == len(tasks) - 1)
        if stop <= self._packets:
            return  # the chunk is shorter than a packet
        take = _Take(self._packets, stop, min(_WARM_UP, self._packets))
        samples = range((take.first - take.warm) * PACKET, known)
        with tempfile.TemporaryDirectory(prefix=".sound-", dir=self.folder) as folder:
            mix = await self._mix(index, samples, Path(folder))
            segment = await self._encode(mix, take, index)
        self._packets = stop
        self.segments.append(segment)

    async def _mix(self, index: int, samples: range, folder: Path) -> Path:
        try:
            return await self._film.mix(index, samples, folder)
        except EncoderError as error:  # the film's own mix may be well, or will say why not
            facts = {"job_id": self._plan.job_id, "chunk": index, "error": str(error)}
            log.warning("a chunk is not heard in the preview", extra=facts)
        silence = folder / "silence"
        await asyncio.to_thread(_write_silence, silence, len(samples))
        return silence

    async def _encode(self, mix: Path, take: _Take, index: int) -> Segment:
        made, head = mix.with_suffix(".aac"), self.folder / SOUND_HEAD
        await self._run(mix, made, {"format": "adts"})
        if not head.exists():
            whole = mix.with_suffix(".mp4")
            await self._run(mix, whole, {"format": "mp4", "movflags": _IN_PIECES})
            await asyncio.to_thread(lambda: head.write_bytes(head_of(whole)))
        packets = list(adts_packets(await asyncio.to_thread(made.read_bytes)))
        skipped, count = _PRIMING + take.warm, take.stop - take.first
        taken = packets[skipped : skipped + count]
        if len(taken) != count:
            raise EncoderError(f"the sound has {len(taken)} packets of AAC, not {count}")
        moof = sound_fragment(
            [len(packet) for packet in taken],
            number=len(self.segments) + 1,
            begins=take.first * PACKET,
            duration=PACKET,
        )
        data = moof + boxed(b"mdat", *taken)
        name = f"sound-{index:06}.m4s"
        await asyncio.to_thread((self.folder / name).write_bytes, data)
        duration_s = Fraction(count * PACKET, SAMPLE_RATE)
        return Segment(name=name, duration_s=duration_s, size_bytes=len(data))

    async def _run(self, mix: Path, made: Path, options: dict[str, Any]) -> None:
        stream = read(mix).output(f"file:{made}", **_AAC, **BITEXACT, map_metadata=-1, **options)
        await run_ffmpeg(compiled(stream, self._ffmpeg), made)


def adts_packets(data: bytes) -> Iterator[bytes]:
    """The packets of AAC in a file of ADTS frames, without their headers.

    Raises:
        EncoderError: it is damaged.

    """
    at = 0
    while at < len(data):
        frame = data[at : at + 7]
        if len(frame) < 7 or frame[0] != 0xFF or frame[1] & 0xF0 != 0xF0:
            raise EncoderError(f"no frame of AAC begins at byte {at}")
        length = (frame[3] & 3) << 11 | frame[4] << 3 | frame[5] >> 5
        head = 7 if frame[1] & 1 else 9
        if not head <= length <= len(data) - at:
            raise EncoderError(f"the frame of AAC at byte {at} has {length} bytes")
        yield data[at + head : at + length]
        at += length


def _write_silence(path: Path, samples: int) -> None:
    with path.open("wb") as file:
        file.truncate(samples * ROW_BYTES)
