"""FarmWorker: what a coordinator tells of one of its workers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from protos.framefarm.v1 import coordinator_pb2 as pb


class FarmWorkerState(StrEnum):
    READY = "ready"
    DRAINING = "draining"
    UNREACHABLE = "unreachable"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class FarmWorker:
    """A worker as its coordinator sees it; `problem` says why it is UNREACHABLE."""

    address: str
    name: str
    state: FarmWorkerState
    problem: str
    slots: int
    free_slots: int
    version: str
    fingerprint: str


_STATE_OF: Final = {
    pb.WORKER_STATE_READY: FarmWorkerState.READY,
    pb.WORKER_STATE_DRAINING: FarmWorkerState.DRAINING,
    pb.WORKER_STATE_UNREACHABLE: FarmWorkerState.UNREACHABLE,
}


def to_farm_worker(message: pb.WorkerInfo) -> FarmWorker:
    return FarmWorker(
        address=message.address,
        name=message.name,
        state=_STATE_OF.get(message.state, FarmWorkerState.UNKNOWN),
        problem=message.problem,
        slots=message.slots,
        free_slots=message.free_slots,
        version=message.version,
        fingerprint=message.fingerprint,
    )
