"""FarmStatus: what a coordinator tells of the whole farm."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from protos.framefarm.v1 import coordinator_pb2 as pb


class FarmState(StrEnum):
    READY = "ready"
    PAUSED = "paused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class FarmHold:
    """Why nothing begins: `reason` for programs, and for people what to do about it."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FarmStatus:
    """A farm as its coordinator sees it. PAUSED: nothing begins, because of the `holds`."""

    state: FarmState
    holds: tuple[FarmHold, ...]
    jobs_blocked: int  # by jobs that they are to come after
    jobs_waiting: int
    jobs_running: int
    jobs_paused: int
    chunks_running: int
    slots: int
    term: int  # counts the coordinators that have led


_STATE_OF: Final = {
    pb.FARM_STATE_READY: FarmState.READY,
    pb.FARM_STATE_PAUSED: FarmState.PAUSED,
}


def to_farm_status(message: pb.Farm) -> FarmStatus:
    return FarmStatus(
        state=_STATE_OF.get(message.state, FarmState.UNKNOWN),
        holds=tuple(FarmHold(reason=row.reason, message=row.message) for row in message.holds),
        jobs_blocked=message.jobs_blocked,
        jobs_waiting=message.jobs_waiting,
        jobs_running=message.jobs_running,
        jobs_paused=message.jobs_paused,
        chunks_running=message.chunks_running,
        slots=message.slots,
        term=message.term,
    )
