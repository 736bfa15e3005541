"""Whether time may jump in a job's page: found out before its chunks are rendered."""

from __future__ import annotations

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


async def settle(plan: Plan, executor: RenderExecutor, on_event: Callable[[Event], None]) -> Plan:
    """Freeze what a probe finds into the plan, where nobody has said it and it is worth knowing.

    Raises:
        ExecutorError: the page is at fault; it would fail in every chunk, too.

    """
    if not is_worth_probing(plan) or not isinstance(executor, CompositionProber):
        return plan
    found = await executor.probe(_task(plan))
    on_event(HistoryFound(found.history, found.objection))
    return plan.with_history(found.history)


async def settle_once(
    plan: Plan, executor: RenderExecutor, on_event: Callable[[Event], None], findings: Findings
) -> Plan:
    """`settle`, unless an earlier coordinator has: a probe costs as much as hundreds of frames."""
    if is_worth_probing(plan) and (known := (await findings.read()).history):
        return plan.with_history(known)
    settled = await settle(plan, executor, on_event)
    if settled is not plan:
        await findings.keep(Found(history=settled.tasks[0].settings.history))
    return settled


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
        ends_at=plan.tasks[0].ends_at,
    )
