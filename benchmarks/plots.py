"""A picture for a table. Without matplotlib there is none, and the table says so."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from .figures import Sample

_COLORS: Final = (
    "#ff5a36", "#f2a541", "#8c2f1b", "#4878a8", "#86a8c8",
    "#4a7c59", "#a3b18a", "#7b5ea7", "#6b7280",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One contestant's values, one a group (or a point); None where there is none."""

    name: str
    values: Sequence[Sample | None]


def bars(path: Path, groups: Sequence[str], series: Sequence[Series], unit: str) -> bool:
    """Draw a group of bars for each of `groups`; return whether there is a picture."""

    def draw(axes: Any) -> None:
        width = 0.8 / len(series)
        for place, one in enumerate(series):
            at = [group + (place - (len(series) - 1) / 2) * width for group in range(len(groups))]
            given = [(x, value) for x, value in zip(at, one.values, strict=True) if value]
            axes.bar(
                [x for x, _ in given],
                [value.median for _, value in given],
                width * 0.92,
                yerr=_ranges([value for _, value in given]),
                label=one.name,
                color=_COLORS[place % len(_COLORS)],
                error_kw={"linewidth": 0.8},
            )
        axes.set_xticks(range(len(groups)), groups)
        axes.set_ylim(bottom=0)

    return _drawn(path, draw, unit)


def lines(
    path: Path, points: Sequence[float], series: Sequence[Series], unit: str, axis: str
) -> bool:
    """Draw a line for each of `series` over `points`; return whether there is a picture."""

    def draw(axes: Any) -> None:
        for place, one in enumerate(series):
            given = [(x, value) for x, value in zip(points, one.values, strict=True) if value]
            axes.errorbar(
                [x for x, _ in given],
                [value.median for _, value in given],
                yerr=_ranges([value for _, value in given]),
                marker="o",
                label=one.name,
                color=_COLORS[place % len(_COLORS)],
            )
        axes.set_xticks(list(points), [f"{point:g}" for point in points])
        axes.set_xlabel(axis)
        axes.set_ylim(bottom=0)

    return _drawn(path, draw, unit)


def _ranges(values: Sequence[Sample]) -> list[list[float]]:
    below = [value.median - min(value.values) for value in values]
    return [below, [max(value.values) - value.median for value in values]]


def _drawn(path: Path, draw: Callable[[Any], None], unit: str) -> bool:
    if (plt := _pyplot()) is None:
        return False
    figure, axes = plt.subplots(figsize=(8, 4), layout="constrained")
    draw(axes)
    axes.set_ylabel(unit)
    axes.grid(axis="y", linewidth=0.4)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside upper center", ncols=3, frameon=False)
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
    return True


def _pyplot() -> ModuleType | None:
    try:
        mpl: Any = import_module("matplotlib")
    except ImportError:
        print("no plot: matplotlib is not installed; `make bench` brings it")
        return None
    mpl.use("svg")
    # The same numbers give the same file: no date, no random names.
    mpl.rcParams |= {"svg.hashsalt": "framefarm", "font.size": 9}
    return import_module("matplotlib.pyplot")
