"""The soundtrack of a job: its sounds decoded while chunks are rendered, and mixed once."""

from __future__ import annotations

import asyncio
import tempfile
from collections import defaultdict
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from renderer.audio.clips import Clip, Window, clip_of
from renderer.audio.mix import Mixer
from renderer.audio.sound import check_sound
from renderer.audio.tracks import Track, placement_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from renderer.bundle import BundleStore

    from .job import AudioTrack, JobSpec


@asynccontextmanager
async def open_soundtrack(
    spec: JobSpec, bundles: BundleStore, output: Path, *, ffmpeg: Path, ffprobe: Path
) -> AsyncGenerator[Soundtrack]:
    """Mix for one job; what was decoded for it, beside `output`, is gone with the block."""
    with tempfile.TemporaryDirectory(prefix=".sound-", dir=output.absolute().parent) as folder:
        window = Window.of(spec.frames, spec.settings.frame_rate)
        mixer = Mixer(ffmpeg, Path(folder), window)
        tracks = await asyncio.to_thread(_tracks, spec, bundles)
        clips = [clip_of(track, window) for track in tracks]
        yield Soundtrack(mixer, clips, ffprobe=ffprobe, loudness_lufs=spec.loudness_lufs)


class Soundtrack:
    """What is heard in a job's video."""

    def __init__(
        self, mixer: Mixer, given: list[Clip], *, ffprobe: Path, loudness_lufs: float | None
    ) -> None:
        self._mixer = mixer
        self._given = given
        self._ffprobe = ffprobe
        self._loudness_lufs = loudness_lufs
        self.warnings: list[str] = []

    async def prepare(self) -> None:
        """Decode the sounds that the job was given.

        Raises:
            InvalidRequestError: a sound is missing or cannot be used; it is named.
            EncoderError: it cannot be decoded.

        """
        for source, clips in _by_source(self._given).items():
            facts = await check_sound(self._ffprobe, source)
            await self._mixer.decode(source, facts, clips)

    async def mix(self) -> Path | None:
        """The file of the whole mix, as long as the video; None if there is nothing to hear."""
        clips = self._given
        if not clips:
            return None
        mixed = await self._mixer.mix(clips, loudness_lufs=self._loudness_lufs)
        if mixed.is_silent:
            self.warnings.append(
                f"loudness: the sound is silent and cannot be brought to {self._loudness_lufs:g} "
                "LUFS"
            )
        return mixed.pcm.path


def _by_source(clips: list[Clip]) -> dict[Path, list[Clip]]:
    found: dict[Path, list[Clip]] = defaultdict(list)
    for clip in clips:
        found[clip.source].append(clip)
    return found


def _tracks(spec: JobSpec, bundles: BundleStore) -> list[Track]:
    return [_track(sound, bundles) for sound in spec.audio]


def _track(sound: AudioTrack, bundles: BundleStore) -> Track:
    source = bundles.files(sound.source.digest)[sound.source.entry]
    return Track(source=source, **placement_of(sound))
