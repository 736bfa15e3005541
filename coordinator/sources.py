"""What can be checked of a job's files before it starts: they are here, and sounds can be heard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from renderer.audio.sound import check_sound
from renderer.composition import BundleEntry
from renderer.errors import InvalidRequestError, Violation

from .status import BundleNotUploadedError
from .subtitles import check_subtitles

if TYPE_CHECKING:
    from pathlib import Path

    from .artifacts.bundles import KeptBundles
    from .job import JobSpec


async def check_sources(spec: JobSpec, bundles: KeptBundles, *, ffprobe: Path) -> None:
    """Check that a job's files are here.

    Raises:
        BundleNotUploadedError: a bundle must be uploaded first.
        InvalidRequestError: a bundle does not hold the file that is named, or it is no sound, or no
            subtitles.

    """
    if isinstance(spec.composition, BundleEntry):
        await _file(spec.composition, bundles, field="composition")
    for index, track in enumerate(spec.audio):
        file = await _file(track.source, bundles, field=f"audio[{index}]")
        try:
            await check_sound(ffprobe, file)
        except InvalidRequestError as error:
            # the file's name here is a digest; the user knows it by another
            problem = error.violations[0].problem.replace(str(file), track.source.entry)
            raise InvalidRequestError([Violation(f"audio[{index}]", problem)]) from error
    for index, subtitles in enumerate(spec.subtitles.files):
        await _file(subtitles.source, bundles, field=f"subtitles[{index}]")
    await check_subtitles(spec, bundles.here)


async def _file(entry: BundleEntry, bundles: KeptBundles, *, field: str) -> Path:
    try:
        files = await bundles.files(entry.digest)
    except KeyError as error:
        raise BundleNotUploadedError(entry.digest) from error
    if entry.entry not in files:
        raise InvalidRequestError([Violation(field, f"the bundle holds no {entry.entry}")])
    return files[entry.entry]
