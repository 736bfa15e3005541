"""`framefarm worker`: a service, as a process."""

from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path
from typing import Annotated

import typer

from renderer.sandbox import Sandbox
from serving.logs import LogFormat, configure_logging
from worker.settings import WorkerSettings

from .known_settings import refuse_unknown_settings
from .service_options import HOME, LogAs, UntilStdinCloses, VerboseLog, seconds, size_bytes

_WORKER = "FRAMEFARM_WORKER_"


def worker(
    context: typer.Context,
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
    ] = HOME / "worker",
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
            parser=seconds,
            metavar="DURATION",
            help="When told to end, let chunks finish this long.",
        ),
    ] = 300.0,
    detach: Annotated[
        float,
        typer.Option(
            "--detach",
            envvar=f"{_WORKER}DETACH",
            parser=seconds,
            metavar="DURATION",
            help="Let a chunk go on this long when its caller has gone, or reads nothing.",
        ),
    ] = 30.0,
    bundle_cache: Annotated[
        int | None,
        typer.Option(
            "--bundle-cache",
            envvar=f"{_WORKER}BUNDLE_CACHE",
            parser=size_bytes,
            metavar="SIZE",
            help="Above it, bundles that no job here uses make room.",
            show_default="a tenth of the disk",
        ),
    ] = None,
    scratch: Annotated[
        int | None,
        typer.Option(
            "--scratch",
            envvar=f"{_WORKER}SCRATCH",
            parser=size_bytes,
            metavar="SIZE",
            help="For chunk files, evenly for all slots; a larger one goes elsewhere.",
            show_default="what the disk has",
        ),
    ] = None,
    frame_timeout: Annotated[
        float,
        typer.Option(
            "--frame-timeout",
            envvar=f"{_WORKER}FRAME_TIMEOUT",
            parser=seconds,
            metavar="DURATION",
            help="A frame that takes longer is a hang: its browser ends.",
        ),
    ] = 30.0,
    page_idle: Annotated[
        float,
        typer.Option(
            "--page-idle",
            envvar=f"{_WORKER}PAGE_IDLE",
            parser=seconds,
            metavar="DURATION",
            help="Keep a job's page this long for its next chunk.",
        ),
    ] = 30.0,
    browser_idle: Annotated[
        float,
        typer.Option(
            "--browser-idle",
            envvar=f"{_WORKER}BROWSER_IDLE",
            parser=seconds,
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
    refuse_unknown_settings(context, _WORKER, os.environ)
    configure_logging(log_format, logging.DEBUG if verbose else logging.INFO)
    settings = WorkerSettings(
        listen=listen,
        slots=slots,
        data_dir=data_dir.expanduser(),
        name=name,
        sandbox=sandbox,
        drain_timeout_s=drain_timeout,
        detach_s=detach,
        bundle_bytes=bundle_cache,
        scratch_bytes=scratch,
        until_stdin_closes=until_stdin_closes,
        frame_timeout_s=frame_timeout,
        page_idle_s=page_idle,
        browser_idle_s=browser_idle,
        browser_frames=browser_frames,
        browser_chunks=browser_chunks,
        browser_memory=browser_memory,
    )
    # Here and not above: it takes 0.3 s to import, and whoever asks for help need not wait for it.
    from worker.process import run

    asyncio.run(run(settings))
