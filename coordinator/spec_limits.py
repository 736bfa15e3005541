"""What a job's specification may say. Pure: each problem is a value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from renderer.audio.tracks import placement_problems
from renderer.encode.choices import container_of
from renderer.encode.containers import SINGLE_PICTURES
from renderer.encode.metadata import metadata_violations
from renderer.errors import Violation

from .output_files import file_violations
from .subtitles import subtitles_violations

if TYPE_CHECKING:
    from collections.abc import Iterator

    from executors.base import Share

    from .job import JobSpec

MAX_FRAMES: Final = 10_000_000
MAX_CHUNKS: Final = 100_000
MIN_LUFS: Final = -70.0
MAX_LUFS: Final = -5.0
MAX_PRIORITY: Final = 100
MIN_WEIGHT: Final = 0.001
MAX_WEIGHT: Final = 1_000.0
MAX_SLOTS: Final = 1_000_000
MAX_USER_LETTERS: Final = 100
MAX_AFTER: Final = 100
MAX_TIME_LIMIT_S: Final = 366 * 86_400.0


def spec_violations(spec: JobSpec) -> Iterator[Violation]:
    count = len(spec.frames)
    yield from _frame_violations(spec)
    yield from file_violations(spec.settings, spec.frames, spec.outputs)
    if spec.chunk_frames is not None:
        least = max(1, -(-count // MAX_CHUNKS))
        if not least <= spec.chunk_frames <= MAX_FRAMES:
            yield Violation(
                "chunk_frames", f"{spec.chunk_frames} is outside {least}…{MAX_FRAMES} frames"
            )
    for index, track in enumerate(spec.audio):
        for option, problem in placement_problems(track):
            yield Violation(f"audio[{index}].{option}", problem)
    if spec.loudness_lufs is not None and not MIN_LUFS <= spec.loudness_lufs <= MAX_LUFS:
        yield Violation(
            "loudness",
            f"{spec.loudness_lufs:g} LUFS is outside {MIN_LUFS:g}…{MAX_LUFS:g}; -14 is usual",
        )
    yield from subtitles_violations(spec.subtitles, spec.files)
    yield from metadata_violations(spec.metadata)
    yield from _share_violations(spec.share)
    yield from _waiting_violations(spec)


def _frame_violations(spec: JobSpec) -> Iterator[Violation]:
    count = len(spec.frames)
    if not 1 <= count <= MAX_FRAMES:
        yield Violation("frames", f"{count} frames is outside 1…{MAX_FRAMES}")
    container = container_of(spec.settings)
    if count > 1 and container in SINGLE_PICTURES and not spec.outputs:
        yield Violation(
            "frames",
            f"{count} frames are too many for one {container} file; render one, or one file a "
            f"frame, as in -o frames/%05d.{container}",
        )
    if spec.frames.start > MAX_FRAMES:  # all frames before it are played
        yield Violation("frames", f"its start {spec.frames.start} is outside 0…{MAX_FRAMES}")


def _share_violations(share: Share) -> Iterator[Violation]:
    if len(share.user) > MAX_USER_LETTERS or not (share.user.isprintable()):
        yield Violation(
            "user", f"{share.user!r:.80} is not up to {MAX_USER_LETTERS} printable letters"
        )
    if not 0 <= share.priority <= MAX_PRIORITY:
        yield Violation("priority", f"{share.priority} is outside 0…{MAX_PRIORITY}; 50 is usual")
    if not MIN_WEIGHT <= share.weight <= MAX_WEIGHT:
        yield Violation(
            "weight", f"{share.weight:g} is outside {MIN_WEIGHT:g}…{MAX_WEIGHT:g}; 1 is usual"
        )
    if share.most_slots is not None and not 1 <= share.most_slots <= MAX_SLOTS:
        yield Violation("most_slots", f"{share.most_slots} is outside 1…{MAX_SLOTS} slots")


def _waiting_violations(spec: JobSpec) -> Iterator[Violation]:
    if len(spec.after) > MAX_AFTER:
        yield Violation("after", f"{len(spec.after)} jobs are more than {MAX_AFTER}")
    if not all(spec.after) or len(set(spec.after)) < len(spec.after):
        yield Violation("after", "name each job that this one waits for by its id, and once")
    if spec.time_limit_s is not None and not 0 < spec.time_limit_s <= MAX_TIME_LIMIT_S:
        yield Violation(
            "time_limit",
            f"{spec.time_limit_s:g} s is not longer than nothing and at most a year, like 10m",
        )
