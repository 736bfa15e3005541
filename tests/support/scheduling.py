"""A scheduler under test: its world in a few words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from executors.base import Share, WarmPage
from executors.errors import ExecutorError
from executors.scheduling.scheduler import Scheduler
from executors.scheduling.values import (
    Attach,
    ChunkFilmed,
    Command,
    Event,
    Failed,
    Gathered,
    Offer,
    Offered,
    Progressed,
    Start,
    Stopped,
    Succeeded,
    Surveyed,
    Ticked,
    Withdrawn,
    WorkerFound,
    WorkerTold,
)
from executors.worker_port import ReportedAttempt, Token, WorkerReport

C = TypeVar("C", bound=Command)


@dataclass
class Scene:
    """Tells a scheduler what happens, and keeps what it says. Time stands until it is moved."""

    scheduler: Scheduler = field(default_factory=lambda: Scheduler(worker_wait_s=300.0, term=7))
    now_s: float = 0.0
    commands: list[Command] = field(default_factory=list)
    offers: int = 0

    def hear(self, event: Event) -> list[Command]:
        commands = self.scheduler.step(event, self.now_s)
        self.commands += commands
        return commands

    def workers(self, *addresses: str, slots: int = 1, fingerprint: str = "fp") -> None:
        for address in addresses:
            self.hear(WorkerFound(address))
            self.tell(address, slots=slots, fingerprint=fingerprint)
        self.hear(Surveyed())

    def tell(
        self,
        address: str,
        *,
        slots: int = 1,
        free: int | None = None,
        fingerprint: str = "fp",
        drains: bool = False,
        attempts: Sequence[ReportedAttempt] = (),
        pages: Sequence[WarmPage] = (),
        instance: str = "",
    ) -> list[Command]:
        report = WorkerReport(
            name=address,
            version="test",
            fingerprint=fingerprint,
            slots=slots,
            free_slots=slots if free is None else free,
            is_draining=drains,
            attempts=tuple(attempts),
            warm_pages=tuple(pages),
            instance=instance,
        )
        return self.hear(WorkerTold(address, report))

    def offer(
        self,
        job_id: str = "job",
        index: int = 0,
        *,
        share: Share | None = None,
        digest: str | None = None,
        frames: int = 10,
        is_all: bool = True,
        **more: Any,
    ) -> int:
        self.offers += 1
        offer = Offer(
            number=self.offers,
            job_id=job_id,
            index=index,
            start=index * frames,
            frames=frames,
            digest=digest,
            share=share or Share(),
            keeps_page=True,
            **more,
        )
        self.hear(Offered(offer))
        if is_all:
            self.hear(Gathered())
        return self.offers

    def film(self, start: Start | Attach) -> list[Command]:
        return self.hear(ChunkFilmed(start.number, start.token))

    def succeed(self, start: Start | Attach) -> list[Command]:
        return self.hear(Succeeded(start.number, start.token))

    def fail(self, start: Start | Attach, error: ExecutorError) -> list[Command]:
        return self.hear(Failed(start.number, start.token, error))

    def stop(self, start: Start | Attach) -> list[Command]:
        return self.hear(Stopped(start.number, start.token))

    def progress(self, start: Start, frames: int) -> list[Command]:
        return self.hear(Progressed(start.number, start.token, frames))

    def withdraw(self, number: int) -> list[Command]:
        return self.hear(Withdrawn(number))

    def wait(self, seconds: float) -> list[Command]:
        self.now_s += seconds
        return self.hear(Ticked())

    def all(self, kind: type[C]) -> list[C]:
        return [command for command in self.commands if isinstance(command, kind)]

    def last(self, kind: type[C]) -> C:
        return self.all(kind)[-1]

    def taken(self, address: str) -> tuple[int, int, int]:
        """Slots that a worker's attempts have, attempts that have none, and slots that are free."""
        worker = self.scheduler.workers.get(address)
        assert worker is not None
        return worker.leased, worker.filmed, worker.free

    @property
    def started(self) -> list[int]:
        """The numbers of the offers, as attempts at them began."""
        return [start.number for start in self.all(Start)]


def ran(
    job_id: str, index: int, *, term: int, attempt: int = 1, is_filmed: bool = False
) -> ReportedAttempt:
    token = Token(term, attempt)
    return ReportedAttempt(job_id=job_id, index=index, token=token, is_filmed=is_filmed)
