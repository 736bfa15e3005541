"""ProbeCall: one Probe call, seen from the caller's side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc.aio

from renderer.history import ProbeResult

from .errors import ChunkDamagedError
from .probe_wire import to_probe_result
from .worker_call import WorkerCall

if TYPE_CHECKING:
    from protos.framefarm.v1.worker_pb2_grpc import RenderWorkerAsyncStub


class ProbeCall(WorkerCall[ProbeResult]):
    """Has a worker find out about a page. One that cannot finds nothing: the page is played."""

    def _open(self, stub: RenderWorkerAsyncStub) -> Any:
        return stub.Probe(timeout=self._time_left_s())

    async def _take(self, call: Any) -> ProbeResult:
        found = None
        try:
            while (response := await call.read()) is not grpc.aio.EOF:
                if response.WhichOneof("step") == "probed":
                    found = to_probe_result(response.probed)
                else:
                    self._tell(response)
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.UNIMPLEMENTED:  # an older worker
                return ProbeResult()
            raise
        if found is None:
            raise ChunkDamagedError(f"{self.worker} ended a probe without saying what it found")
        return found
