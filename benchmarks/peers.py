"""The same pages by us and by peers, in one run: wall clock, CPU, and whether the frames are right.

`python -m benchmarks.peers [--pages ABCD] [--runs 3] [--minutes N] [--only NAME…]`; whole
processes, start-up included, in alternating order.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from renderer.tools import find_tools

from . import peers_report
from .counters import read_numbers
from .drivers.base import Command, Peer, PeerMissingError
from .drivers.helios import Helios
from .drivers.hyperframes import HyperFrames
from .drivers.ours import Framefarm, FramefarmAlone, FramefarmFarm, lossless
from .drivers.remotion import Remotion
from .figures import alternated
from .pages import PEER_PAGES, Page
from .process_tree import Usage, measure
from .similarity import Similarity, similarity

WORK: Final = Path(__file__).parents[1] / ".cache" / "bench" / "peers"
# Helios does not end; the slowest of the others needs less than a minute.
_LIMIT_S: Final = 120.0


@dataclass(slots=True)
class Entry:
    """A contestant with a number of workers on a page, and what its runs took."""

    peer: Peer
    page: Page
    workers: int
    runs: list[Usage] = field(default_factory=list[Usage])
    verdict: str = ""  # "right", or what is wrong with the frames
    likeness: Similarity | None = None
    size_bytes: int = 0

    @property
    def name(self) -> str:
        return f"{self.peer.name}, {self.workers} {self.peer.unit}{'s' * (self.workers != 1)}"

    @property
    def is_right(self) -> bool:
        return self.verdict == "right"

    @property
    def is_ours(self) -> bool:
        return isinstance(self.peer, Framefarm)


async def main() -> None:
    asked = _arguments()
    pages = tuple(page for page in PEER_PAGES if page.name in asked.pages)
    ours: list[Peer] = [Framefarm(), FramefarmFarm(), FramefarmAlone()]
    contestants = [*ours, Remotion(), HyperFrames(), Helios()]
    if asked.only:
        contestants = [peer for peer in contestants if peer.name in asked.only]
    present, absent = await asyncio.to_thread(_installed, contestants)
    WORK.mkdir(parents=True, exist_ok=True)
    entries: list[Entry] = []
    for peer in present:
        await asyncio.to_thread(peer.prepare, pages)
    began_s = time.monotonic()
    for number, page in enumerate(pages, start=1):
        last_s = began_s + asked.minutes * 60 * number / len(pages)
        entries += await _race(page, present, Rounds(asked.runs, last_s))
    await asyncio.to_thread(peers_report.write, entries, absent)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", default="ABCDE", help="letters, like AC")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--minutes", type=float, default=600, help="begin no round after them")
    parser.add_argument("--only", nargs="*", help="names of contestants, like Remotion")
    return parser.parse_args()


def _installed(contestants: Sequence[Peer]) -> tuple[list[Peer], dict[str, str]]:
    present: list[Peer] = []
    absent: dict[str, str] = {}
    for peer in contestants:
        try:
            peer.install()
            present.append(peer)
        except PeerMissingError as error:
            print(f"{peer.name} {peer.version} is left out: {error}")
            absent[f"{peer.name} {peer.version}"] = str(error)
    return present, absent


@dataclass(slots=True)
class Rounds:
    """At most so many, and after the first one none that would end after `last_s`."""

    most: int
    last_s: float

    def orders(self, names: Sequence[str]) -> Iterator[list[str]]:
        round_s = 0.0
        for turn, order in enumerate(alternated(names, self.most)):
            began_s = time.monotonic()
            if turn and began_s + round_s > self.last_s:
                return
            yield order
            round_s = time.monotonic() - began_s


async def _race(page: Page, peers: Sequence[Peer], rounds: Rounds) -> list[Entry]:
    entries = {
        entry.name: entry
        for peer in peers
        if peer.renders(page)
        for entry in (Entry(peer, page, workers) for workers in peer.workers)
    }
    reference = WORK / f"{page.name}-lossless.mp4"
    await _lossless(page, reference)
    for order in rounds.orders(list(entries)):
        for name in order:
            await _one_run(entries[name], reference)
    return list(entries.values())


async def _lossless(page: Page, output: Path) -> None:
    Framefarm().prepare((page,))
    usage = await _measured(lossless(page, output), output)
    if usage.exit_code != 0:
        raise RuntimeError(f"page {page.name} does not render; see {output.with_suffix('.log')}")


async def _one_run(entry: Entry, reference: Path) -> None:
    if entry.verdict.startswith(("did not", "failed")):  # and would not the next time
        return
    output = WORK / f"{entry.page.name}-{entry.name}.mp4".replace(" ", "-").replace(",", "")
    usage = await _measured(entry.peer.command(entry.page, entry.workers, output), output)
    if usage.exit_code is None:
        entry.verdict = f"did not end in {_LIMIT_S:g} s"
    elif usage.exit_code != 0 or not output.exists():
        entry.verdict = f"failed with exit code {usage.exit_code}"
    else:
        await asyncio.to_thread(_judge, entry, output, reference)
        entry.runs.append(usage)
    print(
        f"{entry.page.name}  {entry.name:34} {usage.wall_s:6.1f} s {_cpu(entry, usage)}", flush=True
    )


def _cpu(entry: Entry, usage: Usage) -> str:
    return f"{usage.cpu_s / entry.page.frames * 1000:6.0f} CPU ms a frame, {entry.verdict}"


async def _measured(command: Command, output: Path) -> Usage:
    await asyncio.to_thread(output.unlink, missing_ok=True)
    return await measure(command, output.with_suffix(".log"), limit_s=_LIMIT_S)


def _judge(entry: Entry, video: Path, reference: Path) -> None:
    ffmpeg = find_tools(os.environ).ffmpeg
    verdict = read_numbers(ffmpeg, video).verdict(entry.page)
    if not entry.runs or verdict != "right":  # one wrong run is enough
        entry.verdict = verdict
    entry.likeness = similarity(ffmpeg, video, reference)
    entry.size_bytes = video.stat().st_size


if __name__ == "__main__":
    asyncio.run(main())
