"""What a coordinator is told when it starts."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueLimits:
    """How many jobs may wait: all, and of one user (None: as many)."""

    jobs: int = 10_000
    jobs_a_user: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """How long jobs that have ended are kept, and how much all files may have; None: no limit."""

    jobs_s: float | None = None
    size_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CoordinatorSettings:
    """How a coordinator runs. `listen` with port 0 takes a free port and says which on stdout.

    `executor` is a name of executors.plugins: it renders the chunks. For `grpc`, `workers` are
    HOST:PORT addresses, or one dns:///NAME:PORT whose addresses are looked up again while it runs;
    for `local`, `slots` are the chunks it renders at once.
    `data_dir` holds jobs, bundles, chunk files and outputs; with `artifacts`, the URL of an
    artifact store, it is but a cache of the last three. A job fails when no worker could take its
    chunks for `worker_wait_s`. No user's jobs have more than `user_slots` chunks at once.
    `preview` is a HOST:PORT at which films are served by HTTP while they are rendered, or nothing.
    `store` is the URL of the database that keeps the jobs, or nothing for a file in `data_dir`, or
    MEMORY (coordinator.stores.place); a call waits for one that is down up to `store_patience_s`.
    At most `watchers` calls watch jobs at once. Nothing begins while `data_dir` has less than
    `min_free_bytes` of room.
    """

    listen: str = "127.0.0.1:50050"
    executor: str = "grpc"
    workers: tuple[str, ...] = ()
    data_dir: Path
    artifacts: str = ""
    running_jobs: int = 8
    worker_wait_s: float = 300.0
    user_slots: int | None = None
    slots: int = 1
    store: str = ""
    store_patience_s: float = 10.0
    limits: QueueLimits = field(default_factory=QueueLimits)
    keeping: Keeping = field(default_factory=Keeping)
    watchers: int = 1_000
    min_free_bytes: int = 200 << 20
    preview: str = ""
    until_stdin_closes: bool = False
