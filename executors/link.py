"""WorkerLink: one worker as the fleet knows it, over one channel of its own."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import grpc.aio

from protos.framefarm.v1 import worker_pb2, worker_pb2_grpc

from .balance import WorkerView
from .transfer import send_bundle

if TYPE_CHECKING:
    from renderer.bundle import BundleStore

ASK_TIMEOUT_S: Final = 3.0
_UNASKED: Final = "not asked yet"


class WorkerLink:
    """What is known of a worker, and the way to it.

    Slots are counted here, for we are who fills them; what the worker says itself corrects the
    count when others use it too.
    """

    def __init__(self, address: str, channel: grpc.aio.Channel) -> None:
        self.address = address
        self._channel = channel
        self.stub: worker_pb2_grpc.RenderWorkerAsyncStub = worker_pb2_grpc.RenderWorkerStub(channel)
        self.said = worker_pb2.GetWorkerResponse()
        self.problem = _UNASKED
        self.leased = 0
        self.gone = False
        self.unfit = ""
        self._busy_elsewhere = 0
        self._bundles: set[str] = set()
        self._sending = asyncio.Lock()

    @property
    def is_serving(self) -> bool:
        return not (self.problem or self.unfit or self.said.draining or self.gone)

    def view(self, digest: str | None) -> WorkerView:
        """The worker as the balance sees it, for a chunk of the bundle `digest`."""
        return WorkerView(
            address=self.address,
            slots=self.said.slots - self._busy_elsewhere,
            leased=self.leased,
            serving=self.is_serving,
            fingerprint=self.said.fingerprint,
            warm=digest in self._bundles,
        )

    async def ask(self) -> None:
        """Ask the worker how it is, and remember the answer, or what went wrong."""
        try:
            said = await self.stub.GetWorker(worker_pb2.GetWorkerRequest(), timeout=ASK_TIMEOUT_S)
        except grpc.aio.AioRpcError as error:
            self.rest(f"{error.code().name}: {error.details()}")
            self.unfit = ""  # whoever comes back there has started anew
            return
        self.said = said
        self.problem = ""
        self._busy_elsewhere = max(0, said.slots - said.free_slots - self.leased)

    def rest(self, problem: str) -> None:
        """Take no more chunks until the worker has answered again."""
        self.problem = problem or "unknown"
        self._bundles.clear()  # it may come back with an empty disk

    async def bring(self, digest: str, store: BundleStore) -> None:
        """See to it that the worker has the bundle; once, however many chunks ask.

        Raises:
            grpc.aio.AioRpcError: it could not be brought.

        """
        async with self._sending:
            if digest in self._bundles:
                return
            manifest = await asyncio.to_thread(store.manifest, digest)
            await send_bundle(self.stub, manifest, store.blob)
            self._bundles.add(digest)

    def forget(self, digest: str) -> None:
        """The worker does not have the bundle after all."""
        self._bundles.discard(digest)

    async def close(self) -> None:
        await self._channel.close()
