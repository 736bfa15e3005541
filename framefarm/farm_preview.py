"""FarmPreview: where a job's film can be watched while it is rendered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from protos.framefarm.v1 import coordinator_pb2 as pb


@dataclass(frozen=True, slots=True, kw_only=True)
class FarmPreview:
    """`url` is of a page that plays what is finished; without one, `problem` says why."""

    url: str = ""
    problem: str = ""


def to_farm_preview(message: pb.Job) -> FarmPreview | None:
    if not message.HasField("preview"):
        return None
    return FarmPreview(url=message.preview.url, problem=message.preview.problem)
