"""The soundtrack of a job: its sounds decoded while chunks are rendered, and mixed once."""

from __future__ import annotations

import asyncio
import tempfile
from collections import defaultdict
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from executors.errors import CompositionFailedError
from renderer.audio.clips import Clip, Window, clip_of
from renderer.audio.heard import Heard, clip_of_passage, merged
from renderer.audio.mix import Mixer
from renderer.audio.passages import MAX_SOUND_BYTES, seconds
from renderer.audio.sound import check_sound
from renderer.audio.tracks import Track, placement_of
from renderer.errors import EncoderError, Fault, InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterable

    from executors.base import ChunkResult
    from renderer.audio.passages import SoundSource
    from renderer.bundle import BundleStore
    from renderer.encode.probe import SoundFacts
    from renderer.errors import RenderError

    from .job import AudioTrack, JobSpec
    from .planner import Plan


@asynccontextmanager
async def open_soundtrack(
    spec: JobSpec, bundles: BundleStore, workplace: Path, *, ffmpeg: Path, ffprobe: Path
) -> AsyncGenerator[Soundtrack]:
    """Mix for one job; what was decoded for it, in `workplace`, is gone with the block."""
    with tempfile.TemporaryDirectory(prefix="sound-", dir=workplace) as folder:
        window = Window.of(spec.frames, spec.settings.frame_rate)
        mixer = Mixer(ffmpeg, Path(folder), window)
        tracks = await asyncio.to_thread(_tracks, spec, bundles)
        clips = [clip_of(track, window) for track in tracks]
        yield Soundtrack(mixer, clips, ffprobe=ffprobe, spec=spec)


class Soundtrack:
    """What is heard in a job's video."""

    def __init__(self, mixer: Mixer, given: list[Clip], *, ffprobe: Path, spec: JobSpec) -> None:
        self._mixer = mixer
        self._given = given
        self._found: list[Clip] = []
        self._ffprobe = ffprobe
        self._spec = spec
        self._facts: dict[Path, SoundFacts] = {}
        self._is_prepared = asyncio.Event()
        self.warnings: list[str] = []

    async def prepare(self) -> None:
        """Decode the sounds that the job was given.

        Raises:
            InvalidRequestError: a sound is missing or cannot be used; it is named.
            EncoderError: it cannot be decoded.

        """
        for source, clips in _by_source(self._given).items():
            await self._decode(source, clips)
        self._is_prepared.set()

    async def add(self, heard: Heard, file_of: Callable[[SoundSource], Path]) -> None:
        """Add what the page let be heard. What cannot be used is a warning.

        Raises:
            CompositionFailedError: it cannot be used, and the job is strict.

        """
        for problem in (*heard.problems, *map(str, heard.tears)):
            self._warn(problem)
        for source in heard.sources:
            file = file_of(source)
            clips = self._clips(heard, source, file)
            try:
                await self._decode(file, clips)
            except (InvalidRequestError, EncoderError) as error:
                self._warn(f"sound {source.name}: {_problem(source, file, error)}")
            else:
                self._found += clips

    async def mix(self) -> Path | None:
        """The file of the whole mix, as long as the video; None if there is nothing to hear."""
        clips = [*self._given, *self._found]
        if not clips:
            return None
        mixed = await self._mixer.mix(clips, loudness_lufs=self._spec.loudness_lufs)
        if mixed.is_silent:
            wanted = f"{self._spec.loudness_lufs:g} LUFS"
            self.warnings.append(f"loudness: silence cannot be brought to {wanted}")
        return mixed.pcm.path

    async def mix_part(
        self, heard: Heard, file_of: Callable[[SoundSource], Path], samples: range, folder: Path
    ) -> Path:
        """Mix some samples for a preview, into the folder: as loud as it is, by what is known.

        What cannot be used is left out without a word: whoever mixes all says why.

        Raises:
            EncoderError: ffmpeg failed, or too many sounds are heard at once.

        """
        await self._is_prepared.wait()
        clips = list(self._given)
        for source in heard.sources:
            file = file_of(source)
            found = self._clips(heard, source, file)
            with suppress(InvalidRequestError, EncoderError):
                await self._decode(file, found)
                clips += found
        return (await self._mixer.mix_part(clips, samples, folder)).path

    async def silence(self) -> Path:
        """A file of silence, as long as the video."""
        return (await self._mixer.mix([])).pcm.path

    async def _decode(self, source: Path, clips: list[Clip]) -> None:
        if source not in self._facts:
            self._facts[source] = await check_sound(self._ffprobe, source)
        await self._mixer.decode(source, self._facts[source], clips)

    def _clips(self, heard: Heard, source: SoundSource, file: Path) -> list[Clip]:
        duration_s = seconds(source.duration_ns)
        frame_s = self._spec.settings.frame_rate.seconds(1)
        return [
            clip_of_passage(passage, file, duration_s, self._mixer.window, frame_s)
            for passage in heard.passages
            if passage.source == source.sha256
        ]

    def _warn(self, warning: str) -> None:
        if self._spec.settings.strict:
            raise CompositionFailedError(
                f"{warning}; a strict render fails when a sound is missing",
                reason=Fault.MISSING_RESOURCE,
            )
        self.warnings.append(warning)


def heard_in(plan: Plan, results: Iterable[ChunkResult]) -> Heard:
    """What a page let be heard in all the chunks of a plan."""
    told = zip(plan.tasks, results, strict=True)
    reports = [(task.frames, result.sounds) for task, result in told]
    return merged(reports, plan.spec.settings.frame_rate)


def _problem(source: SoundSource, file: Path, error: RenderError) -> str:
    if not source.is_bundled and source.size_bytes > MAX_SOUND_BYTES:
        return (
            f"it has more than {MAX_SOUND_BYTES >> 30} GiB and was left where it is; "
            "put it beside the page"
        )
    return str(error).replace(str(file), "it").removeprefix("audio: ")


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
