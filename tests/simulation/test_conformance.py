"""The model of a worker behaves as the real one: the same scenarios, the same outcomes."""

from __future__ import annotations

import asyncio
import errno
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from executors.grpc_worker import GrpcWorker
from executors.worker_port import WorkerPort
from renderer.bundle import BundleStore
from serving.channel import new_channel
from tests.support.farm import TestWorker, running_worker
from tests.support.picture_renderer import PictureRenderer
from tests.support.tcp_proxy import TcpProxy, tcp_proxy

from .chance import Chance, Script
from .conformance import FRAME_S, SCENARIOS, Scenario, Told
from .loop import Process, VirtualLoop, simulate
from .machine import MachineSpec
from .network import Network
from .room import Room
from .wall import Wall
from .watch import Watch

WORKER = MachineSpec(address="w:1", name="w", slots=1, frame_s=FRAME_S)
each_scenario = pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda each: each.__name__)


class ModelRig:
    """The simulation's worker, without any faults."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        watch = Watch()
        watch.disk = cast("Any", SimpleNamespace(leader=None))
        script = Script(seed=1, faults=())
        self._network = Network(Chance(1, script), watch, Room(), Wall(loop))
        self._machine = self._network.start(WORKER)
        self._lines: dict[int, Any] = {}
        # What breaks a scheduler's rules is what is looked at here.
        watch.broken = lambda *_: None  # type: ignore[method-assign]

    def port(self, *, term: int) -> WorkerPort:
        port = self._network.connect(Process(f"term-{term}"), term=term)(WORKER.address)
        self._lines[id(port)] = port._line
        return port

    async def cut(self, port: WorkerPort) -> None:
        self._lines[id(port)].snap_all("connection reset")
        await asyncio.sleep(0.1)

    async def drain(self) -> None:
        self._machine.drain(lambda: None)

    def fill(self) -> None:
        self._machine.is_full = True

    def hold_encoders(self) -> None:
        self._machine.holds_encoders = True

    def let_encoders_end(self) -> None:
        self._machine.let_encoders_end()


@dataclass
class Renderer(PictureRenderer):
    """One whose disk may be full."""

    is_full: bool = False

    async def _frame(self, number: int, orders: dict[str, float]) -> None:
        if self.is_full:
            raise OSError(errno.ENOSPC, "No space left on device")
        await super()._frame(number, orders)


class RealRig:
    """A worker of this process over gRPC on loopback, with pictures in place of a browser."""

    def __init__(
        self, folder: Path, renderer: Renderer, worker: TestWorker, stack: AsyncExitStack
    ) -> None:
        self.folder = folder
        self._renderer = renderer
        self._worker = worker
        self._bundles = BundleStore(folder / "bundles")
        self._stack = stack
        self._cables: dict[int, TcpProxy] = {}
        self._spare: list[TcpProxy] = []

    async def lay_cables(self, count: int) -> None:
        for _ in range(count):
            cable = await self._stack.enter_async_context(tcp_proxy(self._worker.address))
            self._spare.append(cable)

    def port(self, *, term: int) -> WorkerPort:
        cable = self._spare.pop()
        channel = new_channel(cable.address)
        port = GrpcWorker(self._worker.address, channel, self._bundles, term=term)
        self._stack.push_async_callback(port.close)
        self._cables[id(port)] = cable
        return port

    async def cut(self, port: WorkerPort) -> None:
        self._cables[id(port)].cut()
        await asyncio.sleep(0.1)

    async def drain(self) -> None:
        draining = asyncio.create_task(self._worker.attempts.drain(20.0), name="drain")
        self._stack.push_async_callback(asyncio.wait, [draining])
        await asyncio.sleep(0)

    def fill(self) -> None:
        self._renderer.is_full = True

    def hold_encoders(self) -> None:
        self._renderer.darkroom = asyncio.Event()

    def let_encoders_end(self) -> None:
        assert self._renderer.darkroom is not None
        self._renderer.darkroom.set()


def check(told: Told, expected: list[str]) -> None:
    """Why a connection broke is said in many words; that it did is what counts."""
    assert [_in_short(line) for line in told.lines] == expected


def _in_short(line: str) -> str:
    head, lost, why = line.partition("raised WorkerLostError")
    return head + lost + (why if "TAKEN_OVER" in why else "")


@each_scenario
def test_the_model_does_what_the_real_worker_does(scenario: Scenario, tmp_path: Path) -> None:
    told = Told()

    async def main() -> None:
        await scenario(ModelRig(tmp_path), told)

    simulate(main())

    check(told, SCENARIOS[scenario])


@each_scenario
async def test_the_real_worker_does_what_is_said_of_it(scenario: Scenario, tmp_path: Path) -> None:
    told = Told()
    renderer = Renderer()
    async with running_worker(renderer, slots=1) as worker, AsyncExitStack() as stack:
        rig = RealRig(tmp_path, renderer, worker, stack)
        await rig.lay_cables(3)
        await scenario(rig, told)

    check(told, SCENARIOS[scenario])
