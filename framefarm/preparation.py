"""From what a user says to a job that can be created: all that can be checked before it starts."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from coordinator.job import AudioTrack, JobSpec
from renderer.audio.tracks import placement_of
from renderer.bundle import BundleManifest, files_manifest, manifest_of
from renderer.composition import BundleEntry, PageUrl

from .extras import ExtraWish, bundled, read_extras, subtitles_of
from .output_names import OutputName, is_pattern, output_names
from .patience import WAIT_S
from .problems import Problems, problems_of
from .request import Wish, read_options
from .source import Source, find_source
from .unpacking import pictures_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from renderer.composition import Composition

    from .head_start import HeadStart
    from .request import RenderOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalBundle:
    """Files of this machine that the farm is to have."""

    folder: Path
    manifest: BundleManifest


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedJob:
    """A job that can be created once its bundles are at the coordinator."""

    spec: JobSpec
    bundles: tuple[LocalBundle, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputFiles:
    """Where a video is written to and, if it is wanted, the manifest of its frames.

    `pictures` is a folder for what shows why there is no video; it is made when there is any.
    `names` are all files that are wanted, when there are more than one, or more is said of it.
    `leads_to` is a file that will be made of them.
    """

    output: Path
    manifest: Path | None = None
    pictures: Path | None = None
    names: tuple[OutputName, ...] = ()
    leads_to: Path | None = None

    @property
    def wanted(self) -> tuple[OutputName, ...]:
        """All files, at least one."""
        return self.names or (OutputName(path=self.output),)


def output_files(
    said: Sequence[str | os.PathLike[str]],
    *,
    manifest: str | os.PathLike[str] | None = None,
    pictures: str | os.PathLike[str] | None = None,
) -> OutputFiles:
    """Understand how a user names files.

    Raises:
        InvalidRequestError: there is no name, or what is said in it cannot be.

    """
    names = output_names_of(said)
    with problems_of("output"):
        if not names:
            raise ValueError("missing; name a file, like film.mp4")
    return OutputFiles(
        output=names[0].path,
        manifest=Path(manifest) if manifest else None,
        pictures=Path(pictures) if pictures else None,
        names=names,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a job runs: on the farm at `farm`, or here, on `workers` workers or without any.

    `preview`: the film is to be shown while it is rendered. A farm that takes nothing now is waited
    for up to `wait_s`. What is to run here without workers may have been started `ahead`.
    """

    farm: str | None = None
    workers: int | None = None
    ahead: HeadStart | None = None
    preview: bool = False
    wait_s: float = WAIT_S


def output_names_of(said: Sequence[str | os.PathLike[str]]) -> tuple[OutputName, ...]:
    """Understand what is to be made.

    Raises:
        InvalidRequestError: what is said of a file cannot be.

    """
    with problems_of("output"):
        return output_names(said)


async def prepare(
    source: str,
    options: RenderOptions,
    *,
    output: OutputFiles | None,
    place: Place,
    names: Sequence[OutputName] = (),
) -> PreparedJob:
    """Understand and check everything; nothing has been started or sent when this returns.

    `output` is what will be written here; without it, `names` say what the farm is to make.

    Raises:
        InvalidRequestError: with everything that is wrong, by the names of `render()`.

    """
    wanted = names if output is None else output.wanted
    return await asyncio.to_thread(_prepare, source, options, output, place, wanted)


def check_files(files: OutputFiles) -> None:
    """Check that a video, and its manifest, can be written.

    Raises:
        InvalidRequestError: it cannot.

    """
    problems = Problems()
    _files_problems(files, problems)
    problems.raise_if_any()


def _prepare(
    source: str,
    options: RenderOptions,
    files: OutputFiles | None,
    place: Place,
    names: Sequence[OutputName],
) -> PreparedJob:
    problems = Problems()
    page = wish = None
    with problems.of("source"):
        page = find_source(source)
    if files is not None:
        _files_problems(files, problems)
    _check_place(place, problems)
    with problems.of("options"):
        wish = read_options(options, names)
        _check_sounds(wish, problems)
    extras = read_extras(options, problems)
    problems.raise_if_any()
    assert page is not None
    assert wish is not None
    return _prepared(page, wish, extras, files)


def _files_problems(files: OutputFiles, problems: Problems) -> None:
    outputs, manifest = [name.path for name in files.wanted], files.manifest
    # A folder of pictures is made when they have come, if there is a place for it.
    made = {name.path: name.path.parent for name in files.wanted if is_pattern(name)}
    for output in dict.fromkeys(outputs):
        is_new = output in made and not made[output].exists()
        _path_problems("output", made[output] if is_new else output, problems)
        if outputs.count(output) > 1:
            problems.add("output", f"{output} is named twice; name another file")
    if files.pictures is not None:
        _folder_problems("pictures", files.pictures, problems)
    if manifest is not None:
        _path_problems("manifest", manifest, problems)
        if manifest.absolute() in [output.absolute() for output in outputs]:
            problems.add("manifest", f"{manifest} is the video; name another file")


def _folder_problems(field: str, path: Path, problems: Problems) -> None:
    if path.exists() and not path.is_dir():
        problems.add(field, f"{path} is a file; name a folder")


def _path_problems(field: str, path: Path, problems: Problems) -> None:
    if path.is_dir():
        problems.add(field, f"{path} is a folder; name a file")
    elif not path.parent.is_dir():
        problems.add(field, f"there is no folder {path.parent}; make it first")
    elif not os.access(path.parent, os.W_OK):
        problems.add(field, f"folder {path.parent} may not be written to; choose another one")


def _check_place(place: Place, problems: Problems) -> None:
    if place.workers is not None and place.workers < 1:
        problems.add("workers", f"{place.workers} workers render nothing; give at least 1")
    if place.workers is not None and place.farm:
        problems.add(
            "workers", f"the farm at {place.farm} has its own workers; drop one of the two"
        )


def _check_sounds(wish: Wish, problems: Problems) -> None:
    for track in wish.audio:
        if not track.source.exists():
            problems.add("audio", f"{track.source} does not exist")
        elif not track.source.is_file():
            problems.add("audio", f"{track.source} is not a file")


def _prepared(
    page: Source, wish: Wish, extras: ExtraWish, files: OutputFiles | None
) -> PreparedJob:
    with problems_of("source"):
        composition, bundles = _composition(page, files)
        sounds, subtitles = list(_sounds(wish)), list(bundled(extras))
        spec = JobSpec(
            composition=composition,
            settings=wish.settings,
            frames=wish.frames,
            chunk_frames=wish.chunk_frames,
            audio=tuple(track for track, _ in sounds),
            loudness_lufs=wish.loudness_lufs,
            outputs=wish.outputs,
            share=wish.standing.share,
            after=wish.standing.after,
            time_limit_s=wish.standing.time_limit_s,
            subtitles=subtitles_of(extras, [file for file, _, _ in subtitles]),
            metadata=extras.metadata,
        )
        bundles += [bundle for _, bundle in sounds]
        bundles += [LocalBundle(folder=folder, manifest=each) for _, folder, each in subtitles]
        own = {bundle.manifest.digest: bundle for bundle in bundles}
        return PreparedJob(spec=spec, bundles=tuple(own.values()))


def _composition(page: Source, files: OutputFiles | None) -> tuple[Composition, list[LocalBundle]]:
    if isinstance(page, PageUrl):
        return page, []
    leave_out = [] if files is None else [path.absolute() for path in _written(files)]
    manifest = manifest_of(page.folder, leave_out=leave_out)
    if page.entry not in {file.path for file in manifest.files}:
        raise ValueError(
            f"{page.entry} is hidden, or a link to outside of {page.folder}, "
            "and such files stay out of a bundle; give it a plain name and place"
        )
    bundle = LocalBundle(folder=page.folder, manifest=manifest)
    return BundleEntry(manifest.digest, page.entry), [bundle]


def _written(files: OutputFiles) -> Iterator[Path]:
    """What is to be written, or was when the same was rendered before."""
    for name in files.wanted:
        if is_pattern(name):
            yield from pictures_of(name.path)
        else:
            yield name.path
    if files.manifest is not None:
        yield files.manifest
    if files.leads_to is not None:
        yield files.leads_to


def _sounds(wish: Wish) -> Iterator[tuple[AudioTrack, LocalBundle]]:
    """Each sound file as a bundle of its own: the folders they lie in are nobody's business."""
    for track in wish.audio:
        path = track.source.resolve()
        manifest = files_manifest(path.parent, [path])
        entry = BundleEntry(manifest.digest, path.name)
        sound = AudioTrack(source=entry, **placement_of(track))
        yield sound, LocalBundle(folder=path.parent, manifest=manifest)
