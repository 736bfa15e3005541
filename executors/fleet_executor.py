"""FleetExecutor: renders on a fleet of workers, and tries again where that may help."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .orders import AttemptFiles, ChunkOrder, FilesOnDisk, ProbeOrder

if TYPE_CHECKING:
    from pathlib import Path

    from renderer.history import ProbeResult

    from .base import ChunkResult, ChunkTask, OnProgress
    from .fleet import Fleet


class FleetExecutor:
    """Sends chunks to free slots of a fleet.

    What goes wrong on the way (a worker that dies, a full slot) costs another attempt elsewhere;
    what would go wrong anywhere (a page's error) is raised at once.
    """

    def __init__(self, fleet: Fleet, files: AttemptFiles | None = None) -> None:
        self.fleet = fleet
        self._files = files or FilesOnDisk()

    async def render(
        self, task: ChunkTask, output: Path, *, on_progress: OnProgress
    ) -> ChunkResult:
        order = ChunkOrder(task, output, self._files, on_progress=on_progress)
        return await self.fleet.carry_out(order)

    async def probe(self, task: ChunkTask) -> ProbeResult:
        return await self.fleet.carry_out(ProbeOrder(task))

    async def end_job(self, job_id: str) -> None:
        await self.fleet.end_job(job_id)

    def pause_job(self, job_id: str) -> None:
        self.fleet.pause_job(job_id)

    def resume_job(self, job_id: str) -> None:
        self.fleet.resume_job(job_id)
