"""`framefarm benchmark`: how fast this machine renders a page, and where the time goes."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.table import Table

from framefarm.benchmark import MAX_SLOTS, Benchmarked, default_slots
from framefarm.benchmark import benchmark as benchmark_page
from framefarm.request import RenderOptions
from renderer.timings import Stage

from .console import give, give_json, give_table, printable, say
from .options import takes_rendering_options, with_props_read
from .render import SourceArgument
from .running import run
from .shared import Json, Quiet

if TYPE_CHECKING:
    from framefarm.benchmark import SlotsPace
    from renderer.timings import Timings

_REASONS: Final = {
    Stage.STEP: "its timers",
    Stage.HOOKS: "its hooks, and asking what it waits for",
    Stage.PAINT: "scripts, style, layout and painting",
    Stage.WAIT: "files that it asked for",
    Stage.READ: "reading the pixels",
    Stage.ENCODE: "waiting for the encoder",
}


@takes_rendering_options
def benchmark(
    source: SourceArgument,
    options: RenderOptions,
    slots: Annotated[
        int | None,
        typer.Option(
            "--slots",
            min=1,
            max=MAX_SLOTS,
            help="Try 1 to so many slots.",
            show_default="the CPUs and one more",
        ),
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Measure how fast this machine renders a page, and say where the time goes."""

    def hear(step: str) -> None:
        if not quiet:
            say(step)

    async def work() -> Benchmarked:
        most = default_slots() if slots is None else slots
        return await benchmark_page(source, with_props_read(options), slots=most, on_step=hear)

    measured = run(work())
    if as_json:
        give_json(_fields(measured))
    else:
        _tell(measured)


def _tell(measured: Benchmarked) -> None:
    alone = measured.alone.chunks[0]
    timings = alone.timings
    give_table(_slots_table(measured))
    give_table(_stages_table(measured.rows))
    for slow in timings.slowest:
        give(f"frame {slow.frame} took {slow.seconds * 1000:.0f} ms, mostly {_REASONS[slow.stage]}")
    share = timings.repeated_frames / alone.frames
    give(f"{timings.repeated_frames} of {alone.frames} frames repeat the one before ({share:.0%})")
    give(printable(f"strategy: {timings.strategy}" + _because(timings)))
    floor = measured.floor
    give(
        f"the floor, painting without reading and encoding from memory: "
        f"{floor.frames_per_second:.1f} frames/s, {floor.cpu_ms_per_frame:.0f} CPU ms a frame; "
        f"one slot reaches {measured.of_floor:.2f} of it, by CPU time {measured.cpu_of_floor:.2f}"
    )
    give(f"most frames a second with {_slots(measured.best_slots)}")


def _slots_table(measured: Benchmarked) -> Table:
    table = Table("slots", "frames/s", "times one slot", "CPU ms a frame", "page opened in s")
    first = measured.alone.pace.frames_per_second
    for row in measured.rows:
        pace = row.pace
        opened_s = max(chunk.timings.open_s for chunk in row.chunks)
        table.add_row(
            str(row.slots),
            f"{pace.frames_per_second:.1f}",
            f"{pace.frames_per_second / first:.2f}",
            f"{pace.cpu_ms_per_frame:.0f}",
            f"{opened_s:.2f}",
        )
    return table


def _stages_table(rows: tuple[SlotsPace, ...]) -> Table:
    table = Table("ms a frame", *(_slots(row.slots) for row in rows))
    for stage in Stage:
        table.add_row(stage, *(f"{_stage_ms(row, stage):.1f}" for row in rows))
    return table


def _stage_ms(row: SlotsPace, stage: Stage) -> float:
    spent_s = sum(_spent_s(chunk.timings, stage) for chunk in row.chunks)
    return spent_s / sum(chunk.frames for chunk in row.chunks) * 1000


def _spent_s(timings: Timings, stage: Stage) -> float:
    return {
        Stage.STEP: timings.step_s,
        Stage.HOOKS: timings.hooks_s,
        Stage.PAINT: timings.paint_s,
        Stage.WAIT: timings.wait_s,
        Stage.READ: timings.read_s,
        Stage.ENCODE: timings.encode_s,
    }[stage]


def _because(timings: Timings) -> str:
    return f", because {timings.why}" if timings.why else ", the first choice"


def _slots(count: int) -> str:
    return f"{count} {'slot' if count == 1 else 'slots'}"


def _fields(measured: Benchmarked) -> dict[str, object]:
    return {
        "frames": measured.frames,
        "slots": [
            {
                "slots": row.slots,
                **asdict(row.pace),
                "timings": [asdict(chunk.timings) for chunk in row.chunks],
            }
            for row in measured.rows
        ],
        "best_slots": measured.best_slots,
        "floor": asdict(measured.floor),
        "of_floor": measured.of_floor,
        "cpu_of_floor": measured.cpu_of_floor,
    }
