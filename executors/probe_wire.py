"""What a probe found ↔ its protobuf message."""

from __future__ import annotations

from protos.framefarm.v1 import worker_pb2
from renderer.history import Between, Difference, ProbeResult, Use


def from_probe_result(result: ProbeResult) -> worker_pb2.Probed:
    """Pictures stay where they are: the wire says only which frames differ."""
    return worker_pb2.Probed(
        frames=result.frames,
        jumps=result.jumps,
        differences=[
            worker_pb2.FrameDifference(frame=row.frame, between=row.between)
            for row in result.differences
        ],
        uses=[
            worker_pb2.ApiUse(api=use.api, detail=use.detail, count=use.count)
            for use in result.uses
        ],
        obstacle=result.obstacle,
    )


def to_probe_result(message: worker_pb2.Probed) -> ProbeResult:
    return ProbeResult(
        frames=tuple(message.frames),
        jumps=tuple(message.jumps),
        differences=tuple(
            Difference(frame=row.frame, between=Between(row.between)) for row in message.differences
        ),
        uses=tuple(Use(api=use.api, detail=use.detail, count=use.count) for use in message.uses),
        obstacle=message.obstacle,
    )
