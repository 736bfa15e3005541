"""The coordinator of a local farm: `python -m framefarm.local_coordinator SETTINGS`, as JSON.

What `framefarm coordinator` runs, without a command line: to read one costs 0.2 CPU s.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from pathlib import Path

from coordinator.process import run
from coordinator.settings import CoordinatorSettings
from coordinator.stores.base import StoreDownError
from executors.errors import StorageError
from renderer.errors import RenderError
from serving.logs import LogFormat, configure_logging
from serving.server import ListenError

_TOLD = (RenderError, ListenError, StoreDownError, StorageError, OSError)


def main() -> None:
    """Serve until standard input closes. What keeps it from that is the last line of its log."""
    configure_logging(LogFormat.PLAIN, logging.INFO)
    try:
        asyncio.run(run(_settings(sys.argv[1])))
    except _TOLD as error:
        sys.exit(f"framefarm: {error}")


def _settings(text: str) -> CoordinatorSettings:
    said = json.loads(text)
    return CoordinatorSettings(
        **{**said, "data_dir": Path(said["data_dir"]), "workers": tuple(said["workers"])},
        until_stdin_closes=True,
    )


if __name__ == "__main__":
    main()
