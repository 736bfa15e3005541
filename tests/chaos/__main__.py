"""Trials by the dozen: each seed's blows, and what became of the job.

`scripts/chaos [--mode kill] [--seeds 20] [--first 1] [--frames 3000] [--workers 3]`
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from . import cable
from .checker import begun, lives
from .modes import MODES
from .plans import Blow, Deed, plan
from .trial import Now, Size, Story, by_seconds, trial


def main() -> int:
    asked = _arguments()
    mode = MODES[asked.mode]
    if mode.is_far and (why := cable.why_not()):
        sys.exit(f"no two networks here: {why}")
    if mode.is_far and not cable.is_alone():
        os.execvp("unshare", [*cable.alone(), sys.executable, "-m", "tests.chaos", *sys.argv[1:]])
    size = Size(frames=asked.frames, chunk_frames=asked.chunk_frames, workers=asked.workers)
    print(f"mode {asked.mode}: {mode.what}; {size.frames} frames in {size.chunks} chunks")
    undisturbed = _tried(size, (), asked.keep, "undisturbed")
    _tell("undisturbed", undisturbed, undisturbed.sha256)
    hard = replace(
        size,
        options=mode.options,
        is_wired=mode.is_wired,
        is_far=mode.is_far,
        is_clocked=mode.is_clocked,
    )
    bad = 0
    for seed in range(asked.first, asked.first + asked.seeds):
        blows = plan(mode.habits(tuple(range(size.workers))), seed=seed)
        story = _tried(hard, blows, asked.keep, f"seed-{seed}", mode.now)
        _tell(f"seed {seed}", story, undisturbed.sha256)
        bad += bool(story.faults) or story.sha256 != undisturbed.sha256
    print(f"{asked.seeds - bad} of {asked.seeds} trials without a fault")
    return 1 if bad else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/chaos", description=__doc__)
    parser.add_argument("--mode", choices=MODES, default="kill")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--frames", type=int, default=3000)
    parser.add_argument("--chunk-frames", type=int, default=60)
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--keep", type=Path, help="leave logs and data here")
    return parser.parse_args()


def _tried(
    size: Size, blows: Iterable[Blow], keep: Path | None, name: str, now: Now = by_seconds
) -> Story:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="chaos-")))
        if keep is not None:
            folder = keep / name
            folder.mkdir(parents=True)
        return asyncio.run(trial(folder, size, blows, now))


def _tell(name: str, story: Story, sha256: str) -> None:
    kills = story.count(Deed.KILL, coordinator=False), story.count(Deed.KILL, coordinator=True)
    row = {
        "trial": name,
        "seconds": round(story.seconds, 1),
        "a start takes": round(story.start_s, 1),
        "blows": len(story.blows),
        "workers killed": kills[0],
        "coordinators killed": kills[1],
        "lives": lives(story.events),
        "attempts": begun(story.events),
        "same": story.sha256 == sha256,
        "faults": story.faults,
    }
    print("\n".join(f"  {blow}" for blow in story.blows))
    print(json.dumps(row), flush=True)


if __name__ == "__main__":
    sys.exit(main())
