"""The coordinator of a local farm: `python -m framefarm.local_coordinator SETTINGS`, as JSON.

What `framefarm coordinator` runs, without a command line: to read one costs 0.2 CPU s.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from pathlib import Path
from typing import Any

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
    said: dict[str, Any] = json.loads(text)
    data_dir, workers = Path(said.pop("data_dir")), tuple(said.pop("workers"))
    return CoordinatorSettings(data_dir=data_dir, workers=workers, until_stdin_closes=True, **said)


if __name__ == "__main__":
    main()
