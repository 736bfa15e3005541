"""Whether a file is a sound that can be mixed."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Final

from renderer.encode.probe import SoundFacts, probe_sound
from renderer.errors import EncoderError, InvalidRequestError, Violation

from .tracks import SOUND_FORMATS

if TYPE_CHECKING:
    from pathlib import Path


_NOT_LISTED: Final = "not on whitelist"  # what ffprobe says of what is none of SOUND_FORMATS
_REMEDY: Final = "give a .wav, .mp3, .m4a, .flac or .ogg file, or a video with sound"


async def check_sound(ffprobe: Path, source: Path) -> SoundFacts:
    """Read what kind of sound a file holds; to be called before a job starts.

    Raises:
        InvalidRequestError: the file is missing, unreadable, or holds no sound; it is named.
        MissingToolError: ffprobe cannot be started.

    """
    if problem := await asyncio.to_thread(_problem, source):
        raise _unusable(source, problem)
    try:
        facts = await probe_sound(ffprobe, source, formats=SOUND_FORMATS)
    except EncoderError as error:
        why = "it is of another kind" if _NOT_LISTED in str(error) else str(error)
        problem = f"is not a sound file that can be read ({why}); {_REMEDY}"
        raise _unusable(source, problem) from error
    if facts is None or not facts.channels or not facts.sample_rate:
        raise _unusable(source, "holds no sound; give a file with an audio stream")
    return facts


def _problem(source: Path) -> str | None:
    if not source.exists():
        return "does not exist"
    if not source.is_file():
        return "is not a file"
    if not os.access(source, os.R_OK):
        return "cannot be read; check its permissions"
    return None


def _unusable(source: Path, problem: str) -> InvalidRequestError:
    return InvalidRequestError([Violation("audio", f"{source} {problem}")])
