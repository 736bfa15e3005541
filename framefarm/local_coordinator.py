"""The coordinator of a local farm: `python -m framefarm.local_coordinator FOLDER EXECUTOR`.

What `framefarm coordinator` runs, without a command line: to read one costs 0.2 CPU s. Its settings
come as a line of JSON on standard input when they are known; it gets ready meanwhile.
"""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, nullcontext
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from coordinator.settings import CoordinatorSettings
from coordinator.stores.base import StoreDownError
from coordinator.stores.place import MEMORY
from executors.errors import StorageError
from renderer.errors import RenderError
from serving.listening import ListenError
from serving.logs import LogFormat, configure_logging

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable
    from concurrent.futures import Future

    from executors.plugins import OpenExecutor

    Run = Callable[[CoordinatorSettings, OpenExecutor | None], Awaitable[None]]

_TOLD = (RenderError, ListenError, StoreDownError, StorageError, OSError)
_LOCAL: Final = "local"
_STDIN: Final = 0


def main() -> None:
    """Serve until standard input closes. What keeps it from that is the last line of its log."""
    gc.disable()  # until all is imported; serving.standing says why
    configure_logging(LogFormat.PLAIN, logging.INFO)
    folder, executor = Path(sys.argv[1]), sys.argv[2]
    with ThreadPoolExecutor(2) as beside:
        said = beside.submit(_settings_line, folder)
        if executor == _LOCAL:  # first: its browser starts while all else is imported
            import_module("executors.local")
        run = beside.submit(_run_of_coordinator)
        settings = _settings(said.result(), executor)
        try:
            asyncio.run(_serve(settings, run))
        except _TOLD as error:
            sys.exit(f"framefarm: {error}")


def _settings_line(folder: Path) -> str:
    """Read what to do. When there is nothing to do, nothing is left of what waited for it."""
    line = b""
    while not line.endswith(b"\n"):
        if not (more := os.read(_STDIN, 1 << 16)):
            shutil.rmtree(folder, ignore_errors=True)
            os._exit(0)
        line += more
    return line.decode()


def _settings(text: str, executor: str) -> CoordinatorSettings:
    said: dict[str, Any] = json.loads(text)
    data_dir, workers = Path(said.pop("data_dir")), tuple(said.pop("workers"))
    return CoordinatorSettings(
        data_dir=data_dir,
        workers=workers,
        executor=executor,
        store=MEMORY,
        until_stdin_closes=True,
        **said,
    )


def _run_of_coordinator() -> Run:
    from coordinator.process import run

    return run


async def _serve(settings: CoordinatorSettings, run: Future[Run]) -> None:
    async with _opened(settings) as open_executor:
        serve = await asyncio.wrap_future(run)
        gc.enable()
        await serve(settings, open_executor)


@asynccontextmanager
async def _opened(settings: CoordinatorSettings) -> AsyncGenerator[OpenExecutor | None]:
    """Open the executor that renders here, before there is a coordinator to use it."""
    if settings.executor != _LOCAL:
        yield None
        return
    from executors.local import open_local_executor
    from executors.plugins import ExecutorContext
    from renderer.bundle import BundleStore

    context = ExecutorContext(
        bundles=await asyncio.to_thread(BundleStore, settings.data_dir),
        environment=os.environ,
        worker_wait_s=settings.worker_wait_s,
        slots=settings.slots,
    )
    async with open_local_executor(context) as executor:
        yield lambda _: nullcontext(executor)


if __name__ == "__main__":
    main()
