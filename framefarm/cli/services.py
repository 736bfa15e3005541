"""`framefarm worker` and `framefarm coordinator`: the services, as processes."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Annotated

import typer

from coordinator.settings import CoordinatorSettings
from executors.discovery import discovery
from executors.plugins import executor_named
from framefarm.problems import problems_of
from renderer.frames import parse_duration
from renderer.sandbox import Sandbox
from serving.logs import LogFormat, configure_logging
from worker.settings import WorkerSettings

_HOME = Path("~/.local/share/framefarm")
_WORKER = "FRAMEFARM_WORKER_"
_COORDINATOR = "FRAMEFARM_COORDINATOR_"


def _seconds(text: str | float) -> float:
    try:
        seconds = float(parse_duration(str(text)))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    if seconds < 0:
        raise typer.BadParameter(f"{text} is negative")
    return seconds


LogAs = Annotated[
    LogFormat,
    typer.Option("--log-format", envvar="FRAMEFARM_LOG_FORMAT", help="On standard error."),
]
VerboseLog = Annotated[bool, typer.Option("-v", "--verbose", help="Log details too.")]
UntilStdinCloses = Annotated[
    bool, typer.Option("--until-stdin-closes", help="End when standard input does.", hidden=True)
]


def worker(
    listen: Annotated[
        str,
        typer.Option(
            "--listen", envvar=f"{_WORKER}LISTEN", metavar="HOST:PORT", help="Port 0: any free one."
        ),
    ] = "127.0.0.1:50051",
    slots: Annotated[
        int | None,
        typer.Option(
            "--slots",
            envvar=f"{_WORKER}SLOTS",
            min=1,
            help="Chunks at a time.",
            show_default="one a CPU and GiB",
        ),
    ] = None,
    data_dir: Annotated[
        Path, typer.Option("--data-dir", envvar=f"{_WORKER}DATA_DIR", help="Keeps bundles.")
    ] = _HOME / "worker",
    name: Annotated[
        str,
        typer.Option(
            "--name", envvar=f"{_WORKER}NAME", help="In lists and logs.", show_default="the host's"
        ),
    ] = "",
    sandbox: Annotated[
        Sandbox, typer.Option("--sandbox", envvar=f"{_WORKER}SANDBOX", help="Chromium's own.")
    ] = Sandbox.AUTO,
    drain_timeout: Annotated[
        float,
        typer.Option(
            "--drain-timeout",
            envvar=f"{_WORKER}DRAIN_TIMEOUT",
            parser=_seconds,
            metavar="DURATION",
            help="When told to end, let chunks finish this long.",
        ),
    ] = 300.0,
    frame_timeout: Annotated[
        float,
        typer.Option(
            "--frame-timeout",
            envvar=f"{_WORKER}FRAME_TIMEOUT",
            parser=_seconds,
            metavar="DURATION",
            help="A frame that takes longer is a hang: its browser ends.",
        ),
    ] = 30.0,
    page_idle: Annotated[
        float,
        typer.Option(
            "--page-idle",
            envvar=f"{_WORKER}PAGE_IDLE",
            parser=_seconds,
            metavar="DURATION",
            help="Keep a job's page this long for its next chunk.",
        ),
    ] = 30.0,
    browser_idle: Annotated[
        float,
        typer.Option(
            "--browser-idle",
            envvar=f"{_WORKER}BROWSER_IDLE",
            parser=_seconds,
            metavar="DURATION",
            help="Keep a browser this long for the next job.",
        ),
    ] = 300.0,
    browser_frames: Annotated[
        int,
        typer.Option(
            "--browser-frames",
            envvar=f"{_WORKER}BROWSER_FRAMES",
            min=1,
            help="Then a browser opens no more pages.",
        ),
    ] = 100_000,
    browser_chunks: Annotated[
        int,
        typer.Option(
            "--browser-chunks",
            envvar=f"{_WORKER}BROWSER_CHUNKS",
            min=1,
            help="Then a browser opens no more pages.",
        ),
    ] = 1_000,
    browser_memory: Annotated[
        float,
        typer.Option(
            "--browser-memory",
            envvar=f"{_WORKER}BROWSER_MEMORY",
            min=0.01,
            max=1.0,
            help="The browsers' share of the worker's memory; one that holds more ends.",
        ),
    ] = 0.5,
    log_format: LogAs = LogFormat.PLAIN,
    verbose: VerboseLog = False,
    until_stdin_closes: UntilStdinCloses = False,
) -> None:
    """Serve this machine as a worker; its address is the first line on standard output."""
    configure_logging(log_format, logging.DEBUG if verbose else logging.INFO)
    settings = WorkerSettings(
        listen=listen,
        slots=slots,
        data_dir=data_dir.expanduser(),
        name=name,
        sandbox=sandbox,
        drain_timeout_s=drain_timeout,
        until_stdin_closes=until_stdin_closes,
        frame_timeout_s=frame_timeout,
        page_idle_s=page_idle,
        browser_idle_s=browser_idle,
        browser_frames=browser_frames,
        browser_chunks=browser_chunks,
        browser_memory=browser_memory,
    )
    # Here and not above: only a worker needs to wait for Playwright's import, and
    # only a coordinator for SQLAlchemy's.
    from worker.process import run

    asyncio.run(run(settings))


def coordinator(
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
    log_format: LogAs = LogFormat.PLAIN,
    verbose: VerboseLog = False,
    until_stdin_closes: UntilStdinCloses = False,
) -> None:
    """Serve a farm's coordinator; its address is the first line on standard output."""
    from coordinator.stores.opening import store_url

    fleet = tuple(filter(None, (each.strip() for each in workers.split(","))))
    with problems_of("executor"):
        executor_named(executor)
    if executor == "grpc":
        with problems_of("workers"):
            discovery(fleet)
    with problems_of("store"):
        store_url(store, data_dir)
    configure_logging(log_format, logging.DEBUG if verbose else logging.INFO)
    settings = CoordinatorSettings(
        listen=listen,
        executor=executor,
        workers=fleet,
        data_dir=data_dir.expanduser(),
        slots=slots,
        running_jobs=running_jobs,
        worker_wait_s=worker_wait,
        store=store,
        store_patience_s=store_patience,
        until_stdin_closes=until_stdin_closes,
    )
    from coordinator.process import run

    asyncio.run(run(settings))
