"""What a user may say about a job's place among others. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any, TypedDict

from executors.base import Share

from .lengths import read_seconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .problems import Problems


class QueueOptions(TypedDict, total=False):
    """A job's place among others; `JobSpec` says what each means.

    `after` holds ids of jobs; `time_limit` is in seconds, or a text like "10m".
    """

    user: str
    priority: int
    weight: float
    most_slots: int
    after: Sequence[str]
    time_limit: str | float | Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Queue options, understood."""

    share: Share = field(default_factory=Share)
    after: tuple[str, ...] = ()
    time_limit_s: float | None = None


def read_standing(options: QueueOptions, problems: Problems) -> Standing:
    """Understand what was said; what cannot be read is among the problems."""
    share: dict[str, Any] = {
        name: said
        for name, said in options.items()
        if name in ("user", "priority", "weight", "most_slots")
    }
    time_limit_s = None
    with problems.of("time_limit"):
        if "time_limit" in options:
            time_limit_s = float(read_seconds(options["time_limit"]))
    after = tuple(options.get("after", ()))
    return Standing(share=Share(**share), after=after, time_limit_s=time_limit_s)
