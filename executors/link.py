"""WorkerLink: one worker as the fleet knows it, over one channel of its own."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import grpc.aio

from protos.framefarm.v1 import worker_pb2, worker_pb2_grpc

from .balance import WorkerView
from .base import WarmPage
from .errors import WorkerLostError
from .tasks import task_group
from .transfer import send_bundle

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from renderer.bundle import BundleStore

    from .balance import Wish

log = logging.getLogger(__name__)

ASK_TIMEOUT_S: Final = 3.0
END_TIMEOUT_S: Final = 1.0
# As long as keepalive takes to find a connection dead (serving.channel). It finds no process that
# is stuck: the gRPC library answers its pings from a thread of its own.
SILENCE_LIMIT_S: Final = 30.0
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
        self._silent_since_s: float | None = None
        self._bundles: set[str] = set()
        self._pages: list[WarmPage] = []
        self._jobs: set[str] = set()
        self._sending = asyncio.Lock()

    @property
    def is_serving(self) -> bool:
        return not (self.problem or self.unfit or self.said.draining or self.gone)

    def view(self, wish: Wish | None) -> WorkerView:
        """The worker as the balance sees it, for a chunk."""
        page = self._nearest(wish)
        return WorkerView(
            address=self.address,
            slots=self.said.slots - self._busy_elsewhere,
            leased=self.leased,
            serving=self.is_serving,
            fingerprint=self.said.fingerprint,
            holds_bundle=wish is not None and wish.digest in self._bundles,
            warm_from=page.from_frame if page else None,
        )

    def use_page(self, wish: Wish) -> None:
        """A chunk goes there, and will use the open page that is nearest, if there is one."""
        self._jobs.add(wish.job_id)
        if page := self._nearest(wish):
            self._pages.remove(page)

    def leave_page(self, page: WarmPage) -> None:
        """A chunk has been rendered there, and its page stays open."""
        self._pages.append(page)

    async def end_job(self, job_id: str) -> None:
        """Tell the worker, if it had chunks of the job, that no more will come."""
        if job_id not in self._jobs:
            return
        self._jobs.discard(job_id)
        self._pages = [page for page in self._pages if page.job_id != job_id]
        try:
            request = worker_pb2.EndJobRequest(job_id=job_id)
            await self.stub.EndJob(request, timeout=END_TIMEOUT_S)
        except grpc.aio.AioRpcError as error:  # it lets go of the job by itself, a little later
            facts = {"worker": self.address, "job_id": job_id, "status": error.code().name}
            log.info("worker not told of a job's end", extra=facts)

    def _nearest(self, wish: Wish | None) -> WarmPage | None:
        reaching = (
            page
            for page in self._pages
            if wish and page.job_id == wish.job_id and page.from_frame <= wish.start
        )
        return max(reaching, key=lambda page: page.from_frame, default=None)

    async def ask(self) -> None:
        """Ask the worker how it is, and remember the answer, or what went wrong."""
        try:
            said = await self.stub.GetWorker(worker_pb2.GetWorkerRequest(), timeout=ASK_TIMEOUT_S)
        except grpc.aio.AioRpcError as error:
            self.rest(f"{error.code().name}: {error.details()}")
            self._silent_since_s = self._silent_since_s or time.monotonic()
            self.unfit = ""  # whoever comes back there has started anew
            return
        self.heard()
        self.said = said
        self._pages = [WarmPage(page.job_id, page.from_frame) for page in said.warm_pages]
        self.problem = ""
        self._busy_elsewhere = max(0, said.slots - said.free_slots - self.leased)

    def heard(self) -> None:
        """The worker gave a sign of life."""
        self._silent_since_s = None

    @asynccontextmanager
    async def while_heard(self) -> AsyncGenerator[None]:
        """End the block when the worker gives no sign of life any more.

        Raises:
            WorkerLostError: it gave none for SILENCE_LIMIT_S.

        """
        async with task_group() as group:
            listening = group.create_task(self._until_silent(), name=f"hear-{self.address}")
            yield
            listening.cancel()

    async def _until_silent(self) -> None:
        silent_s = 0.0
        while silent_s < SILENCE_LIMIT_S:
            await asyncio.sleep(min(ASK_TIMEOUT_S, SILENCE_LIMIT_S - silent_s))
            since_s = self._silent_since_s
            silent_s = 0.0 if since_s is None else time.monotonic() - since_s
        raise WorkerLostError(
            f"{self.address} gave no sign of life for {SILENCE_LIMIT_S:g} s ({self.problem})"
        )

    def rest(self, problem: str) -> None:
        """Take no more chunks until the worker has answered again."""
        self.problem = problem or "unknown"
        self._bundles.clear()  # it may come back with an empty disk
        self._pages.clear()

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
