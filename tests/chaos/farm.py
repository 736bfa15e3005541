"""A farm of real processes that can be killed and frozen, and whose wires can be cut."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.ports import free_port
from tests.support.tcp_proxy import TcpProxy, tcp_proxy

from . import wrong_clock
from .cable import FAR, Cable, open_cable

START_LIMIT_S = 90
STOP_LIMIT_S = 20


@dataclass
class Service:
    """A `framefarm …` at an address that it keeps however often it is started."""

    name: str
    command: tuple[str, ...]
    folder: Path
    address: str = field(default_factory=lambda: f"127.0.0.1:{free_port()}")
    there: tuple[str, ...] = ()  # what begins a command where it runs
    clock: Path | None = None  # what its clock is wrong by
    process: Process | None = None
    starts_s: list[float] = field(default_factory=list)  # how long each start took

    async def start(self) -> None:
        began_s = asyncio.get_running_loop().time()
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *(*self.there, sys.executable, "-P", *self._program(), *self.command),
                *("--listen", self.address, "--data-dir", str(self.folder / "data")),
                "--until-stdin-closes",  # none outlives us
                stdin=PIPE,
                stdout=PIPE,
                stderr=log,
                env=os.environ | {"TMPDIR": str(self.folder)},
            )
        assert self.process.stdout is not None
        async with asyncio.timeout(START_LIMIT_S):
            line = await self.process.stdout.readline()
        assert line.decode().strip() == self.address, self.log()
        self.starts_s.append(asyncio.get_running_loop().time() - began_s)

    def _program(self) -> tuple[str, ...]:
        if self.clock is None:
            return ("-m", "framefarm")
        wrong_clock.set_clock(self.clock, 0)
        return (wrong_clock.__file__, str(self.clock))

    async def kill(self) -> None:
        assert self.process is not None
        with suppress(ProcessLookupError):
            self.process.kill()
        await self.process.wait()

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        with suppress(ProcessLookupError):
            self.process.send_signal(number)

    async def stop(self) -> None:
        """Let it end by itself, as one that is asked to."""
        if self.process is None or self.process.returncode is not None:
            return
        self.signal(signal.SIGCONT)
        assert self.process.stdin is not None
        self.process.stdin.close()
        with suppress(TimeoutError):
            await asyncio.wait_for(self.process.wait(), STOP_LIMIT_S)
            return
        await self.kill()
        raise AssertionError(f"{self.name} did not end by itself\n{self.log()}")

    def log(self) -> str:
        lines = (self.folder / "log").read_text(errors="replace").splitlines()
        return "\n".join(lines[-30:])


@dataclass(frozen=True, kw_only=True)
class Farm:
    """Workers, each behind a proxy of its own where there are `wires`, and their coordinator."""

    coordinator: Service
    workers: Sequence[Service]
    wires: Sequence[TcpProxy]
    folder: Path
    cable: Cable | None = None  # between the workers' network and all others
    standby: Service | None = None  # another coordinator, of the same store

    @property
    def services(self) -> list[Service]:
        coordinators = [self.coordinator, self.standby] if self.standby else [self.coordinator]
        return [*coordinators, *self.workers]

    @property
    def address(self) -> str:
        """Of the coordinators, the one that comes first first (gRPC's naming, "pick first")."""
        others = [self.standby.address] if self.standby else []
        return f"ipv4:{','.join([self.coordinator.address, *others])}"


@asynccontextmanager
async def running_farm(
    folder: Path,
    *,
    workers: int,
    options: Sequence[Sequence[str]] = (),
    is_wired: bool = False,
    is_far: bool = False,
    is_clocked: bool = False,
    shared: Sequence[str] = (),
) -> AsyncGenerator[Farm]:
    """Start a farm; `options` are more words for each worker's command.

    `shared` are more words for the coordinator's: where it keeps what outlives it. Then there is a
    second one of these, which stands by.
    """
    given = [*options, *[()] * (workers - len(options))]
    async with AsyncExitStack() as stack:
        cable = await stack.enter_async_context(open_cable()) if is_far else None
        started = [_worker(folder, number, words, cable) for number, words in enumerate(given)]
        wires = [
            await stack.enter_async_context(tcp_proxy(each.address)) for each in started if is_wired
        ]
        addresses = [each.address for each in wires or started]
        command = ("coordinator", "--workers", ",".join(addresses), *shared)
        standby = Service("standby", command, folder / "standby") if shared else None
        farm = Farm(
            coordinator=Service("coordinator", command, folder / "coordinator"),
            workers=started,
            wires=wires,
            folder=folder,
            cable=cable,
            standby=standby,
        )
        for service in farm.services:
            service.clock = service.folder / "clock" if is_clocked else None
            stack.push_async_callback(service.stop)
        await _start(farm)
        yield farm
        for wire in wires:
            wire.release()
        if cable:
            cable.is_cut = False


def _worker(folder: Path, number: int, words: Sequence[str], cable: Cable | None) -> Service:
    return Service(
        f"worker {number}",
        ("worker", "--slots", "1", *words),
        folder / f"w{number}",
        address=f"{FAR if cable else '127.0.0.1'}:{free_port()}",
        there=cable.there if cable else (),
    )


async def _start(farm: Farm) -> None:
    if farm.standby:
        await farm.coordinator.start()  # and leads, because it is the first
    async with asyncio.TaskGroup() as group:
        for service in farm.services:
            if service.process is None:
                group.create_task(service.start())
