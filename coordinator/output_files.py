"""Output files: what a job makes of its frames, and what has to be rendered for it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Final

from renderer.encode.choices import container_of
from renderer.encode.codec_facts import Codec, Container
from renderer.encode.codecs import CODECS
from renderer.encode.containers import SINGLE_PICTURES, sound_format
from renderer.encode.recipe import chunk_recipe
from renderer.errors import InvalidRequestError, Violation
from renderer.frames import FrameRange
from renderer.settings import History

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from renderer.encode.sound_files import SoundKind
    from renderer.settings import RenderSettings

MAX_OUTPUTS: Final = 256
STILL_CONTAINERS: Final = frozenset({Container.PNG, Container.JPG, Container.WEBP})


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoding:
    """How one file is encoded: those of `RenderSettings` that each file has for itself."""

    codec: Codec = Codec.H264
    container: Container | None = None
    crf: int | None = None
    bitrate_kbps: int | None = None
    lossless: bool = False
    bit_depth: int | None = None
    preset: str = ""
    tune: str = ""
    codec_options: tuple[tuple[str, str], ...] = ()
    gop_frames: int = 60

    @classmethod
    def of(cls, settings: RenderSettings) -> Encoding:
        return cls(**{each.name: getattr(settings, each.name) for each in fields(cls)})

    def within(self, settings: RenderSettings) -> RenderSettings:
        """The settings, encoded like this.

        Raises:
            InvalidRequestError: it cannot be.

        """
        given: dict[str, Any] = {each.name: getattr(self, each.name) for each in fields(self)}
        return replace(settings, **given)


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmFile:
    """All frames: a video, or a picture for each."""

    encoding: Encoding


@dataclass(frozen=True, slots=True, kw_only=True)
class StillFile:
    """One frame, by its number in the composition."""

    encoding: Encoding
    frame: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundFile:
    """The mix alone."""

    kind: SoundKind


OutputFile = FilmFile | StillFile | SoundFile

# Every pixel as it was captured. The first takes a sixth of the CPU time of the second, which keeps
# alpha, too (docs/decisions/0035).
_KEPT: Final = Encoding(
    codec=Codec.H264, container=Container.MP4, lossless=True, preset="ultrafast"
)
_KEPT_WITH_ALPHA: Final = Encoding(codec=Codec.FFV1, container=Container.MOV)


def container_in(file: FilmFile | StillFile) -> Container:
    """The kind of a file of pictures."""
    return file.encoding.container or CODECS[file.encoding.codec].containers[0]


def ending_of(file: OutputFile, settings: RenderSettings) -> str:
    """How the file's name ends, without the dot."""
    if isinstance(file, SoundFile):
        return file.kind.value
    return container_of(file.encoding.within(settings)).value


def holds_sound(file: OutputFile, settings: RenderSettings) -> bool:
    if not isinstance(file, FilmFile):
        return isinstance(file, SoundFile)
    encoded = file.encoding.within(settings)
    return sound_format(encoded.codec, container_of(encoded)) is not None


def path_of(output: Path, index: int, file: OutputFile, settings: RenderSettings) -> Path:
    """Where a job's file stands: the first one at `output`, the others beside it."""
    if not index:
        return output
    return output.with_name(f"{output.stem}.{index}.{ending_of(file, settings)}")


def kept_settings(settings: RenderSettings, files: Sequence[OutputFile]) -> RenderSettings:
    """How chunks are encoded.

    As the films are, if one chunk serves all of them; else without loss, and each file is encoded
    once, from the same pictures.
    """
    films = [file.encoding.within(settings) for file in files if isinstance(file, FilmFile)]
    is_one_kind = films and not any(isinstance(file, StillFile) for file in files)
    if is_one_kind and all(chunk_recipe(each) == chunk_recipe(films[0]) for each in films):
        return films[0]
    is_open = settings.transparent and not settings.background
    kept = (_KEPT_WITH_ALPHA if is_open else _KEPT).within(settings)
    # A sound is only heard where its page is played.
    return kept if films else replace(kept, history=_played(settings, files))


def _played(settings: RenderSettings, files: Sequence[OutputFile]) -> History:
    is_heard = any(isinstance(file, SoundFile) for file in files)
    return History.STATEFUL if is_heard else settings.history


def wanted_frames(frames: FrameRange, files: Sequence[OutputFile]) -> tuple[FrameRange, ...]:
    """The frames that have to be captured. For a sound, one that all others are played for."""
    if any(isinstance(file, FilmFile) for file in files):
        return (frames,)
    numbers = {file.frame for file in files if isinstance(file, StillFile)}
    if any(isinstance(file, SoundFile) for file in files):
        numbers.add(frames.stop - 1)
    return tuple(FrameRange(number, number + 1) for number in sorted(numbers))


def file_violations(
    settings: RenderSettings, frames: FrameRange, files: Sequence[OutputFile]
) -> Iterator[Violation]:
    """What cannot be, by the names of `JobSpec`."""
    if len(files) > MAX_OUTPUTS:
        yield Violation("outputs", f"{len(files)} files are over the limit of {MAX_OUTPUTS}")
    for index, file in enumerate(files):
        for each in violations_of(file, settings, frames):
            yield Violation(f"outputs[{index}].{each.field}", each.problem)


def violations_of(
    file: OutputFile, settings: RenderSettings, frames: FrameRange
) -> Iterator[Violation]:
    """What of one file cannot be."""
    if isinstance(file, SoundFile):
        return
    try:
        container = container_of(file.encoding.within(settings))
    except InvalidRequestError as error:
        yield from error.violations
        return
    if isinstance(file, StillFile):
        yield from _still_violations(file, container, frames)
    elif len(frames) > 1 and container in SINGLE_PICTURES:
        yield Violation(
            "frames",
            f"{len(frames)} frames are too many for one {container} file; say which one, as in "
            f"-o poster.{container}@3s, or have one file a frame, as in -o frames/%05d.{container}",
        )


def _still_violations(
    file: StillFile, container: Container, frames: FrameRange
) -> Iterator[Violation]:
    if container not in STILL_CONTAINERS:
        known = ", ".join(sorted(STILL_CONTAINERS))
        yield Violation("container", f"one frame is no {container} file; use {known}")
    if not frames.start <= file.frame < frames.stop:
        yield Violation("frame", f"frame {file.frame} is none of the film's frames {frames}")
