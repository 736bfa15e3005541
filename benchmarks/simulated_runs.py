"""What runs of chunks are worth, and what they cost a preview: the scheduler on virtual time."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from tests.simulation.open_pages import Way
from tests.simulation.scale import Farm, Figures, Flow

from .tables import table

_FRAMES: Final = 100
_FRAME_S: Final = 0.1
_CHUNK_S: Final = _FRAMES * _FRAME_S
# Painted on the way to a chunk, and once more for the seam; a page loads in the time of some more.
_WAYS: Final = {Way.FOLLOWED: 0, Way.BEGAN: 10, Way.JUMPED: 4, Way.LOADED: 14}
_SEEDS: Final = 10
_SPEEDS: Final[dict[str, Sequence[float]]] = {
    "1": [_FRAME_S],
    "2": [_FRAME_S] * 2,
    "3": [_FRAME_S] * 3,
    "3, of 3 speeds": [0.08, 0.1, 0.12],
    "8": [_FRAME_S] * 8,
    "8, one 4 × slower": [_FRAME_S] * 7 + [4 * _FRAME_S],
}
_INTRODUCTION: Final = f"""\
[Decision 0050](../../docs/decisions/0050-a-page-goes-on-from-chunk-to-chunk.md). One job, and
workers of one slot; chunks of 100 frames take 10 s, one fifth more or less; a jump takes as long as
{_WAYS[Way.JUMPED]} frames more, a page that is loaded {_WAYS[Way.LOADED]}. Means of {_SEEDS} runs.
*In order* is how chunks are given out where pages are played, and were before there were runs.

- *Anew*: chunks to which no page came from the chunk before; every worker has one.
- *Loaded*: pages.
- *Prefix*: chunks that are finished from the first on, after a quarter, half and three quarters of
  the time; in brackets all that are finished.
- *Late*: how long the k-th chunk is missing at the prefix's end after k chunks were finished, in
  times of a chunk: on average over all k, and at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """What a run came to; times are those of a chunk."""

    anew: float
    loaded: float
    makespan: float
    late: float
    late_most: float
    parts: tuple[tuple[float, float], ...]  # of prefix and all, at the quarters


def section() -> list[str]:
    """Runs beside chunks in order, by workers and chunks."""
    head = ["workers", "chunks", "", "anew", "loaded", "makespan", "prefix", "late", "at most"]
    rows = [
        cells
        for chunks in (16, 100)
        for workers, speeds in _SPEEDS.items()
        for cells in _cells(workers, speeds, chunks)
    ]
    return ["## Runs of chunks", "", _INTRODUCTION, "", *table(head, rows), ""]


def _cells(workers: str, speeds: Sequence[float], chunks: int) -> list[list[str]]:
    return [
        [workers, str(chunks), name, *_told(_mean(speeds, chunks, is_played=is_played))]
        for name, is_played in (("in order", True), ("runs", False))
    ]


def _told(row: _Row) -> list[str]:
    prefix = ", ".join(f"{prefix:.0f} ({done:.0f})" for prefix, done in row.parts)
    counts = [f"{row.anew:.1f}", f"{row.loaded:.1f}", f"{row.makespan:.2f}"]
    return [*counts, prefix, f"{row.late:.2f}", f"{row.late_most:.1f}"]


def _mean(speeds: Sequence[float], chunks: int, *, is_played: bool) -> _Row:
    rows = [_row(speeds, chunks, is_played=is_played, seed=seed) for seed in range(_SEEDS)]
    parts = zip(*(row.parts for row in rows), strict=True)
    return _Row(
        anew=sum(row.anew for row in rows) / _SEEDS,
        loaded=sum(row.loaded for row in rows) / _SEEDS,
        makespan=sum(row.makespan for row in rows) / _SEEDS,
        late=sum(row.late for row in rows) / _SEEDS,
        late_most=max(row.late_most for row in rows),
        parts=tuple(
            (sum(prefix for prefix, _ in each) / _SEEDS, sum(done for _, done in each) / _SEEDS)
            for each in parts
        ),
    )


def _row(speeds: Sequence[float], chunks: int, *, is_played: bool, seed: int) -> _Row:
    farm = Farm(
        speeds=speeds,
        chunks=chunks,
        jobs=1,
        frames=_FRAMES,
        seed=seed,
        is_played=is_played,
        way_frames=_WAYS,
    )
    figures: Figures = Flow(farm).run()
    done_s = sorted(figures.ends_s.values())
    prefix_s = list(accumulate((figures.ends_s[number] for number in range(chunks)), max))
    late = [(last - any_) / _CHUNK_S for last, any_ in zip(prefix_s, done_s, strict=True)]
    quarters_s = [figures.makespan_s * part / 4 for part in (1, 2, 3)]
    return _Row(
        anew=figures.begun.total() - figures.begun[Way.FOLLOWED],
        loaded=figures.begun[Way.LOADED] + figures.begun[Way.BEGAN],
        makespan=figures.makespan_s / _CHUNK_S,
        late=sum(late) / chunks,
        late_most=max(late),
        parts=tuple((bisect_right(prefix_s, s), bisect_right(done_s, s)) for s in quarters_s),
    )
