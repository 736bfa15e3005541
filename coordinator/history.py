"""Whether time may jump in a job's page: found out before its chunks are rendered."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from executors.base import ChunkTask, CompositionProber
from renderer.settings import History

from .findings import Found
from .job import HistoryFound
from .seams import SeamMismatchError
from .soundtrack import heard_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from executors.base import ChunkResult, RenderExecutor

    from .findings import Findings
    from .job import Event
    from .plan_run import PlanRun
    from .planner import Plan

# A probe plays up to 300 frames and opens up to six browsers, while other slots wait: it has to
# save more than it costs.
_WORTH_FRAMES: Final = 3_000
_MOST_PROBES: Final = 3


async def settle(
    plan: Plan, executor: RenderExecutor, on_event: Callable[[Event], None], findings: Findings
) -> Plan:
    """Freeze what a probe finds into the plan, where nobody has said it and it is worth knowing.

    It is asked once, however many coordinators a job has. In doubt a page is played, and a probe
    that several of them have not lived to end is a doubt.

    Raises:
        ExecutorError: the page is at fault; it would fail in every chunk, too.

    """
    if not is_worth_probing(plan) or not isinstance(executor, CompositionProber):
        return plan
    known = await findings.read()
    if known.history is not None:
        return plan.with_history(known.history)
    if known.probes < _MOST_PROBES:
        await findings.keep(replace(known, probes=known.probes + 1))
        probed = await executor.probe(_task(plan))
        found = HistoryFound(probed.history, probed.objection)
    else:
        found = HistoryFound(History.STATEFUL, f"{known.probes} probes were begun, and none ended")
    on_event(found)
    await findings.keep(Found(history=found.history))
    return plan.with_history(found.history)


async def jumped_or_played(
    run: PlanRun, findings: Findings, on_event: Callable[[Event], None]
) -> list[ChunkResult]:
    """Render all chunks; played, when they do not fit together where a probe let time jump."""
    try:
        results = await run.all_chunks()
        tears = heard_in(run.plan, results).tears if was_jumped(run.plan) else ()
        if not tears:
            return results
        why = str(tears[0])
    except SeamMismatchError as error:
        if not was_jumped(run.plan):
            raise
        why = str(error)
    on_event(HistoryFound(History.STATEFUL, why))
    await findings.keep(Found(history=History.STATEFUL))
    run.plan = run.plan.with_history(History.STATEFUL)
    return await run.all_chunks()


def is_worth_probing(plan: Plan) -> bool:
    played = sum(task.frames.start for task in plan.tasks)
    is_open = plan.tasks[0].settings.history is History.AUTO
    return is_open and len(plan.tasks) > 1 and played >= _WORTH_FRAMES


def was_jumped(plan: Plan) -> bool:
    """Whether time jumps in the plan only because a probe found nothing against it."""
    is_open = plan.spec.settings.history is History.AUTO
    return is_open and plan.tasks[0].settings.history is History.SEEKABLE


def _task(plan: Plan) -> ChunkTask:
    return ChunkTask(
        job_id=plan.job_id,
        index=len(plan.tasks),
        composition=plan.spec.composition,
        frames=plan.spec.frames,
        settings=plan.spec.settings,
        share=plan.spec.share,
        ends_at_s=plan.tasks[0].ends_at_s,
    )
