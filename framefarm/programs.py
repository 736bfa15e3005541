"""Asks a program of this machine, and reads what ffmpeg says of itself."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

OLDEST_FFMPEG: Final = (5, 1)
# A cold start on a loaded machine takes seconds; this is for one that hangs.
_PROGRAM_TIMEOUT_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a program said on its two outputs."""

    text: str
    error: str

    @property
    def last_line(self) -> str:
        return (self.error.strip().splitlines() or ["it said nothing"])[-1]


def ask(environment: Mapping[str, str], program: Path, *arguments: str) -> Answer:
    """Run a program to its end; one that does not start, or not end, has said why. Blocks."""
    try:
        done = subprocess.run(
            [program, *arguments],
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PROGRAM_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Answer("", f"no answer within {_PROGRAM_TIMEOUT_S:g} s")
    except OSError as error:
        return Answer("", str(error))
    return Answer(done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))


def ffmpeg_version(text: str) -> str | None:
    """What `ffmpeg -version` or `ffprobe -version` says of itself."""
    match = re.match(r"ff(?:mpeg|probe) version (\S+)", text)
    return match[1] if match else None


def is_too_old(version: str | None) -> bool:
    """Whether a release is older than we support; a build from git (N-…) is taken as new."""
    if version is None:
        return True
    match = re.match(r"n?(\d+)\.(\d+)", version)
    return match is not None and (int(match[1]), int(match[2])) < OLDEST_FFMPEG


def encoders(text: str) -> frozenset[str]:
    """The names in the table that `ffmpeg -encoders` prints."""
    return frozenset(re.findall(r"^ [VAS][.FSXBD]{5} (\S+)", text, flags=re.MULTILINE))
