"""`results/peers.md`: what peers and we took on each page, and which aims that reaches."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from . import machine
from .figures import Aim, Sample, paired_ratio, sample, verdict
from .plots import Series, bars
from .tables import RESULTS, table, write_report

if TYPE_CHECKING:
    from .pages import Page
    from .peers import Entry
    from .process_tree import Usage

# How many times faster than the best correct peer with two workers, and which part of its CPU.
AIMS: Final = {
    "A": (Aim(at_least=3), Aim(at_most=0.4)),
    "B": (Aim(at_least=3), Aim(at_most=0.4)),
    "C": (Aim(at_least=6), Aim(at_most=0.25)),
    "D": (Aim(at_least=2.5), Aim(at_most=0.5)),
}
_INTRODUCTION: Final = """\
Whole processes, start-up included, H.264 crf 18 (preset `fast`, where it can be chosen: HyperFrames
has its own, `medium`), in alternating order: the median, and the range of the runs. CPU is
that of all processes, as the kernel counts it. Frames are right when the number that each decoded
frame carries, twice, is its own. SSIM is that of luma with the same frame of our lossless render:
the mean over all frames, and the worst one's; peers film JPEG pictures, which lose the fine noise
(dither) of gradients, and SSIM takes that dearly although the pictures look alike. Written by
`benchmarks/peers.py`."""


def write(entries: Sequence[Entry], absent: Mapping[str, str]) -> None:
    lines = ["# Peers on the same pages", "", _INTRODUCTION, ""]
    lines += [*machine.description(), _versions(entries), ""]
    lines += [f"- {name} was left out: {why}" for name, why in absent.items()]
    ratios = _ratios(entries)
    lines += ["## What was to be reached", "", *ratios, "", *_pictures(entries)]
    for page in _pages(entries):
        lines += [f"## Page {page.name} · {page.scene} {page.width_px}×{page.height_px}", ""]
        lines += [*_page_table([entry for entry in entries if entry.page == page]), ""]
    lines += ["## Where the CPU time goes", "", *_kinds(entries)]
    print(*ratios, write_report("peers", lines), sep="\n")


def _pages(entries: Sequence[Entry]) -> list[Page]:
    return list(dict.fromkeys(entry.page for entry in entries))


def _versions(entries: Sequence[Entry]) -> str:
    others = [entry.peer for entry in entries if not entry.is_ours]
    peers = {f"{peer.name} {peer.version}": None for peer in others}
    return f"- {', '.join(peers)}"


def _wall_s(usage: Usage) -> float:
    return usage.wall_s


def _cpu_ms(entry: Entry) -> Sample:
    return sample([usage.cpu_s / entry.page.frames * 1000 for usage in entry.runs])


def _page_table(entries: Sequence[Entry]) -> list[str]:
    head = ["", "runs", "wall s", "CPU ms a frame", "memory MB", "file kB", "frames", "SSIM"]
    return table(head, [_row(entry) for entry in entries])


def _row(entry: Entry) -> list[str]:
    if not entry.runs:
        return [entry.name, "–", "–", "–", "–", "–", entry.verdict, "–"]
    return [
        entry.name,
        f"{len(entry.runs)}",
        sample([usage.wall_s for usage in entry.runs]).text(),
        _cpu_ms(entry).text(0),
        f"{max(usage.peak_memory_mb for usage in entry.runs)}",
        f"{entry.size_bytes / 1000:.0f}",
        entry.verdict,
        str(entry.likeness or "–"),
    ]


def _ratios(entries: Sequence[Entry]) -> list[str]:
    head = ["page", "the best correct peer", "its wall s · CPU ms", "ours", "faster", "CPU"]
    rows: list[list[str]] = []
    for page in _pages(entries):
        here = [entry for entry in entries if entry.page == page and entry.runs]
        peers = [entry for entry in here if not entry.is_ours and entry.is_right]
        rows += [_ratio_row(one, peers) for one in here if one.is_ours and one.is_right and peers]
    said = (
        "The fastest correct peer and the leanest one, which need not be the same, are each "
        "compared with ours, round by round; the ratio is the median of the rounds."
    )
    return [said, "", *table(head, rows)]


def _ratio_row(ours: Entry, peers: Sequence[Entry]) -> list[str]:
    fastest = _best(peers, _wall_s)
    leanest = _best(peers, lambda usage: usage.cpu_s)
    faster = paired_ratio(_each(fastest, _wall_s), _each(ours, _wall_s))
    leaner = paired_ratio(
        _each(ours, lambda usage: usage.cpu_s), _each(leanest, lambda usage: usage.cpu_s)
    )
    aims = AIMS.get(ours.page.name)
    names = dict.fromkeys((fastest.name, leanest.name))
    wall_s = sample(_each(fastest, _wall_s)).median
    return [
        ours.page.name,
        " / ".join(names),
        f"{wall_s:.1f} · {_cpu_ms(leanest).median:.0f}",
        f"{ours.name}: {sample(_each(ours, _wall_s)).median:.1f} · {_cpu_ms(ours).median:.0f}",
        verdict(faster.median, aims[0]) if aims else f"{faster.median:.2f} ×",
        verdict(leaner.median, aims[1]) if aims else f"{leaner.median:.2f} ×",
    ]


def _best(peers: Sequence[Entry], of: Callable[[Usage], float]) -> Entry:
    return min(peers, key=lambda entry: sample(_each(entry, of)).median)


def _each(entry: Entry, of: Callable[[Usage], float]) -> list[float]:
    return [of(usage) for usage in entry.runs]


def _pictures(entries: Sequence[Entry]) -> list[str]:
    pages = _pages(entries)
    names = list(dict.fromkeys(entry.name for entry in entries if entry.runs and entry.is_right))
    lines: list[str] = []
    for file, unit in (("peers-wall", "wall s"), ("peers-cpu", "CPU ms a frame")):
        series = [
            Series(name=name, values=[_value(entries, page, name, unit) for page in pages])
            for name in names
        ]
        if bars(RESULTS / f"{file}.svg", [page.name for page in pages], series, unit):
            lines += [f"![{unit}, by page]({file}.svg)", ""]
    return lines


def _value(entries: Sequence[Entry], page: Page, name: str, unit: str) -> Sample | None:
    for entry in entries:
        if entry.page == page and entry.name == name and entry.runs:
            return _cpu_ms(entry) if "CPU" in unit else sample(_each(entry, _wall_s))
    return None


def _kinds(entries: Sequence[Entry]) -> list[str]:
    """By kind of process, sampled four times a second; what was not seen is the rest."""
    ran = [entry for entry in entries if entry.runs]
    kinds = sorted({kind for entry in ran for run in entry.runs for kind in run.cpu_by_kind_s})
    rows = [[entry.page.name, entry.name, *_kind_cells(entry, kinds)] for entry in ran]
    said = "CPU ms a frame by kind of process, of the last run; sampled, so the sum falls short."
    return [said, "", *table(["page", "", *kinds, "not seen"], rows)]


def _kind_cells(entry: Entry, kinds: Sequence[str]) -> list[str]:
    run = entry.runs[-1]
    each = [run.cpu_by_kind_s.get(kind, 0.0) for kind in kinds]
    return [f"{s / entry.page.frames * 1000:.0f}" for s in [*each, run.cpu_s - sum(each)]]
