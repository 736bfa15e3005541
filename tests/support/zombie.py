"""A coordinator that freezes just before its first video has its name: `-m tests.support.zombie`.

What it places when it wakes up is another file than its heir's, and tells whose it is. The first
argument says where that is: in a `folder`, or in a `bucket`; the others are framefarm's.
"""

from __future__ import annotations

import os
import signal
import sys
from functools import cache
from pathlib import Path
from typing import Any, Final

import obstore

from coordinator import making, output_files
from framefarm.cli import main

MARK: Final = b"of the zombie"


@cache
def _freeze_once() -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def _in_a_folder() -> None:
    path_of = output_files.path_of  # asked when all files are made, and none has its name

    def frozen(output: Path, *rest: Any) -> Path:
        files = list(output.parent.glob(".work-*/assembly-*/*/made"))
        _freeze_once()
        for made in files:  # its heir has swept them: as if they were made when it woke up
            made.parent.mkdir(parents=True, exist_ok=True)
            made.write_bytes(MARK)
        return path_of(output, *rest)

    vars(making)["path_of"] = frozen


def _in_a_bucket() -> None:
    put = obstore.put

    def frozen(store: Any, key: str, file: Path, **how: Any) -> Any:
        if key.startswith("outputs/"):
            _freeze_once()
            file.write_bytes(MARK)
        return put(store, key, file, **how)

    vars(obstore)["put"] = frozen


if __name__ == "__main__":
    {"folder": _in_a_folder, "bucket": _in_a_bucket}[sys.argv.pop(1)]()
    main()
