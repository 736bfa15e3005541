"""What one may have a farm do with a job: cancel it, pause it, let it go on, forget it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from framefarm.event_fields import job_fields

from .connecting import farm_client
from .console import give_json, say
from .jobs import JobId
from .running import run
from .shared import Farm, Json

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from coordinator.job import Job
    from framefarm.client import FarmClient


def cancel(job_id: JobId, farm: Farm, as_json: Json = False) -> None:
    """Stop a job; returns when its work has ended on every worker."""
    _have(farm, lambda client: client.cancel(job_id), as_json=as_json)


def pause(job_id: JobId, farm: Farm, as_json: Json = False) -> None:
    """Let no more of a job begin; its chunks that run finish."""
    _have(farm, lambda client: client.pause(job_id), as_json=as_json)


def resume(job_id: JobId, farm: Farm, as_json: Json = False) -> None:
    """Let a paused job go on."""
    _have(farm, lambda client: client.resume(job_id), as_json=as_json)


def delete(job_id: JobId, farm: Farm, as_json: Json = False) -> None:
    """Forget a job that has ended, and all files that the farm keeps of it."""

    async def work() -> None:
        async with farm_client(farm) as client:
            await client.delete(job_id)

    run(work())
    if as_json:
        give_json({"job_id": job_id})
    else:
        say(f"job {job_id} is deleted")


def _have(farm: str, ask: Callable[[FarmClient], Awaitable[Job]], *, as_json: bool) -> None:
    async def work() -> Job:
        async with farm_client(farm) as client:
            return await ask(client)

    job = run(work())
    if as_json:
        give_json(job_fields(job))
    else:
        say(f"job {job.id} is {job.state}")
