"""What a worker is told when it starts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from renderer.browser import Sandbox


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings:
    """How a worker runs. `listen` with port 0 takes a free port and says which on stdout.

    `data_dir` holds the bundles it was sent; chunk files stand in the system's temporary folder
    until they are sent. With `until_stdin_closes` the worker ends when its standard input does, so
    that it cannot outlive whoever started it.
    """

    listen: str = "127.0.0.1:50051"
    slots: int = 1
    data_dir: Path
    name: str = ""
    drain_timeout_s: float = 300.0
    sandbox: Sandbox = Sandbox.AUTO
    until_stdin_closes: bool = False
