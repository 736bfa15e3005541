"""`framefarm coordinator`: a service, as a process."""

from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path
from typing import Annotated

import typer

from coordinator.artifacts.place import artifacts_at
from coordinator.settings import CoordinatorSettings, Keeping, QueueLimits
from executors.discovery import discovery
from executors.plugins import executor_named
from framefarm.problems import problems_of
from serving.logs import LogFormat, configure_logging

from .known_settings import refuse_unknown_settings
from .service_options import HOME as _HOME
from .service_options import LogAs, UntilStdinCloses, VerboseLog, age_s, size_bytes
from .service_options import seconds as _seconds

_COORDINATOR = "FRAMEFARM_COORDINATOR_"


def coordinator(
    context: typer.Context,
    workers: Annotated[
        str,
        typer.Option(
            "--workers",
            envvar=f"{_COORDINATOR}WORKERS",
            metavar="HOST:PORT,…|dns:///NAME:PORT",
            help="The fleet.",
        ),
    ] = "",
    listen: Annotated[
        str,
        typer.Option(
            "--listen",
            envvar=f"{_COORDINATOR}LISTEN",
            metavar="HOST:PORT",
            help="Port 0: any free one.",
        ),
    ] = "127.0.0.1:50050",
    data_dir: Annotated[
        Path,
        typer.Option(
            "--data-dir", envvar=f"{_COORDINATOR}DATA_DIR", help="Keeps jobs, bundles and videos."
        ),
    ] = _HOME / "coordinator",
    store: Annotated[
        str,
        typer.Option(
            "--store",
            envvar=f"{_COORDINATOR}STORE",
            metavar="URL",
            help="Keeps jobs elsewhere: postgresql://USER@HOST/DATABASE.",
            show_default="a file in the data directory",
        ),
    ] = "",
    store_patience: Annotated[
        float,
        typer.Option(
            "--store-patience",
            envvar=f"{_COORDINATOR}STORE_PATIENCE",
            parser=_seconds,
            metavar="DURATION",
            help="What is to be kept waits for a store that is down for this long.",
        ),
    ] = 10.0,
    artifacts: Annotated[
        str,
        typer.Option(
            "--artifacts",
            envvar=f"{_COORDINATOR}ARTIFACTS",
            metavar="URL",
            help="Keeps bundles, chunks and videos elsewhere: file:///FOLDER, or s3://BUCKET/PREFIX"
            "?endpoint=URL&region=NAME.",
            show_default="the data directory",
        ),
    ] = "",
    executor: Annotated[
        str,
        typer.Option(
            "--executor",
            envvar=f"{_COORDINATOR}EXECUTOR",
            metavar="NAME",
            help="What renders chunks: grpc (the fleet), local (this process), or a plug-in.",
        ),
    ] = "grpc",
    slots: Annotated[
        int,
        typer.Option(
            "--slots",
            envvar=f"{_COORDINATOR}SLOTS",
            min=1,
            help="Chunks at a time, where this process renders (--executor local).",
        ),
    ] = 1,
    running_jobs: Annotated[
        int,
        typer.Option(
            "--running-jobs", envvar=f"{_COORDINATOR}RUNNING_JOBS", min=1, help="At a time."
        ),
    ] = 8,
    worker_wait: Annotated[
        float,
        typer.Option(
            "--worker-wait",
            envvar=f"{_COORDINATOR}WORKER_WAIT",
            parser=_seconds,
            metavar="DURATION",
            help="A job fails when no worker could take its chunks for this long.",
        ),
    ] = 300.0,
    user_slots: Annotated[
        int | None,
        typer.Option(
            "--user-slots",
            envvar=f"{_COORDINATOR}USER_SLOTS",
            min=1,
            help="Chunks of one user's jobs at a time.",
            show_default="no limit",
        ),
    ] = None,
    queued_jobs: Annotated[
        int,
        typer.Option(
            "--queued-jobs",
            envvar=f"{_COORDINATOR}QUEUED_JOBS",
            min=1,
            help="That may wait; then no more are taken.",
        ),
    ] = 10_000,
    queued_jobs_per_user: Annotated[
        int | None,
        typer.Option(
            "--queued-jobs-per-user",
            envvar=f"{_COORDINATOR}QUEUED_JOBS_PER_USER",
            min=1,
            help="That may wait of one user.",
            show_default="as many",
        ),
    ] = None,
    watchers: Annotated[
        int,
        typer.Option(
            "--watchers",
            envvar=f"{_COORDINATOR}WATCHERS",
            min=1,
            help="Calls that watch a job, at a time.",
        ),
    ] = 1_000,
    keep_jobs: Annotated[
        float | None,
        typer.Option(
            "--keep-jobs",
            envvar=f"{_COORDINATOR}KEEP_JOBS",
            parser=age_s,
            metavar="DURATION",
            help="Forget jobs that ended longer ago, and their files, like 30d.",
            show_default="for ever",
        ),
    ] = None,
    keep_bytes: Annotated[
        int | None,
        typer.Option(
            "--keep-bytes",
            envvar=f"{_COORDINATOR}KEEP_BYTES",
            parser=size_bytes,
            metavar="SIZE",
            help="Forget the oldest ended jobs while all files have more, like 500GiB.",
            show_default="no limit",
        ),
    ] = None,
    min_free: Annotated[
        int,
        typer.Option(
            "--min-free",
            envvar=f"{_COORDINATOR}MIN_FREE",
            parser=size_bytes,
            metavar="SIZE",
            help="Begin nothing while the data directory has less room.",
            show_default="200MiB",
        ),
    ] = 200 << 20,
    preview: Annotated[
        str,
        typer.Option(
            "--preview",
            envvar=f"{_COORDINATOR}PREVIEW",
            metavar="HOST:PORT",
            help="Show films by HTTP while they are rendered. Whoever knows a job's id may look.",
            show_default="not at all",
        ),
    ] = "",
    log_format: LogAs = LogFormat.PLAIN,
    verbose: VerboseLog = False,
    until_stdin_closes: UntilStdinCloses = False,
) -> None:
    """Serve a farm's coordinator; its address is the first line on standard output."""
    from coordinator.stores.opening import store_url

    refuse_unknown_settings(context, _COORDINATOR, os.environ)
    fleet = tuple(filter(None, (each.strip() for each in workers.split(","))))
    with problems_of("executor"):
        executor_named(executor)
    if executor == "grpc":
        with problems_of("workers"):
            discovery(fleet)
    with problems_of("store"):
        store_url(store, data_dir)
    if artifacts:
        with problems_of("artifacts"):
            artifacts_at(artifacts)
    configure_logging(log_format, logging.DEBUG if verbose else logging.INFO)
    settings = CoordinatorSettings(
        listen=listen,
        executor=executor,
        workers=fleet,
        data_dir=data_dir.expanduser(),
        artifacts=artifacts,
        slots=slots,
        running_jobs=running_jobs,
        worker_wait_s=worker_wait,
        user_slots=user_slots,
        store=store,
        store_patience_s=store_patience,
        limits=QueueLimits(jobs=queued_jobs, jobs_a_user=queued_jobs_per_user),
        keeping=Keeping(jobs_s=keep_jobs, size_bytes=keep_bytes),
        watchers=watchers,
        min_free_bytes=min_free,
        preview=preview,
        until_stdin_closes=until_stdin_closes,
    )
    from coordinator.process import run

    asyncio.run(run(settings))
