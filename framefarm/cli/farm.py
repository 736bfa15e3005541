"""What one may know of a farm: how it is, and its workers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from framefarm.event_fields import farm_fields, worker_fields

from .connecting import farm_client
from .console import give, give_json, say
from .running import run
from .shared import Farm, Json
from .tables import print_table

if TYPE_CHECKING:
    from framefarm.farm_status import FarmStatus
    from framefarm.farm_worker import FarmWorker


def farm(farm: Farm, as_json: Json = False) -> None:
    """Say whether a farm begins anything now, why not, and how much there is to do."""

    async def work() -> FarmStatus:
        async with farm_client(farm) as client:
            return await client.farm()

    found = run(work())
    if as_json:
        give_json(farm_fields(found))
        return
    give(f"the farm is {found.state}: {found.chunks_running} chunks on {found.slots} slots")
    give(
        f"jobs: {found.jobs_running} running, {found.jobs_waiting} waiting, "
        f"{found.jobs_blocked} waiting for others, {found.jobs_paused} paused"
    )
    for hold in found.holds:
        give(f"nothing begins: {hold.message} ({hold.reason})")


def workers(farm: Farm, as_json: Json = False) -> None:
    """List a farm's workers."""

    async def work() -> tuple[list[FarmWorker], FarmStatus]:
        async with farm_client(farm) as client:
            return await client.workers(), await client.farm()

    found, status = run(work())
    if as_json:
        give_json([worker_fields(worker) for worker in found])
    else:
        columns = ("worker", "address", "state", "free slots", "version", "fingerprint", "problem")
        print_table(columns, map(_worker_row, found))
    for hold in status.holds:
        say(f"nothing begins: {hold.message} ({hold.reason})")


def _worker_row(worker: FarmWorker) -> tuple[str, ...]:
    slots = f"{worker.free_slots}/{worker.slots}"
    name, fingerprint = worker.name or "–", worker.fingerprint[:12]
    return (
        name, worker.address, worker.state, slots, worker.version, fingerprint, worker.problem,
    )  # fmt: skip
